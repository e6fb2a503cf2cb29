"""Stand-ins for TrustMark's networks, written once."""

import pytest

from darkroom.provenance.trustmark.networks import NetworkFiles, Networks
from tests.unit.provenance.trustmark.stand_in import networks_in


@pytest.fixture(scope="session")
def network_files(tmp_path_factory: pytest.TempPathFactory) -> NetworkFiles:
    return networks_in(tmp_path_factory.mktemp("trustmark"))


@pytest.fixture(scope="session")
def networks(network_files: NetworkFiles) -> Networks:
    return Networks(network_files)
