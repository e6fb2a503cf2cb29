"""Control maps that were made once: found again by the picture and by what made them."""

import hashlib
import json

from darkroom.contract.start import PictureRef
from darkroom.errors import NotStored
from darkroom.inputs.shelf import fetch, tenant_folder
from darkroom.storage.protocol import ObjectStore


def map_name(image: PictureRef, preprocessor: str, resolution: int, bar: str = "") -> str:
    """One name for all requests whose map is the same, hex. `bar`: what the picture must have passed before a map is
    made of it, so that none is found that was made without; nothing where it need not."""
    made_of = [image.sha256, preprocessor, resolution, *([bar] if bar else [])]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


async def remember(store: ObjectStore, tenant: str, name: str, ref: PictureRef) -> None:
    """Note that the map `name` is the kept picture `ref`. Raises: StoreUnavailable."""
    await store.put(_key(tenant, name), ref.model_dump_json().encode(), media_type="application/json")


async def recall(store: ObjectStore, tenant: str, name: str) -> PictureRef | None:
    """The map of this name, if it was made and still lies there, whole. Raises: StoreUnavailable."""
    try:
        ref = PictureRef.model_validate_json(await store.get(_key(tenant, name)))
        await fetch(store, tenant, ref.sha256)
    except (NotStored, ValueError):
        return None
    return ref


def _key(tenant: str, name: str) -> str:
    return f"{tenant_folder(tenant)}/maps/{name}.json"
