"""Pictures signed by a key that is in none of our processes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import encypher_c2pa
import pytest

from darkroom.contract.plan import MEDIA_TYPES, OutputFormat
from darkroom.errors import ConfigurationError, SigningUnavailable, UnsignedOutput
from darkroom.provenance import SigningIdentity, Trust, TssWatermarker
from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner, Signed
from darkroom.provenance.watermark import mark_value
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.keyholders.holders import KEYS, Held, held_by, key_of, unwrapped
from tests.unit.provenance.making import MARK_ID, encoded, facts, shapes

DEFINITION = manifest(facts(), TssWatermarker.alg, mark_value(MARK_ID))


def identity_of(algorithm: str = "es256", **held: object) -> SigningIdentity:
    key = key_of(algorithm)
    return held_by(Held(key, algorithm, **held), key, algorithm)  # type: ignore[arg-type]


def signed_by(identity: SigningIdentity, output_format: OutputFormat = "png") -> Signed:
    picture = encoded(shapes(64, 64), output_format)
    return CredentialSigner(identity).sign(picture, MEDIA_TYPES[output_format], DEFINITION)


def standing(data: bytes, media_type: str, identity: SigningIdentity) -> str:
    credential = CredentialReader(Trust.of(identity.anchor_pem)).read(data, media_type)
    return str(credential and credential.standing)


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_kind_of_key_signs_for_us(algorithm: str) -> None:
    identity = identity_of(algorithm)
    assert standing(signed_by(identity).data, "image/png", identity) == "Trusted"
    assert identity.key_pem == ""


@pytest.mark.parametrize("algorithm", [name for name in KEYS if name.startswith("es")])
def test_a_holder_may_give_r_and_s_itself(algorithm: str) -> None:
    identity = identity_of(algorithm, mood=lambda der: unwrapped(key_of(algorithm), der))
    assert standing(signed_by(identity).data, "image/png", identity) == "Trusted"


@pytest.mark.slow
@pytest.mark.parametrize("output_format", MEDIA_TYPES)
@pytest.mark.parametrize("algorithm", KEYS)
def test_an_independent_reader_trusts_it_in_every_format(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, algorithm: str, output_format: OutputFormat
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the reader keeps its telemetry's switch
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    identity, media_type = identity_of(algorithm), MEDIA_TYPES[output_format]
    data = signed_by(identity, output_format).data
    roots = {"trust_pem": identity.anchor_pem, "no_default_trust": True}
    said = encypher_c2pa.verify(data, media_type, telemetry=False, online=False, **roots)
    assert (said["signature"], said["hard_binding"], said["validation_state"]) == ("valid", "match", "Trusted")


def raising(error: Exception) -> Callable[[bytes], bytes]:
    def mood(_: bytes) -> bytes:
        raise error

    return mood


MOODS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "refuses": (raising(SigningUnavailable("the key is disabled")), "the key is disabled"),
    "gives half": (lambda der: der[: len(der) // 2], "no signature"),
    "gives nothing": (lambda _: b"", "no signature"),
    "breaks": (raising(KeyError("canary")), "asking for a signature broke: KeyError"),
}


@pytest.mark.parametrize("mood", MOODS)
def test_whoever_does_not_sign_is_the_reason_and_the_job_may_be_tried_again(mood: str) -> None:
    does, why = MOODS[mood]
    with pytest.raises(SigningUnavailable, match=why) as raised:
        signed_by(identity_of(mood=does))
    assert raised.value.retryable
    assert "canary" not in raised.value.detail


def test_what_is_wrong_with_the_picture_is_not_laid_at_the_holders_door() -> None:
    held = Held(key_of("es256"), "es256")
    with pytest.raises(UnsignedOutput):
        CredentialSigner(held_by(held, held.key, "es256")).sign(b"no picture", "image/png", DEFINITION)


def test_a_signer_that_failed_once_signs_the_next_picture() -> None:
    held = Held(key_of("es256"), "es256", mood=lambda _: b"")
    identity = held_by(held, held.key, "es256")
    signer = CredentialSigner(identity)
    with pytest.raises(SigningUnavailable):
        signer.sign(encoded(shapes(64, 64)), "image/png", DEFINITION)
    held.mood = lambda answer: answer
    data = signer.sign(encoded(shapes(64, 64)), "image/png", DEFINITION).data
    assert standing(data, "image/png", identity) == "Trusted"


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_probe_and_a_picture_that_is_none_are_signed_at_start(algorithm: str) -> None:
    identity = identity_of(algorithm)
    CredentialSigner(identity).check()
    assert isinstance(identity.holder, Held)
    assert identity.holder.asked == 2


def test_a_holder_of_another_key_is_found_at_start() -> None:
    key = key_of("es256")
    identity = held_by(Held(KEYS["es256"](), "es256"), key, "es256")
    with pytest.raises(ConfigurationError, match="no signature by the certificate's key"):
        CredentialSigner(identity).check()


def test_a_holder_that_is_away_at_start_is_no_mistake() -> None:
    with pytest.raises(SigningUnavailable):
        CredentialSigner(identity_of(mood=raising(SigningUnavailable("away")))).check()


async def test_nothing_is_stored_while_the_holder_is_away() -> None:
    house = House(identity_of(mood=raising(SigningUnavailable("away"))))
    with pytest.raises(SigningUnavailable):
        await house.issue(shapes(64, 64))
    assert [name for name in house.stored() if name.startswith("images")] == []


def test_pictures_wait_for_the_holder_side_by_side() -> None:
    all_there = threading.Barrier(6)

    def together(answer: bytes) -> bytes:
        all_there.wait(20)
        return answer

    signer, picture = CredentialSigner(identity_of(mood=together)), encoded(shapes(64, 64))
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(lambda _: signer.sign(picture, "image/png", DEFINITION), range(6)))) == 6


@pytest.mark.parametrize("lives", ["expired", "ends within a minute"])
def test_a_chain_that_has_expired_is_refused_at_start(tmp_path: Path, lives: str) -> None:
    left = timedelta(seconds=-1 if lives == "expired" else 50)
    made = Authority().signer(key=key_of("es256"), lives=left)
    (tmp_path / "chain.pem").write_text(made.chain_pem)
    with pytest.raises(ConfigurationError, match="has expired"):
        SigningIdentity.held_elsewhere(tmp_path / "chain.pem", Held(key_of("es256"), "es256"))
