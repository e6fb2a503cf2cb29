"""The one place where settings become running parts."""

from darkroom.services.composition import (
    CourierServices,
    Services,
    WorkerServices,
    build_courier_services,
    build_gateway_services,
    build_worker_services,
)
from darkroom.services.courier import run_courier
from darkroom.services.onlooker import onlooking_verifier
from darkroom.services.startup import check_start

__all__ = [
    "CourierServices",
    "Services",
    "WorkerServices",
    "build_courier_services",
    "build_gateway_services",
    "build_worker_services",
    "check_start",
    "onlooking_verifier",
    "run_courier",
]
