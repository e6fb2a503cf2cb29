"""Preview frames: the latest of each image of a running job. The twin of `show_preview.lua`."""

from darkroom.contract.generation import MOST_IMAGES

# A sketch of 512 x 512 takes about a third of it.
MOST_PREVIEW_BYTES = 64 * 1024


def check_preview(index: int, frame: bytes) -> None:
    """Raises: ValueError for what no ledger keeps."""
    if not 0 <= index < MOST_IMAGES:
        raise ValueError(f"no job has an image {index}")
    if len(frame) > MOST_PREVIEW_BYTES:
        raise ValueError(f"a preview frame has at most {MOST_PREVIEW_BYTES} bytes")


class Previews:
    """Those of all jobs, in memory. A new frame of one image keeps the job's others as long as itself."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._frames: dict[str, dict[int, bytes]] = {}
        self._until_ms: dict[str, int] = {}

    def show(self, job_id: str, index: int, frame: bytes, now_ms: int) -> None:
        self._end_old(job_id, now_ms)
        self._frames.setdefault(job_id, {})[index] = frame
        self._until_ms[job_id] = now_ms + self._ttl_ms

    def latest(self, job_id: str, index: int, now_ms: int) -> bytes | None:
        self._end_old(job_id, now_ms)
        return self._frames.get(job_id, {}).get(index)

    def forget(self, job_id: str) -> None:
        self._frames.pop(job_id, None)
        self._until_ms.pop(job_id, None)

    def _end_old(self, job_id: str, now_ms: int) -> None:
        if self._until_ms.get(job_id, now_ms + 1) <= now_ms:
            self.forget(job_id)
