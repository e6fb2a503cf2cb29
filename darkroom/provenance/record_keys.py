"""Where records lie in the store. What is there already lies so for ever."""

from datetime import UTC, datetime
from typing import Final

MANIFEST_PREFIX: Final = "urn:c2pa:"
EXPIRING: Final = "provenance/expiring"


def mark_key(watermark_id: str) -> str:
    return f"provenance/marks/{watermark_id}.json"


def manifest_key(manifest_id: str) -> str:
    """With the prefix of its label or without."""
    return f"provenance/manifests/{manifest_id.removeprefix(MANIFEST_PREFIX)}.c2pa"


def expiring_key(watermark_id: str, manifest_id: str, created_at: float) -> str:
    """The note by which a record made at this time, in Unix seconds, is found when it is due. Days are those of UTC."""
    day = datetime.fromtimestamp(created_at, UTC).date().isoformat()
    return f"{EXPIRING}/{day}/{watermark_id}.{manifest_id.removeprefix(MANIFEST_PREFIX)}"
