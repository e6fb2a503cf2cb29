"""What becomes of a picture whose time of signing is to be attested."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import encypher_c2pa
import httpx
import pytest

from darkroom.errors import ConfigurationError, SigningUnavailable, TimestampUnavailable, UnsignedOutput
from darkroom.provenance import SigningIdentity, Trust, TssWatermarker
from darkroom.provenance.credential import Credential, CredentialReader
from darkroom.provenance.manifest import manifest
from darkroom.provenance.timestamping import Circuit, TimestampAuthority, Timestamping
from tests.servers.posts import served
from tests.servers.timestamping import Authority
from tests.unit.provenance.certificates import Authority as Issuer
from tests.unit.provenance.keyholders.holders import KEYS, Held, held_by, key_of
from tests.unit.provenance.making import encoded, facts, shapes
from tests.unit.provenance.timestamping import DEFINITION, FAULTS, honest, nowhere, sign, signer_by, signing


def read(data: bytes, identity: SigningIdentity, roots: str = "") -> Credential:
    credential = CredentialReader(Trust(identity.anchor_pem, roots)).read(data, "image/png")
    assert credential is not None
    return credential


@pytest.mark.parametrize("required", [True, False])
def test_a_picture_bears_the_time_that_the_authority_says(identity: SigningIdentity, required: bool) -> None:
    with signing(identity, honest(), required=required) as (signer, asked):
        credential = read(sign(signer).data, identity)
    assert credential.standing == "Trusted"
    assert credential.timestamp is not None
    assert abs(credential.timestamp.timestamp() - time.time()) < 60
    assert [each["content-type"] for each in asked.headers] == ["application/timestamp-query"]


@pytest.mark.slow
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("algorithm", KEYS)
def test_both_readers_trust_signatures_and_times_by_every_kind_of_key(
    algorithm: str, held: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the reader keeps its telemetry's switch
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    key, authority = key_of(algorithm), Authority()
    identity = held_by(Held(key, algorithm), key, algorithm)
    if not held:
        made = Issuer().signer(key=key)
        identity = SigningIdentity.from_pem(made.chain_pem, made.key_pem)
    with signing(identity, lambda query: (200, authority.answer(query)), roots_pem=authority.anchor_pem) as (signer, _):
        data = sign(signer).data
    credential = read(data, identity, authority.anchor_pem)
    assert (credential.standing, credential.attested) == ("Trusted", True)
    roots = {"trust_pem": identity.anchor_pem, "tsa_trust_pem": authority.anchor_pem, "no_default_trust": True}
    said = encypher_c2pa.verify(data, "image/png", telemetry=False, online=False, **roots)
    assert said["validation_state"] == "Trusted"
    assert {"timeStamp.validated", "timeStamp.trusted"} <= codes(said)


def codes(report: object) -> set[str]:
    """Every status code anywhere in a report."""
    if isinstance(report, dict):
        own = {report["code"]} if isinstance(report.get("code"), str) else set()
        return own.union(*map(codes, report.values()))
    return set().union(*map(codes, report)) if isinstance(report, list) else set()


@pytest.mark.parametrize("fault", FAULTS)
def test_without_an_answer_to_rely_on_a_picture_goes_without_where_that_is_allowed(
    identity: SigningIdentity, fault: str
) -> None:
    with signing(identity, FAULTS[fault]) as (signer, asked):
        first, second = sign(signer), sign(signer)
    assert [read(each.data, identity).timestamp for each in (first, second)] == [None, None]
    assert read(first.data, identity).standing == "Trusted"
    assert len(asked.asked) == 1  # the second picture did not wait for it again


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_without_an_answer_to_rely_on_nothing_is_signed_where_one_is_required(
    identity: SigningIdentity, fault: str
) -> None:
    with signing(identity, FAULTS[fault], required=True) as (signer, asked):
        for _ in range(2):
            with pytest.raises(TimestampUnavailable) as raised:
                sign(signer)
    assert raised.value.retryable
    assert len(asked.asked) == 2  # each try asks again: it may be back


def test_an_authority_that_is_not_trusted_counts_as_none(identity: SigningIdentity) -> None:
    with (
        signing(identity, honest(), required=True, roots_pem=Authority().anchor_pem) as (signer, _),
        pytest.raises(TimestampUnavailable, match="not trusted here"),
    ):
        sign(signer)


@pytest.mark.parametrize("required", [True, False])
def test_an_authority_that_is_not_there_is_given_up_at_once(identity: SigningIdentity, required: bool) -> None:
    signer = signer_by(identity, TimestampAuthority(nowhere(), required=required))
    try:
        if required:
            with pytest.raises(TimestampUnavailable, match="no connection"):
                sign(signer)
        else:
            assert read(sign(signer).data, identity).timestamp is None
    finally:
        signer.close()


def test_an_authority_that_says_nothing_holds_up_pictures_once_and_for_no_longer_than_set(
    identity: SigningIdentity,
) -> None:
    with signing(identity, honest(), hold=Event(), seconds=0.3) as (signer, asked):
        began = time.monotonic()
        sign(signer)
        assert 0.3 <= time.monotonic() - began < 10
        for _ in range(5):
            sign(signer)
    assert len(asked.asked) == 1


def test_a_required_authority_is_tried_at_start_and_no_other(identity: SigningIdentity) -> None:
    with signing(identity, FAULTS["rejects"], required=True) as (signer, asked):
        with pytest.raises(TimestampUnavailable):
            signer.check()
        assert len(asked.asked) == 1
    with signing(identity, FAULTS["rejects"]) as (signer, asked):
        signer.check()
    assert asked.asked == []


def test_threads_that_come_at_once_leave_one_way_to_the_authority(identity: SigningIdentity) -> None:
    def ways() -> int:
        return sum(thread.name == "timestamps" for thread in threading.enumerate())

    before, all_there = ways(), threading.Barrier(4)
    with signing(identity, honest()) as (signer, _):

        def at_once(_: int) -> object:
            all_there.wait(10)
            return sign(signer)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(at_once, range(4)))
        assert ways() == before + 1
    assert ways() == before


def test_a_key_holder_that_fails_is_not_laid_at_the_authoritys_door() -> None:
    key = key_of("es256")
    identity = held_by(Held(key, "es256", mood=lambda _: b""), key, "es256")
    with signing(identity, honest()) as (signer, asked), pytest.raises(SigningUnavailable) as raised:
        sign(signer)
    assert not isinstance(raised.value, TimestampUnavailable)
    assert asked.asked == []


def test_nor_is_what_is_wrong_with_the_picture(identity: SigningIdentity) -> None:
    with signing(identity, honest(), required=True) as (signer, asked), pytest.raises(UnsignedOutput):
        signer.sign(b"no picture", "image/png", DEFINITION)
    assert asked.asked == []


@pytest.mark.parametrize("required", [True, False])
def test_a_manifest_that_is_refused_after_the_authority_has_answered_is_not_its_fault_either(
    identity: SigningIdentity, required: bool
) -> None:
    wrong = manifest(facts(), TssWatermarker.alg, "no such value")
    wrong["assertions"][-1]["data"]["blocks"] = 7
    with signing(identity, honest(), required=required) as (signer, asked):
        with pytest.raises(UnsignedOutput):
            signer.sign(encoded(shapes(64, 64)), "image/png", wrong)
        assert len(asked.asked) == 1
        assert read(sign(signer).data, identity).timestamp is not None


def test_pictures_are_stamped_side_by_side(identity: SigningIdentity) -> None:
    authority, all_there = Authority(), threading.Barrier(4)

    def together(query: bytes) -> tuple[int, bytes]:
        all_there.wait(20)
        return 200, authority.answer(query)

    with signing(identity, together, seconds=25.0) as (signer, _), ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: sign(signer).data, range(4)))
    stamps = {each[each.index(b"jumb") :] for each in made}
    assert len(stamps) == 4
    assert all(read(each, identity).timestamp for each in made)


def test_nobody_else_on_this_machine_asks_the_authority_through_us() -> None:
    with served(honest()) as asked:
        way = Timestamping(TimestampAuthority(asked.url))
        try:
            url = f"http://127.0.0.1:{way._server.server_port}"
            for path in ("/", "/guess", "/" + "a" * 22):
                assert httpx.post(url + path, content=b"query", trust_env=False).status_code == 502
        finally:
            way.close()
    assert asked.asked == []


@pytest.mark.parametrize("length", ["-1", "much", "", "9" * 5000])
def test_what_others_on_this_machine_send_is_not_read_without_end(
    length: str, capfd: pytest.CaptureFixture[str]
) -> None:
    way = Timestamping(TimestampAuthority("http://timestamp.example/"))
    try:
        with socket.create_connection(("127.0.0.1", way._server.server_port), timeout=20) as line:
            line.sendall(f"POST /guess HTTP/1.0\r\nContent-Length: {length}\r\n\r\n".encode() + bytes(1 << 17))
            with suppress(OSError):
                assert b" 502 " in line.recv(4096)
    finally:
        way.close()
    assert "Traceback" not in capfd.readouterr().err


def test_a_proxy_that_would_get_between_us_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    authority = TimestampAuthority("http://timestamp.example/")
    authority.check()
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.internal:3128")
    with pytest.raises(ConfigurationError, match="NO_PROXY"):
        authority.check()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    authority.check()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_after_a_failure_nobody_asks_for_a_while_and_then_one_at_a_time() -> None:
    clock = Clock()
    circuit = Circuit(60.0, clock)
    assert circuit.enter()
    assert circuit.enter()
    circuit.leave(well=False)
    circuit.leave(well=None)
    assert not circuit.enter()
    clock.now = 60.0
    assert circuit.enter()
    assert not circuit.enter()
    circuit.leave(well=False)
    clock.now = 119.0
    assert not circuit.enter()
    clock.now = 120.0
    assert circuit.enter()
    circuit.leave(well=None)  # one who left without asking leaves the try to the next
    assert circuit.enter()
    circuit.leave(well=True)
    assert circuit.enter()
    assert circuit.enter()
