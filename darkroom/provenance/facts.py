"""What is known of a picture before it is stamped, and what there is afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from darkroom.contract.plan import GenerationPlan
from darkroom.provenance.ancestry import Input
from darkroom.provenance.records import Record


@dataclass(frozen=True)
class Facts:
    """How one picture came to be. `created_at` is in Unix seconds; `versions` are those of the libraries.

    `size` is (width, height) of the picture, which a canvas may have made another than planned; stamping fills it in.
    """

    job_id: str
    index: int
    tenant: str
    plan: GenerationPlan
    seed: int
    created_at: float
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    size: tuple[int, int] | None = None

    @property
    def title(self) -> str:
        """The picture's name among all of this installation."""
        return f"{self.job_id}-{self.index}"


@dataclass(frozen=True)
class Stamped:
    """A file that was read back, mark and credential, from these very bytes.

    `watermark_id` is 12 hex digits, empty when watermarking is off. `manifest` is the manifest store alone; empty for
    an adopted picture, whose manifest was kept by the attempt that made it. `quality` is that of a JPEG or WebP.
    `timestamped`: the time of signing is attested in it; None where no timestamp authority is asked.
    """

    data: bytes
    media_type: str
    sha256: str
    width: int
    height: int
    watermark_id: str
    manifest_id: str
    manifest: bytes
    record: Record
    quality: int | None = None
    timestamped: bool | None = None
