"""A picture looked at from all sides: its file, its credential, its watermark, its receipt."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.cli.console import printable
from darkroom.cli.tables import bytes_words
from darkroom.cli.verify import Witness, standing_of
from darkroom.contract.document import Generation
from darkroom.contract.verdict import Verdict
from darkroom.provenance.credential import Credential, CredentialReader
from darkroom.provenance.development_pki import passing_identity
from darkroom.provenance.pictures import media_type, size
from darkroom.provenance.trust import Trust
from darkroom.provenance.written import words_in

Line = tuple[str, str]
# Shown first, in this order and in these words; what a newer signer says besides follows.
_SAID: Mapping[str, str] = {"task": "{}", "model": "by {}", "seed": "seed {}", "steps": "{} steps"}
_SAID_TOO: Mapping[str, str] = {"guidance_scale": "guidance {}", "scheduler": "{}"}


@dataclass(frozen=True)
class Inspected:
    """`says` is what the file's credential says, which `verdict` judges; `generation` the record of its making, for
    whoever may see it while it is kept."""

    path: Path
    media_type: str
    size: tuple[int, int]
    bytes: int
    sha256: str
    text: str
    says: Credential | None
    verdict: Verdict
    generation: Generation | None

    @property
    def lines(self) -> Iterator[Line]:
        """(label, value), a label only where another kind of thing begins."""
        kind = self.media_type.removeprefix("image/").upper()
        yield "file", f"{kind}, {self.size[0]}x{self.size[1]}, {bytes_words(self.bytes)}"
        yield "sha256", self.sha256
        yield "verdict", self.verdict.state
        yield "", self.verdict.text
        for note in self.verdict.notes:
            yield "", note
        yield from self._credential()
        yield "watermark", self.verdict.watermark_id or "none that is read here"
        yield from self._receipt()
        if self.text:
            yield "text", printable(self.text)

    def _credential(self) -> Iterator[Line]:
        if self.says is None:
            yield "credential", "none in the file"
        elif self.says.manifest_id is None:
            yield "credential", "damaged, it cannot be read"
        else:
            yield "credential", self.says.manifest_id
            signer = self.verdict.signer
            yield "", f"signed by {self.says.signer or 'nobody named'}" + (f", {standing_of(signer)}" if signer else "")
            if signer and signer.signed_at:
                yield "", f"signed at {signer.signed_at.isoformat()}"
            yield from (("", f"says: {words}") for words in _said(self.says.generation))
        if self.verdict.manifest_id and (self.says is None or self.says.manifest_id != self.verdict.manifest_id):
            yield "leads to", self.verdict.manifest_id
        if self.verdict.derived_from:
            yield "made from", self.verdict.derived_from

    def _receipt(self) -> Iterator[Line]:
        owner, made = self.verdict.owner, self.generation
        if owner is None:
            yield "receipt", "none: it is told to whoever made the picture"
            return
        yield "receipt", f"generation {owner.job_id}, picture {owner.index}"
        if owner.parents:
            yield "", f"made from {' '.join(owner.parents)}"
        if made is None:
            yield "", "its record is not here: a gateway has it, for as long as results are kept"
            return
        yield from (("", words) for words in _made(made, owner.index))

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "picture": str(self.path),
            "file": {
                "media_type": self.media_type,
                "width": self.size[0],
                "height": self.size[1],
                "bytes": self.bytes,
                "sha256": self.sha256,
                "text": self.text or None,
            },
            "verdict": self.verdict.model_dump(mode="json"),
            "credential": _credential_json(self.says),
            "generation": self.generation.model_dump(mode="json") if self.generation else None,
        }


def inspected(path: Path, witness: Witness) -> Inspected:
    """Raises: OSError; BadPicture; as `Witness.asked`."""
    data = path.read_bytes()
    kind = media_type(data)
    verdict = witness.asked(str(path))
    return Inspected(
        path=path,
        media_type=kind,
        size=size(data),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        text=words_in(data).infotext,
        # By the root of nobody: what it says is shown, whether it holds is the verdict's to say.
        says=CredentialReader(Trust.of(passing_identity().anchor_pem)).read(data, kind),
        verdict=verdict,
        generation=witness.generation(verdict.owner.job_id) if verdict.owner else None,
    )


def _said(generation: Mapping[str, Any]) -> Iterator[str]:
    """Chosen by whoever signed: printed, never believed."""
    how = [words.format(generation[name]) for name, words in {**_SAID, **_SAID_TOO}.items() if name in generation]
    if {"width", "height"} <= set(generation):
        how.append(f"{generation['width']}x{generation['height']}")
    if how:
        yield printable(", ".join(how))
    if "created_at" in generation:
        yield printable(f"at {generation['created_at']}")
    versions = generation.get("versions")
    if isinstance(versions, Mapping):
        yield printable("with " + ", ".join(f"{name} {version}" for name, version in versions.items()))


def _made(generation: Generation, index: int) -> Iterator[str]:
    plan, receipt = generation.plan, generation.receipt
    seed = f"seed {plan.seeds[index]}, " if index < len(plan.seeds) else ""
    yield f"{plan.task} by {plan.model}, {seed}{plan.steps} steps, guidance {plan.guidance_scale:g}, {plan.scheduler}"
    yield printable(f"prompt: {plan.prompt}")
    if plan.negative_prompt:
        yield printable(f"not: {plan.negative_prompt}")
    for lora in plan.loras:
        yield printable(f"LoRA {lora.model} at {lora.weight:g}, sha256 {lora.sha256}")
    for path, sha256 in plan.weights.items():
        yield f"weights {path}, sha256 {sha256}"
    if receipt:
        yield f"{receipt.device_seconds:.2f} s on {receipt.device}"
    for warning in generation.warnings:
        yield printable(f"warning: {warning.field}: {warning.reason}")


def _credential_json(says: Credential | None) -> dict[str, Any] | None:
    if says is None:
        return None
    return {
        "manifest_id": says.manifest_id,
        "signer": says.signer,
        "generation": says.generation,
        "ancestors": sorted(says.ancestors),
    }
