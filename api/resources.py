"""From what the service knows of models and pictures to what callers see of them: `darkroom.contract.listing`."""

from darkroom.catalog import unavailable
from darkroom.contract.listing import Asset, Lora, Model, Unavailable
from darkroom.contract.lora import LoraSpec
from darkroom.contract.model import ModelSpec
from darkroom.contract.start import PictureRef


def asset_of(ref: PictureRef) -> Asset:
    return Asset(id=ref.sha256, **ref.model_dump())


def model_of(spec: ModelSpec) -> Model:
    return Model.model_validate(spec, from_attributes=True)


def lora_of(spec: LoraSpec) -> Lora:
    return Lora.model_validate(spec, from_attributes=True)


def unavailable_of(entry: unavailable.Unavailable) -> Unavailable:
    return Unavailable(name=entry.name, code=entry.error.code, reason=entry.error.detail)
