"""What an inspection could not see, so that nobody takes its silence for an answer."""

from typing import Final

from darkroom.provenance.inspection.evidence import Evidence
from darkroom.provenance.verdict import DERIVED, NO_PIXELS, NO_READER, NOT_FETCHED, TOO_SMALL
from darkroom.provenance.watermark import UNMARKED

READABLE_SIDE: Final = 64  # pixels; below, marks were read now and then


def notes_on(evidence: Evidence, *, derived: bool) -> tuple[str, ...]:
    """Sentences, the most general first; none where everything was looked at."""
    notes = () if evidence.mark else _why_no_mark(evidence)
    if evidence.points_elsewhere:
        notes += (NOT_FETCHED,)
    return (*notes, DERIVED) if derived else notes


def _why_no_mark(evidence: Evidence) -> tuple[str, ...]:
    if evidence.alg == UNMARKED:
        return (NO_READER,)
    if evidence.decoded is None:
        return (NO_PIXELS,)
    return (TOO_SMALL,) if min(evidence.decoded) < READABLE_SIDE else ()
