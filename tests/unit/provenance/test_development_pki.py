"""Certificates of one machine's own: made once, for their owner alone, and never to be taken for anything else."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from darkroom.errors import ConfigurationError
from darkroom.provenance import SigningIdentity, Trust, development_pki
from darkroom.provenance.development_pki import LEAF_DAYS, RENEW_DAYS
from darkroom.provenance.identity import DEVELOPMENT
from tests.unit.provenance.certificates import DAY, Authority
from tests.unit.provenance.house import House
from tests.unit.provenance.making import shapes


def certificates(identity: SigningIdentity) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(f"{identity.chain_pem}{identity.anchor_pem}".encode())


def test_it_is_made_once_and_found_again(tmp_path: Path) -> None:
    assert development_pki(tmp_path) == development_pki(tmp_path)


def test_processes_that_start_at_once_come_to_one_signer(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: development_pki(tmp_path / "new" / "pki"), range(8)))
    assert len({identity.chain_pem for identity in made}) == 1


def test_every_certificate_says_that_it_is_for_development_only(tmp_path: Path) -> None:
    chain = certificates(development_pki(tmp_path))
    assert len(chain) == 3
    for certificate in chain:
        assert DEVELOPMENT in certificate.subject.rfc4514_string()
        assert DEVELOPMENT in certificate.issuer.rfc4514_string()


def test_the_chain_holds_and_only_the_leaf_may_sign_pictures(tmp_path: Path) -> None:
    leaf, intermediate, root = certificates(development_pki(tmp_path))
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    usages = [certificate.extensions.get_extension_for_class(x509.KeyUsage).value for certificate in (leaf, root)]
    assert [usage.digital_signature for usage in usages] == [True, False]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_nobody_else_can_read_what_is_secret_and_the_roots_key_is_gone(tmp_path: Path) -> None:
    development_pki(tmp_path)
    files = {path.name: path for path in tmp_path.iterdir() if path.name != ".lock"}
    assert set(files) == {"authority.pem", "signer.pem", "root.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    assert "PRIVATE KEY" not in files["root.pem"].read_text()
    keys = [text for path in files.values() for text in path.read_text().split("-----BEGIN ") if "PRIVATE" in text]
    assert len(keys) == 2, "of the intermediate and the leaf"


@pytest.mark.parametrize("name", ["authority.pem", "signer.pem"])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, name: str) -> None:
    development_pki(tmp_path)
    (tmp_path / name).chmod(0o640)
    with pytest.raises(ConfigurationError, match=f"{name}.*chmod 600"):
        development_pki(tmp_path)


@pytest.mark.parametrize("name", ["authority.pem", "signer.pem"])
@pytest.mark.parametrize("damage", ["", "garbage", "halves", "flipped"])
def test_a_damaged_file_is_named_and_removing_it_helps(tmp_path: Path, name: str, damage: str) -> None:
    development_pki(tmp_path)
    path = tmp_path / name
    text = path.read_text()
    path.write_text(
        {
            "": "",
            "garbage": "garbage",
            "halves": text[: len(text) // 2],
            "flipped": "".join(block[:60] + "!!!!" + block[64:] for block in text.splitlines(keepends=True)),
        }[damage]
    )
    if name == "authority.pem":
        (tmp_path / "signer.pem").unlink()
    with pytest.raises(ConfigurationError, match=f"{name}|unencrypted PEM"):
        development_pki(tmp_path)
    path.unlink()
    development_pki(tmp_path)


async def test_a_signer_of_a_lost_authority_is_replaced(tmp_path: Path) -> None:
    """Else all it signs is untrusted by the very installation that made it."""
    before = development_pki(tmp_path)
    (tmp_path / "authority.pem").unlink()
    after = development_pki(tmp_path)
    assert after.chain_pem != before.chain_pem
    house = House(after)
    assert (await house.verify((await house.issue(shapes(64, 64))).data)).state == "intact"


def test_a_signer_that_would_run_out_while_a_service_runs_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(sys.modules[development_pki.__module__], "LEAF_DAYS", RENEW_DAYS - 1)
        before = development_pki(tmp_path)
    after = development_pki(tmp_path)
    assert after.chain_pem != before.chain_pem
    assert after.anchor_pem == before.anchor_pem, "what was signed before stays trusted"
    assert after.expires_at - datetime.now(UTC) > timedelta(days=LEAF_DAYS - 1)


# --- identities that are configured -----------------------------------------------------------------------------------


def test_a_chain_without_the_key_of_its_leaf_is_refused() -> None:
    one, other = Authority().signer(), Authority().signer()
    with pytest.raises(ConfigurationError, match="not the key of the first certificate"):
        SigningIdentity.from_pem(one.chain_pem, other.key_pem)


@pytest.mark.parametrize(("chain", "key"), [("garbage", None), (None, "garbage"), ("", None), (None, "")])
def test_what_is_no_pem_is_refused(chain: str | None, key: str | None) -> None:
    identity = Authority().signer()
    with pytest.raises(ConfigurationError, match="PEM"):
        SigningIdentity.from_pem(
            identity.chain_pem if chain is None else chain, identity.key_pem if key is None else key
        )


def test_a_certificate_that_has_expired_is_refused() -> None:
    identity = Authority().signer(lives=-DAY / 2)
    with pytest.raises(ConfigurationError, match="has expired"):
        SigningIdentity.from_pem(identity.chain_pem, identity.key_pem)


def test_an_identity_does_not_print_its_key() -> None:
    assert "PRIVATE" not in repr(Authority().signer())


@pytest.mark.parametrize("text", ["garbage", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_roots_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "roots.pem").write_text(text)
    with pytest.raises(ConfigurationError, match=r"roots\.pem"):
        Trust.of(anchor_files=(tmp_path / "roots.pem",))
