"""Certificates by which no picture could be signed, or none that is trusted: found at the start, not at each job."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from darkroom.errors import ConfigurationError
from darkroom.provenance import SigningIdentity
from darkroom.provenance.signing import CredentialSigner
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.keyholders.holders import Held, key_of

CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
UNFIT = {
    "of a web server": [Purpose.SERVER_AUTH],
    "for anything": [Purpose.ANY_EXTENDED_KEY_USAGE],
    "for times as well": [Purpose.EMAIL_PROTECTION, Purpose.TIME_STAMPING],
}


@pytest.mark.parametrize("purposes", UNFIT.values(), ids=UNFIT)
def test_a_leaf_for_another_purpose_is_refused_at_start(purposes: Iterable[x509.ObjectIdentifier]) -> None:
    made = Authority().signer(purposes=purposes)
    identity = SigningIdentity.from_pem(made.chain_pem, made.key_pem)
    with pytest.raises(ConfigurationError, match="no picture can be signed"):
        CredentialSigner(identity).check()


def test_one_whose_key_is_held_elsewhere_is_refused_as_well(tmp_path: Path) -> None:
    key = key_of("es256")
    made = Authority().signer(key=key, purposes=[Purpose.SERVER_AUTH])
    (tmp_path / "chain.pem").write_text(made.chain_pem)
    identity = SigningIdentity.held_elsewhere(tmp_path / "chain.pem", Held(key, "es256"))
    with pytest.raises(ConfigurationError, match="no picture can be signed"):
        CredentialSigner(identity).check()


def test_a_key_that_is_too_short_is_refused_at_start() -> None:
    made = Authority().signer(key=rsa.generate_private_key(65537, 1024))
    with pytest.raises(ConfigurationError, match="no picture can be signed"):
        CredentialSigner(SigningIdentity.from_pem(made.chain_pem, made.key_pem)).check()


@pytest.mark.parametrize("added", [[], [CLAIM_SIGNING]])
def test_a_leaf_for_our_purposes_passes(added: list[x509.ObjectIdentifier]) -> None:
    made = Authority().signer(purposes=[Purpose.EMAIL_PROTECTION, *added])
    CredentialSigner(SigningIdentity.from_pem(made.chain_pem, made.key_pem)).check()


@pytest.mark.parametrize("algorithm", ["es256", "ps256"])
def test_a_key_as_older_tools_write_it_signs_as_well(algorithm: str) -> None:
    key = key_of(algorithm)
    older = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert "BEGIN PRIVATE KEY" not in older
    CredentialSigner(SigningIdentity.from_pem(Authority().signer(key=key).chain_pem, older)).check()


def parts(identity: SigningIdentity) -> list[str]:
    certificates = x509.load_pem_x509_certificates((identity.chain_pem + identity.anchor_pem).encode())
    return [each.public_bytes(Encoding.PEM).decode() for each in certificates]


def test_a_chain_that_lacks_a_link_or_is_the_wrong_way_round_is_refused(identity: SigningIdentity) -> None:
    leaf, intermediate, root = parts(identity)
    for broken in (leaf + root, leaf + root + intermediate, leaf + intermediate + intermediate):
        with pytest.raises(ConfigurationError, match="no chain"):
            SigningIdentity.from_pem(broken, identity.key_pem)
    for whole in (leaf, leaf + intermediate, leaf + intermediate + root):
        assert SigningIdentity.from_pem(whole, identity.key_pem).chain_pem == whole


def test_a_root_of_the_same_name_and_another_key_is_no_link() -> None:
    made, impostor = Authority().signer(), Authority().signer()
    leaf, *_ = parts(made)
    with pytest.raises(ConfigurationError, match="no chain"):
        SigningIdentity.from_pem(leaf + impostor.anchor_pem, made.key_pem)
