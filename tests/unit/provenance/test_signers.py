"""Whose signature stands under a picture, and what verify makes of strangers'."""

import base64
import io

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from darkroom.contract.controlnet import NamedControlnet, PlannedControl
from darkroom.contract.start import PictureRef
from darkroom.provenance import SigningIdentity, State, TssWatermarker
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner, native_signer
from darkroom.provenance.watermark import mark_value
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.making import (
    MARK_ID,
    RGB,
    decoded,
    encoded,
    facts,
    shapes,
)


def signed_by(identity: SigningIdentity, rgb_HWC: RGB, mark_id: int = MARK_ID, alg: str = TssWatermarker.alg) -> bytes:
    """A file with these pixels as they are, signed, and in nobody's records."""
    definition = manifest(facts(), alg, mark_value(mark_id))
    return CredentialSigner(identity).sign(encoded(rgb_HWC), "image/png", definition).data


def test_what_steered_a_picture_is_signed_and_what_made_its_map() -> None:
    net = NamedControlnet(name="lines", sha256="cd" * 32)
    image = PictureRef(sha256="ab" * 32, width=8, height=8)
    control = PlannedControl(
        type="canny", net=net, image=image, scale=0.5, start=0.0, end=1.0, preprocess=True, preprocessor="ef" * 32
    )
    assertions = manifest(facts(controls=(control,)), TssWatermarker.alg, mark_value(MARK_ID))["assertions"]
    (said,) = [entry["data"] for entry in assertions if entry["label"] == "org.darkroom.generation"]
    assert said["controlnets"] == [
        {"type": "canny", "sha256": "cd" * 32, "scale": 0.5, "preprocessor": "ef" * 32},
    ]


async def test_a_signer_of_somebody_elses_is_not_trusted(house: House) -> None:
    verdict = await house.verify(signed_by(Authority().signer("Mallory"), shapes(128, 128)))
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.signer is not None
    assert (verdict.signer.common_name, verdict.signer.trusted) == ("Mallory", False)
    assert not verdict.signer.development
    assert verdict.generation is None


async def test_a_signer_that_vouches_for_itself_is_not_trusted(house: House) -> None:
    """c2pa-rs refuses to sign so only where it looks at its own work."""
    lone, careless = Authority("Lone").itself(), {"version": 1, "verify": {"verify_after_sign": False}}
    definition, signed = manifest(facts(), TssWatermarker.alg, mark_value(MARK_ID)), io.BytesIO()
    with native_signer(lone) as signer, c2pa.Builder(definition, context=c2pa.Context.from_dict(careless)) as builder:
        builder.sign(signer, "image/png", io.BytesIO(encoded(shapes(128, 128))), signed)
    verdict = await house.verify(signed.getvalue())
    assert verdict.state is State.INTACT_UNTRUSTED_SIGNER
    assert verdict.signer is not None
    assert (verdict.signer.common_name, verdict.signer.trusted) == ("Lone", False)
    assert verdict.generation is None


async def test_a_signer_we_were_told_to_trust_is_trusted(identity: SigningIdentity) -> None:
    friend = Authority().signer("Friend", key=ed25519.Ed25519PrivateKey.generate())
    verdict = await House(identity, trusted=friend).verify(signed_by(friend, shapes(128, 128)))
    assert verdict.state is State.INTACT
    assert verdict.text == "Signed by a trusted signer, and unchanged since."


async def test_a_stranger_who_signs_our_picture_anew_is_told_apart(house: House) -> None:
    stamped = await house.issue()
    verdict = await house.verify(signed_by(Authority().signer(), decoded(stamped.data), MARK_ID))
    assert verdict.state is State.CONFLICT
    assert verdict.watermark_id == stamped.watermark_id
    assert verdict.generation is None


async def test_our_own_signature_over_another_mark_is_a_conflict(house: House) -> None:
    stamped = await house.issue()
    verdict = await house.verify(signed_by(house.identity, decoded(stamped.data), MARK_ID))
    assert verdict.state is State.CONFLICT


async def test_a_signers_name_cannot_command_a_terminal(house: House) -> None:
    signer = Authority().signer("\x1b[2J\x07evil\u202e" + "x" * 50)
    verdict = await house.verify(signed_by(signer, shapes(128, 128)))
    assert verdict.signer is not None
    assert verdict.signer.common_name == "[2Jevil" + "x" * 50


@pytest.mark.slow
@pytest.mark.parametrize("value", ["", "%%%", "no base64 at all", base64.b64encode(b"1" * 5000).decode(), "\u2028"])
async def test_soft_bindings_that_are_none_of_ours_are_left_alone(house: House, value: str) -> None:
    definition = manifest(facts(), "org.other", "AAAAAAAB")
    binding = next(entry for entry in definition["assertions"] if entry["label"] == "c2pa.soft-binding")
    binding["data"]["blocks"][0]["value"] = value
    signer = CredentialSigner(Authority().signer())
    data = signer.sign(encoded(shapes(64, 64)), "image/png", definition).data
    assert (await house.verify(data)).state is State.INTACT_UNTRUSTED_SIGNER


async def test_what_c2pa_cannot_tell_in_our_words_is_unreadable(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stamped = await house.issue()
    for report in ("{", "[]", '{"active_manifest": null, "manifests": null}', '{"active_manifest": "a"}', "null"):
        monkeypatch.setattr(c2pa.Reader, "json", lambda _, report=report: report)
        assert (await house.verify(stamped.data)).state is State.MODIFIED


# --- certificates run out ---------------------------------------------------------------------------------------------
