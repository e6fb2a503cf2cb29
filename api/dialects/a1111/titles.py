"""Names of files as A1111 shows them: `name.safetensors [hash]`. Callers may say any part of that.

Where a file lies on a machine of ours is nobody's business, so what A1111 gives as a path is the name here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from darkroom.catalog import Catalog
from darkroom.catalog.listed import Named
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.contract.model import ModelSpec
from darkroom.contract.vae import VaeSpec
from darkroom.errors import UnknownControlnet, UnknownModel, UnknownVae
from darkroom.infotext.hashes import CHECKPOINT_HASH, CONTROLNET_HASH, weights_sha256

SUFFIX = ".safetensors"
_HASH = re.compile(r" \[[0-9a-f]+\]$")

# By which A1111 says that the checkpoint's own VAE is meant. Its "None" is the same, but for files beside checkpoints.
OWN_VAE = ("automatic", "none", "")

S = TypeVar("S", bound=Named)


def checkpoint_title(spec: ModelSpec) -> str:
    return f"{spec.name}{SUFFIX} [{weights_sha256(spec.weights)[:CHECKPOINT_HASH]}]"


def controlnet_title(spec: ControlnetSpec) -> str:
    return f"{spec.name} [{spec.sha256[:CONTROLNET_HASH]}]"


def checkpoint_of(catalog: Catalog, said: str, field: str) -> ModelSpec:
    """The checkpoint of this title, name, file name or hash. `field`: where in the request it stands.

    Raises: UnknownModel, which lists the titles; its own ModelError for one that is broken.
    """
    digests = {spec.name: weights_sha256(spec.weights) for spec in catalog.specs()}
    if found := _said(catalog.specs(), said, digests, CHECKPOINT_HASH):
        return found
    if broken := next((entry for entry in catalog.unavailable() if entry.name == _bare(said)), None):
        return catalog.spec(broken.name, field)
    titles = ", ".join(checkpoint_title(spec) for spec in catalog.specs())
    raise UnknownModel(field, f"no such checkpoint; known: {titles}")


def controlnet_of(catalog: Catalog, said: str, field: str) -> ControlnetSpec:
    """The ControlNet of this title, name or hash. Raises: UnknownControlnet, which lists the titles."""
    specs = catalog.controlnets.specs()
    if found := _said(specs, said, {spec.name: spec.sha256 for spec in specs}, CONTROLNET_HASH):
        return found
    titles = ", ".join(map(controlnet_title, specs)) or "none"
    raise UnknownControlnet(field, f"no such ControlNet; known: {titles}")


def vae_of(catalog: Catalog, said: str, field: str) -> VaeSpec | None:
    """The VAE of this name or file name; None where the checkpoint's own is meant. Raises: UnknownVae."""
    if said.strip().lower() in OWN_VAE:
        return None
    specs = catalog.vaes.specs()
    if found := _said(specs, said, {spec.name: spec.sha256 for spec in specs}, CHECKPOINT_HASH):
        return found
    raise UnknownVae(field, f"no such VAE; known: Automatic, {', '.join(spec.name for spec in specs) or 'no other'}")


def _said(specs: Iterable[S], said: str, digests: Mapping[str, str], least: int) -> S | None:
    """By name first: a name may look like a hash."""
    known, bare = list(specs), _bare(said)
    named = next((spec for spec in known if spec.name == bare), None)
    if named or len(bare) < least:
        return named
    return next((spec for spec in known if digests[spec.name].startswith(bare)), None)


def _bare(said: str) -> str:
    """Without hash and suffix, and in lower case, as all names are here."""
    return _HASH.sub("", said.strip().lower()).removesuffix(SUFFIX)
