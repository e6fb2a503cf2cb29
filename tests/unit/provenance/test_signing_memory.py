"""What signing and reading cost a process that does it for weeks."""

import gc
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from darkroom.provenance import SigningIdentity, Trust, TssWatermarker
from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner
from darkroom.provenance.watermark import mark_value
from tests.unit.provenance.keyholders.holders import Held, held_by, key_of
from tests.unit.provenance.making import MARK_ID, clouds, encoded, facts, shapes

WARM_UP, ROUNDS = 300, 2000
MOST_GROWTH = 4 << 20  # bytes; a leak of the signed file alone is five times that or more


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth_of(call: Callable[[], object]) -> int:
    """Bytes by which the process is larger after `ROUNDS` calls than after the first ones."""
    for _ in range(WARM_UP):
        call()
    before = resident()
    for _ in range(ROUNDS):
        call()
    return resident() - before


def definition() -> dict[str, object]:
    return manifest(facts(), TssWatermarker.alg, mark_value(MARK_ID))


@pytest.mark.slow
def test_two_thousand_signings_and_readings_leave_no_memory_behind(identity: SigningIdentity) -> None:
    signer, reader = CredentialSigner(identity), CredentialReader(Trust.of(identity.anchor_pem))
    picture, told = encoded(clouds(256, 256), "JPEG"), definition()
    signed = signer.sign(picture, "image/jpeg", told).data
    assert len(signed) * ROUNDS > 5 * MOST_GROWTH
    assert growth_of(lambda: signer.sign(picture, "image/jpeg", told)) < MOST_GROWTH
    assert growth_of(lambda: reader.read(signed, "image/jpeg")) < MOST_GROWTH


@pytest.mark.slow
def test_two_thousand_signatures_from_elsewhere_leave_no_memory_behind() -> None:
    key = key_of("es256")
    signer = CredentialSigner(held_by(Held(key, "es256"), key, "es256"))
    picture, told = encoded(clouds(256, 256), "JPEG"), definition()
    assert growth_of(lambda: signer.sign(picture, "image/jpeg", told)) < MOST_GROWTH


@pytest.mark.slow
def test_threads_that_share_a_signer_leave_no_memory_behind(identity: SigningIdentity) -> None:
    signer, picture, told = CredentialSigner(identity), encoded(clouds(256, 256), "JPEG"), definition()
    with ThreadPoolExecutor(4) as pool:

        def many(rounds: int) -> int:
            made = pool.map(lambda _: signer.sign(picture, "image/jpeg", told).data, range(rounds))
            assert all(data[:2] == b"\xff\xd8" for data in made)
            return resident()

        before = many(WARM_UP)
        assert many(ROUNDS) - before < MOST_GROWTH


def test_a_child_that_was_forked_after_signing_signs_too(identity: SigningIdentity) -> None:
    signer, picture, told = CredentialSigner(identity), encoded(shapes(64, 64)), definition()
    signer.sign(picture, "image/png", told)
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: theirs.send_bytes(signer.sign(picture, "image/png", told).data))
    child.start()
    try:
        assert ours.poll(20)
        credential = CredentialReader(Trust.of(identity.anchor_pem)).read(ours.recv_bytes(), "image/png")
        assert credential is not None
        assert credential.holds
    finally:
        child.join(20)
