"""Stable Diffusion XL's base and refiner as an ensemble: https://arxiv.org/abs/2307.01952, section 2.5."""

from darkroom.catalog import Catalog
from darkroom.catalog.schedulers import second_order
from darkroom.contract.generation import RefinerAsked
from darkroom.contract.model import ModelSpec
from darkroom.contract.stage import Refiner
from darkroom.errors import InvalidField
from darkroom.planner.course import Course
from darkroom.planner.sizes import check_limits


def refined(asked: RefinerAsked, clip_skip: int, course: Course, spec: ModelSpec, catalog: Catalog) -> Refiner:
    """The stage that a refiner makes. Raises: InvalidField naming the field; UnknownModel, ModelError."""
    _check_base(course, spec)
    refiner = catalog.spec(asked.model, "refiner.model")
    _check_refiner(refiner, clip_skip, course, spec)
    if course.computed < 2:  # whatever is left, the engine shares out so that each has a pass
        raise InvalidField("refiner", "needs two computed steps at least: one of the base, and one of its own")
    return Refiner(model=refiner.name, weights=refiner.weights, switch_at=asked.switch_at)


def _check_base(course: Course, spec: ModelSpec) -> None:
    if spec.family != "sdxl":
        raise InvalidField("refiner", f"goes with a base model of Stable Diffusion XL, which {spec.name} is not")
    if "text_to_image" not in spec.tasks:
        raise InvalidField("refiner", f"cannot go on where {spec.name}, which is made for inpainting, leaves off")
    if second_order(course.scheduler):
        raise InvalidField("scheduler", f"{course.scheduler} takes two passes a step, which two models cannot share")


def _check_refiner(refiner: ModelSpec, clip_skip: int, course: Course, spec: ModelSpec) -> None:
    if refiner.family != "sdxl_refiner":
        raise InvalidField("refiner.model", f"{refiner.name} is no refiner of Stable Diffusion XL")
    if refiner.latents != spec.latents:
        raise InvalidField("refiner.model", f"the latents of {refiner.name} are not those of {spec.name}")
    if refiner.prediction_type != spec.prediction_type:
        raise InvalidField("refiner.model", f"{refiner.name} does not predict what {spec.name} does")
    check_limits("refiner.model", course.size, refiner)
    if clip_skip > refiner.max_clip_skip:
        raise InvalidField("clip_skip", f"must be from 0 to {refiner.max_clip_skip} for {refiner.name}")
