"""What verify makes of times of signing."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest

from darkroom.provenance import SigningIdentity, State, Trust
from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.inspection.messages import Brief
from darkroom.provenance.stamper import Stamper
from darkroom.provenance.timestamping import TimestampAuthority
from darkroom.provenance.tss.ring import KeyRing
from darkroom.provenance.verifier import Verifier
from tests.servers.posts import served
from tests.servers.timestamping import Authority
from tests.unit.provenance.certificates import Authority as Issuer
from tests.unit.provenance.certificates import in_time
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, shapes, watermarker


class TimedHouse(House):
    """A house whose pictures are stamped by this authority, if any; its verifier believes the times of `believed`."""

    def __init__(self, identity: SigningIdentity, url: str, believed: str = "") -> None:
        super().__init__(identity)
        authority = TimestampAuthority(url, seconds=20.0) if url else None
        self.stamper = Stamper(watermarker(), identity, self.records, authority=authority)
        trust = Trust(identity.anchor_pem, believed)
        self.verifier = Verifier(InspectorHere(watermarker(), trust), self.records)


@dataclass(frozen=True)
class Aged:
    """Pictures whose certificate has expired since, of which no record is left."""

    times: Authority
    identity: SigningIdentity
    by_trusted: bytes
    by_other: bytes
    by_nobody: bytes
    by_signer_of_authority: bytes

    def house(self, believed: str = "") -> House:
        return TimedHouse(self.identity, "", believed)


def insider(times: Authority, lives: timedelta) -> SigningIdentity:
    """A signer whose certificate is of the authority's own root."""
    issuer = Issuer.__new__(Issuer)
    issuer.name, issuer.key, issuer.root = "Some Time Root", times.root_key, times.root
    issuer.organization = "An Authority of Time"
    return issuer.signer("Insider", lives=lives)


@pytest.fixture(scope="module")
def aged() -> Aged:
    times, others, issuer = Authority(), Authority(), Issuer()
    authorities = {"by_trusted": times, "by_other": others, "by_nobody": None, "by_signer_of_authority": times}
    signers: dict[str, SigningIdentity] = {}

    def made(name: str, lives: timedelta) -> bytes:
        inside = name == "by_signer_of_authority"
        signers[name] = insider(times, lives) if inside else issuer.signer("Short-lived", lives=lives)
        return asyncio.run(stamped_by(signers[name], authorities[name]))

    pictures = {name: in_time(partial(made, name)) for name in authorities}
    time.sleep(max(0.0, max(each.expires_at for each in signers.values()).timestamp() + 1.5 - time.time()))
    return Aged(times, signers["by_trusted"], **pictures)


async def stamped_by(identity: SigningIdentity, authority: Authority | None) -> bytes:
    """A picture of this signer's, its time attested by this authority, if any."""
    with served(lambda query: (200, authority.answer(query) if authority else b"")) as asked:
        house = TimedHouse(identity, asked.url if authority else "")
        try:
            return (await house.issue(shapes(64, 64))).data
        finally:
            await house.stamper.close()


@pytest.mark.slow
async def test_a_certificate_that_has_expired_since_was_valid_at_the_time_that_is_attested(aged: Aged) -> None:
    verdict = await aged.house(aged.times.anchor_pem).verify(aged.by_trusted)
    assert verdict.state is State.INTACT
    assert verdict.signer is not None
    assert verdict.signer.trusted
    assert verdict.signer.signed_at is not None
    assert verdict.signer.signed_at < aged.identity.expires_at
    assert verdict.generation is not None


@pytest.mark.slow
@pytest.mark.parametrize("picture", ["by_other", "by_nobody"])
async def test_a_time_that_nobody_trusted_attests_saves_no_certificate(aged: Aged, picture: str) -> None:
    verdict = await aged.house(aged.times.anchor_pem).verify(getattr(aged, picture))
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.signer is not None
    assert (verdict.signer.trusted, verdict.signer.signed_at) == (False, None)


@pytest.mark.slow
async def test_without_roots_of_authorities_no_time_is_believed(aged: Aged) -> None:
    verdict = await aged.house().verify(aged.by_trusted)
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.signer is not None
    assert verdict.signer.signed_at is None


@pytest.mark.slow
async def test_what_was_changed_is_not_saved_by_the_time(aged: Aged) -> None:
    verdict = await aged.house(aged.times.anchor_pem).verify(aged.by_trusted + b"\0")
    assert verdict.state is State.MODIFIED
    assert verdict.signer is None or not verdict.signer.trusted


@pytest.mark.slow
async def test_who_may_attest_times_may_not_sign_pictures(aged: Aged) -> None:
    """c2pa-rs 0.91 takes every root for a signer's."""
    house = aged.house(aged.times.anchor_pem)
    verdict = await house.verify(aged.by_signer_of_authority)
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.generation is None
    fresh = TimedHouse(insider(aged.times, timedelta(days=1)), "")
    assert (await house.verify((await fresh.issue(shapes(64, 64))).data)).state is State.INTACT_UNTRUSTED_SIGNER


@pytest.mark.slow
async def test_a_time_is_told_of_a_certificate_that_is_still_valid(identity: SigningIdentity) -> None:
    times = Authority()
    with served(lambda query: (200, times.answer(query))) as asked:
        house = TimedHouse(identity, asked.url, times.anchor_pem)
        stamped = await house.issue(shapes(64, 64))
        again = await house.issue(shapes(64, 64))
        await house.stamper.close()
    assert (stamped.timestamped, again.timestamped) == (True, True)
    verdict = await house.verify(stamped.data)
    assert verdict.state is State.INTACT
    assert verdict.signer is not None
    assert verdict.signer.signed_at is not None
    assert abs(verdict.signer.signed_at.timestamp() - time.time()) < 60
    credential = CredentialReader(Trust(identity.anchor_pem)).read(stamped.data, "image/png")
    assert credential is not None
    assert replace(credential, attested=True).signed_at == verdict.signer.signed_at
    assert credential.signed_at is None


async def test_a_picture_that_went_without_says_so_and_one_that_never_was_to_have_it_does_not(
    identity: SigningIdentity,
) -> None:
    with served(lambda _: (503, b"")) as asked:
        house = TimedHouse(identity, asked.url)
        assert (await house.issue(shapes(64, 64))).timestamped is False
        await house.stamper.close()
    assert (await House(identity).issue(shapes(64, 64))).timestamped is None


def test_a_signer_that_is_vouched_for_by_its_own_authority_of_time_is_no_stranger() -> None:
    shared = Authority().anchor_pem
    assert Trust(shared, shared).of_authorities is None
    assert Trust("", shared).of_authorities == Trust(shared, shared)


def test_the_inspectors_process_believes_the_same_times() -> None:
    trust = Trust("a root\n", "an authority\n")
    told = Brief.model_validate_json(Brief.of(KeyRing.of(SECRET), trust).model_dump_json())
    assert told.trust == trust
