"""A verifier for whoever only looks: it stands on the keys and records there are, and makes none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from darkroom.provenance.identity import last_of_chain
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.records import Records
from darkroom.provenance.trust import Trust
from darkroom.provenance.verifier import Verifier
from darkroom.provenance.watermark import NoWatermarker, Watermarker
from darkroom.services.keys import PKI, key_ring, known_secret, open_watermarker, timestamp_files
from darkroom.settings import Settings
from darkroom.storage import MemoryStore, ObjectStore, open_store


@asynccontextmanager
async def onlooking_verifier(settings: Settings) -> AsyncIterator[Verifier]:
    """A verifier over what this machine has: without a secret it finds no mark, without records it recovers nothing.

    Raises: ConfigurationError.
    """
    store = present_store(settings)
    try:
        trust = _trust(settings)
        yield Verifier(InspectorHere(_watermarker(settings), trust), Records(store, b""))
    finally:
        await store.close()


def present_store(settings: Settings) -> ObjectStore:
    """The store of the settings; an empty one in the place of a folder that is not there."""
    if settings.store == "folder" and not settings.folder_root.exists():
        return MemoryStore()
    return open_store(settings)


def _watermarker(settings: Settings) -> Watermarker:
    secret = known_secret(settings) if settings.watermark != "none" else None
    return open_watermarker(settings, key_ring(settings, secret)) if secret else NoWatermarker()


def _trust(settings: Settings) -> Trust:
    chain, root = settings.signing_certificate, settings.home_folder / PKI / "root.pem"
    files = [root] if chain is None and root.exists() else []
    files += [settings.trust_anchors] if settings.trust_anchors else []
    return Trust.of(
        *([last_of_chain(chain)] if chain else []), anchor_files=tuple(files), timestamp_files=timestamp_files(settings)
    )
