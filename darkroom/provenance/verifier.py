"""From bytes to a verdict: the credential in the file, the mark in the pixels, the record the mark leads to."""

import io
from typing import IO, Final

from pydantic import ValidationError

from darkroom.contract.verdict import GenerationSeen, Means, OwnerSeen, SignerSeen, State, Verdict
from darkroom.provenance.credential import Credential, Standing
from darkroom.provenance.inspection.evidence import Evidence
from darkroom.provenance.inspection.inspector import Inspector
from darkroom.provenance.records import Records, watermark_id
from darkroom.provenance.recovery import Recoverer, Recovery
from darkroom.provenance.unseen import notes_on
from darkroom.provenance.verdict import DEVELOPMENT_WORDS, WORDS


class Verifier:
    """Judges what an inspector sees, by the roots that it trusts, against one collection of records."""

    def __init__(self, inspector: Inspector, records: Records) -> None:
        self._inspector = inspector
        self._recoverer = Recoverer(records, inspector)

    async def verify(self, data: bytes, caller: str | None = None) -> Verdict:
        """As `verify_file`, of bytes in memory."""
        return await self.verify_file(io.BytesIO(data), caller)

    async def verify_file(self, picture: IO[bytes], caller: str | None = None) -> Verdict:
        """`caller` is the tenant that asks: of its own pictures it is told more.

        Raises: BadPicture for what is no picture we read; CapacityError; StoreError and StoreUnavailable."""
        evidence = await self._inspector.inspect(picture)
        recovery = await self._recovery(evidence)
        verdict = _verdict(evidence, recovery, _state(evidence, recovery))
        return verdict.model_copy(update={"owner": _owner(recovery, caller)})

    async def _recovery(self, evidence: Evidence) -> Recovery | None:
        """The mark in the pixels counts for more than what the file says of itself."""
        if evidence.mark is not None:
            return await self._recoverer.recover(evidence)
        return await self._recoverer.by_credential(evidence)


def _state(evidence: Evidence, recovery: Recovery | None) -> State:
    credential, mark = evidence.credential, evidence.mark
    if credential and (credential.holds or credential.outlived):
        return _state_of_signed(credential, evidence, recovery)
    if recovery and recovery.genuine:
        if not recovery.alike:
            return State.MARK_MISMATCH
        return State.MODIFIED_RECOVERED if credential else State.RECOVERED
    if credential:
        return State.MODIFIED
    return State.UNKNOWN_ID if mark else State.NO_EVIDENCE


def _state_of_signed(credential: Credential, evidence: Evidence, recovery: Recovery | None) -> State:
    mark = evidence.mark
    if mark and (evidence.alg, mark.mark_id) not in credential.marks and not _derived(credential, recovery):
        return State.CONFLICT
    trusted = credential.standing is Standing.TRUSTED or _on_record(credential, recovery)
    return State.INTACT if trusted else State.INTACT_UNTRUSTED_SIGNER


def _derived(credential: Credential, recovery: Recovery | None) -> bool:
    """Somebody edited a picture of ours and says so: the old mark in its pixels contradicts nothing.

    That the manifest belongs to the mark is known from our own record, not from what the editor carried along.
    """
    if recovery is None or not recovery.genuine or not recovery.alike:
        return False
    return recovery.record.manifest_id in credential.ancestors


def _owner(recovery: Recovery | None, caller: str | None) -> OwnerSeen | None:
    if recovery is None or not recovery.genuine or caller is None or recovery.record.tenant != caller:
        return None
    record = recovery.record
    return OwnerSeen(job_id=record.job_id, index=record.index, parents=record.parents)


def _on_record(credential: Credential, recovery: Recovery | None) -> bool:
    """Our record of these very bytes does what a time stamp would: it outlives the certificate."""
    return credential.outlived and recovery is not None and recovery.genuine and recovery.same_bytes


def _verdict(evidence: Evidence, recovery: Recovery | None, state: State) -> Verdict:
    means: tuple[Means, ...] = ("credential",) if evidence.credential else ()
    if evidence.mark:
        means += ("watermark",)
    credential = recovery.credential if recovery and recovery.genuine and state not in _SIGNED else evidence.credential
    trusted = credential is not None and (credential.standing is Standing.TRUSTED or state in _VOUCHED_FOR)
    derived = state in _UNCHANGED and evidence.credential is not None and _derived(evidence.credential, recovery)
    return Verdict(
        derived_from=recovery.record.manifest_id if recovery and derived else None,
        notes=notes_on(evidence, derived=derived),
        state=state,
        text=_words(state, credential),
        means=means,
        manifest_id=credential.manifest_id if credential else None,
        watermark_id=watermark_id(evidence.mark.mark_id) if evidence.mark else None,
        signer=_signer(credential, trusted),
        generation=_generation(credential) if credential and trusted else None,
    )


def _words(state: State, credential: Credential | None) -> str:
    own = state is State.INTACT and credential is not None and credential.development
    return DEVELOPMENT_WORDS if own else WORDS[state]


_UNCHANGED: Final = (State.INTACT, State.INTACT_UNTRUSTED_SIGNER)
_SIGNED: Final = (*_UNCHANGED, State.CONFLICT)
_VOUCHED_FOR: Final = (State.INTACT, State.RECOVERED, State.MODIFIED_RECOVERED)


def _signer(credential: Credential | None, trusted: bool) -> SignerSeen | None:
    if credential is None or not credential.signer:
        return None
    return SignerSeen(
        common_name=credential.signer,
        trusted=trusted,
        development=credential.development,
        signed_at=credential.signed_at,
    )


def _generation(credential: Credential) -> GenerationSeen | None:
    said = {name: credential.generation.get(name) for name in GenerationSeen.model_fields}
    try:
        return GenerationSeen.model_validate(said)
    except ValidationError:
        return None
