"""What counts as a signature, of whoever holds the key."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from darkroom.errors import SigningUnavailable
from darkroom.provenance.keyholders.answers import raw_signature
from tests.unit.provenance.keyholders.holders import KEYS, key_of, signature, unwrapped

DATA = b"a claim"
CURVES = [name for name in KEYS if name.startswith("es")]


@pytest.mark.parametrize("algorithm", CURVES)
def test_der_becomes_r_and_s_of_equal_length(algorithm: str) -> None:
    key = key_of(algorithm)
    der = signature(key, algorithm, DATA)
    raw = raw_signature(key.public_key(), algorithm, DATA, der)
    assert raw == unwrapped(key, der)
    assert raw_signature(key.public_key(), algorithm, DATA, raw) == raw


@pytest.mark.parametrize("algorithm", ["ps256", "ed25519"])
def test_other_kinds_are_left_as_they_are(algorithm: str) -> None:
    key = key_of(algorithm)
    given = signature(key, algorithm, DATA)
    assert raw_signature(key.public_key(), algorithm, DATA, given) == given


def test_a_short_r_keeps_its_leading_zeros() -> None:
    key = key_of("es256")
    der = next(
        der
        for der in (signature(key, "es256", DATA) for _ in range(20_000))
        if decode_dss_signature(der)[0].bit_length() <= 248
    )
    assert len(raw_signature(key.public_key(), "es256", DATA, der)) == 64


WRONG = {
    "nothing": lambda der: b"",
    "one byte less": lambda der: der[:-1],
    "one byte more": lambda der: der + b"\0",
    "another text": lambda der: b"AccessDeniedException",
    "zeros": lambda der: bytes(64),
    "numbers beyond the curve": lambda der: encode_dss_signature(1 << 300, 1 << 300),
    "base64, as a KMS prints it": lambda der: __import__("base64").b64encode(der),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("algorithm", KEYS)
def test_what_is_no_signature_is_refused(algorithm: str, how: str) -> None:
    key = key_of(algorithm)
    answer = WRONG[how](signature(key, algorithm, DATA))
    with pytest.raises(SigningUnavailable, match="no signature by the certificate's key"):
        raw_signature(key.public_key(), algorithm, DATA, answer)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signature_of_other_bytes_or_another_key_is_refused(algorithm: str) -> None:
    key, other = key_of(algorithm), KEYS[algorithm]()
    for answer in (signature(key, algorithm, b"another claim"), signature(other, algorithm, DATA)):
        with pytest.raises(SigningUnavailable):
            raw_signature(key.public_key(), algorithm, DATA, answer)


def test_a_signature_by_another_hash_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(SigningUnavailable):
        raw_signature(key.public_key(), "es256", DATA, signature(key, "es384", DATA))
