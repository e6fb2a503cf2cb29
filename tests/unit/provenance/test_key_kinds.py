"""Every kind of key that C2PA allows, in every format, before a reader that shares no code with the signer."""

from functools import cache
from pathlib import Path

import encypher_c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from darkroom.contract.plan import MEDIA_TYPES, OutputFormat
from darkroom.errors import ConfigurationError
from darkroom.provenance import SigningIdentity, Trust, TssWatermarker
from darkroom.provenance.credential import CredentialReader
from darkroom.provenance.manifest import manifest
from darkroom.provenance.signing import CredentialSigner
from darkroom.provenance.watermark import mark_value
from tests.unit.provenance.certificates import Authority
from tests.unit.provenance.keyholders.holders import KEYS, key_of
from tests.unit.provenance.making import MARK_ID, encoded, facts, shapes


@cache
def signer(algorithm: str) -> SigningIdentity:
    """Read from PEM, as the settings' files are."""
    made = Authority().signer(key=key_of(algorithm))
    return SigningIdentity.from_pem(made.chain_pem, made.key_pem)


@pytest.mark.parametrize("output_format", MEDIA_TYPES)
@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.slow
def test_both_readers_trust_a_signature_by_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, algorithm: str, output_format: OutputFormat
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the reader keeps its telemetry's switch
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    identity, media_type = signer(algorithm), MEDIA_TYPES[output_format]
    assert identity.algorithm == algorithm
    definition = manifest(facts(), TssWatermarker.alg, mark_value(MARK_ID))
    data = CredentialSigner(identity).sign(encoded(shapes(64, 64), output_format), media_type, definition).data

    roots = {"trust_pem": identity.anchor_pem, "no_default_trust": True}
    said = encypher_c2pa.verify(data, media_type, telemetry=False, online=False, **roots)
    assert (said["signature"], said["hard_binding"], said["validation_state"]) == ("valid", "match", "Trusted")
    credential = CredentialReader(Trust.of(identity.anchor_pem)).read(data, media_type)
    assert credential is not None
    assert credential.standing == "Trusted"


def test_a_key_that_c2pa_does_not_allow_is_refused_at_start() -> None:
    made = Authority().signer(key=ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(ConfigurationError, match="of a kind that C2PA does not allow"):
        SigningIdentity.from_pem(made.chain_pem, made.key_pem)
