"""Several watermarks at once: the chosen one marks, and those of before are read as well."""

from dataclasses import dataclass, replace

from darkroom.provenance.trustmark.networks import NetworkFiles, Networks
from darkroom.provenance.trustmark.watermarker import TrustmarkWatermarker
from darkroom.provenance.tss.ring import KeyRing
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.watermark import RGB, UNMARKED, Embedded, Mark, Watermarker


@dataclass(frozen=True)
class InTurn:
    """Marks by the first; reads by each until one finds something, and tells which."""

    watermarkers: tuple[Watermarker, ...]

    @property
    def alg(self) -> str:
        return self.watermarkers[0].alg

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        return self.watermarkers[0].embed(rgb_HWC, mark_id)

    def value(self, mark_id: int) -> str:
        return self.watermarkers[0].value(mark_id)

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        for watermarker in self.watermarkers:
            if mark := watermarker.identify(rgb_HWC):
                return replace(mark, alg=watermarker.alg)
        return None


def watermarker_of(ring: KeyRing, files: NetworkFiles | None = None, *, networks_first: bool = False) -> Watermarker:
    """Our own watermark, and TrustMark's where there are files of it; `networks_first`: it marks.

    Raises: ConfigurationError for files that cannot be used.
    """
    own = TssWatermarker(ring)
    if files is None:
        return own
    trustmark = TrustmarkWatermarker(Networks(files), (ring.current.secret, *(old.secret for old in ring.older)))
    return InTurn((trustmark, own) if networks_first else (own, trustmark))


def algs_read_by(watermarker: Watermarker) -> tuple[str, ...]:
    """Names of all soft bindings that it may find."""
    if isinstance(watermarker, InTurn):
        return tuple(each.alg for each in watermarker.watermarkers)
    return () if watermarker.alg == UNMARKED else (watermarker.alg,)
