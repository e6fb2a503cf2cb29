"""Which files are taken for TrustMark's networks."""

from dataclasses import replace
from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError
from darkroom.provenance.trustmark.networks import NetworkFiles, Networks
from tests.unit.provenance.trustmark.stand_in import digest, encoder_model, saved


def refused(files: NetworkFiles, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Networks(files)


def test_sides_are_those_that_the_files_fix(networks: Networks) -> None:
    assert (networks.encoder_side, networks.decoder_side) == (256, 256)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_file_with_another_hash_is_refused(network_files: NetworkFiles, part: str) -> None:
    refused(replace(network_files, **{f"{part}_sha256": "0" * 64}), f"the SHA-256 of {part}.onnx")


def test_a_missing_file_is_refused(network_files: NetworkFiles, tmp_path: Path) -> None:
    refused(replace(network_files, encoder=tmp_path / "absent.onnx"), "absent.onnx cannot be read")


def test_networks_in_each_others_place_are_refused(network_files: NetworkFiles) -> None:
    files = network_files
    refused(replace(files, encoder=files.decoder, encoder_sha256=files.decoder_sha256), "decoder.onnx is no network")
    refused(replace(files, decoder=files.encoder, decoder_sha256=files.encoder_sha256), "encoder.onnx is no network")


def test_an_encoder_of_other_bits_is_refused(network_files: NetworkFiles, tmp_path: Path) -> None:
    file = saved(encoder_model(bits=64), tmp_path / "of-64.onnx")
    refused(replace(network_files, encoder=file, encoder_sha256=digest(file)), "of-64.onnx is no network")


def test_a_file_that_is_no_network_is_refused(network_files: NetworkFiles, tmp_path: Path) -> None:
    file = tmp_path / "notes.onnx"
    file.write_bytes(b"not a network")
    refused(replace(network_files, decoder=file, decoder_sha256=digest(file)), "notes.onnx is no network")
