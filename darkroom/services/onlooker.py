"""A verifier for whoever only looks: it stands on the keys and records there are, and makes none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from darkroom.provenance.records import Records
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.verifier import Verifier
from darkroom.provenance.watermark import NoWatermarker
from darkroom.services.keys import PKI, given_identity, known_secret
from darkroom.settings import Settings
from darkroom.storage import MemoryStore, ObjectStore, open_store


@asynccontextmanager
async def onlooking_verifier(settings: Settings) -> AsyncIterator[Verifier]:
    """A verifier over what this machine has: without a secret it finds no mark, without records it recovers nothing.

    Raises: ConfigurationError.
    """
    store = _present_store(settings)
    try:
        yield Verifier(_watermarker(settings), _trust(settings), Records(store, b""))
    finally:
        await store.close()


def _present_store(settings: Settings) -> ObjectStore:
    """The store of the settings; an empty one in the place of a folder that is not there."""
    if settings.store == "folder" and not settings.folder_root.exists():
        return MemoryStore()
    return open_store(settings)


def _watermarker(settings: Settings) -> TssWatermarker | NoWatermarker:
    secret = known_secret(settings) if settings.watermark == "tss" else None
    return TssWatermarker(secret) if secret else NoWatermarker()


def _trust(settings: Settings) -> Trust:
    identity = given_identity(settings)
    own_root = settings.home_folder / PKI / "root.pem"
    anchors = [own_root] if identity is None and own_root.exists() else []
    anchors += [settings.trust_anchors] if settings.trust_anchors else []
    return Trust.of(*([identity] if identity else []), anchor_files=tuple(anchors))
