"""The commands of docs/provenance.md that need no KMS, run as they stand there."""

import json
import shutil
from pathlib import Path

import pytest

from darkroom.provenance import SigningIdentity, Trust, TssWatermarker
from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.keyholders.command import SigningCommand
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner
from darkroom.provenance.watermark import mark_value
from tests.docs.pages import table_rows
from tests.unit.provenance.certificates import Authority, key_pem
from tests.unit.provenance.keyholders.holders import KEYS, key_of
from tests.unit.provenance.making import MARK_ID, encoded, facts, shapes

COMMANDS = {row[0]: row[1] for row in table_rows("docs/provenance.md") if row[0] in KEYS}


def test_there_is_a_command_for_every_kind_of_key() -> None:
    assert set(COMMANDS) == set(KEYS)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl on this machine")
@pytest.mark.parametrize("algorithm", KEYS)
def test_a_documented_command_signs(algorithm: str, tmp_path: Path) -> None:
    made = Authority().signer(key=key_of(algorithm))
    (tmp_path / "leaf.key").write_text(key_pem(key_of(algorithm)))
    (tmp_path / "chain.pem").write_text(made.chain_pem)
    argv = [word.replace("/etc/darkroom", str(tmp_path)) for word in json.loads(COMMANDS[algorithm])]
    identity = SigningIdentity.held_elsewhere(tmp_path / "chain.pem", SigningCommand(tuple(argv), seconds=30.0))
    signer = CredentialSigner(identity)
    signer.check()
    definition = manifest(facts(), TssWatermarker.alg, mark_value(MARK_ID))
    data = signer.sign(encoded(shapes(64, 64)), "image/png", definition).data
    credential = CredentialReader(Trust.of(identity.anchor_pem)).read(data, "image/png")
    assert credential is not None
    assert credential.standing == "Trusted"
