"""Where inputs are kept: each tenant's own, by content."""

import hashlib
from typing import Final

from darkroom.contract.start import PictureRef
from darkroom.errors import NotStored
from darkroom.inputs.normal import MEDIA_TYPE, Kept
from darkroom.storage.protocol import ObjectStore

ANY: Final = "application/octet-stream"


def input_key(tenant: str, sha256: str) -> str:
    """The store's key of an input."""
    return f"{tenant_folder(tenant)}/{sha256}.png"


def tenant_folder(tenant: str) -> str:
    """Where all of a tenant's inputs lie. The tenant is hashed: its name may hold anything, and a key may not."""
    return f"inputs/{hashlib.sha256(tenant.encode()).hexdigest()[:32]}"


async def keep(store: ObjectStore, tenant: str, picture: Kept) -> PictureRef:
    """Store a picture, once however often it comes: over what lies there, so that sending it again repairs it.

    Files with equal pixels are one input. The last of them that bears a credential is kept as its original.

    Raises: StoreUnavailable, StoreError.
    """
    if picture.original:
        await store.put(_original_key(tenant, picture.ref.sha256), picture.original, media_type=ANY)
    await store.put(input_key(tenant, picture.ref.sha256), picture.png, media_type=MEDIA_TYPE)
    return picture.ref


async def fetch(store: ObjectStore, tenant: str, sha256: str) -> bytes:
    """The PNG of an input. Raises: NotStored, also when the bytes are not what they were; StoreUnavailable."""
    png = await store.get(input_key(tenant, sha256))
    if hashlib.sha256(png).hexdigest() != sha256:
        raise NotStored("the stored picture is not the one that was sent")
    return png


async def fetch_original(store: ObjectStore, tenant: str, sha256: str) -> bytes | None:
    """The file that an input was sent as, if it bore a credential. Raises: StoreUnavailable."""
    try:
        return await store.get(_original_key(tenant, sha256))
    except NotStored:
        return None


def _original_key(tenant: str, sha256: str) -> str:
    return f"{tenant_folder(tenant)}/originals/{sha256}"
