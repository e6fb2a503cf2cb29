"""Every picture leaves watermarked and signed, and can be asked about later."""

from darkroom.contract.verdict import State, Verdict
from darkroom.provenance.development_pki import development_pki
from darkroom.provenance.facts import Facts, Stamped
from darkroom.provenance.identity import SigningIdentity
from darkroom.provenance.private_files import kept_secret
from darkroom.provenance.records import Record, Records
from darkroom.provenance.stamper import Stamper
from darkroom.provenance.trust import Trust
from darkroom.provenance.tss.watermarker import TssWatermarker
from darkroom.provenance.verifier import Verifier
from darkroom.provenance.watermark import Mark, NoWatermarker, Watermarker

__all__ = [
    "Facts",
    "Mark",
    "NoWatermarker",
    "Record",
    "Records",
    "SigningIdentity",
    "Stamped",
    "Stamper",
    "State",
    "Trust",
    "TssWatermarker",
    "Verdict",
    "Verifier",
    "Watermarker",
    "development_pki",
    "kept_secret",
]
