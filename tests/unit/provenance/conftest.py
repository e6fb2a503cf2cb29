"""One installation for all tests of provenance: its keys are made once, its store is new for each test."""

import pytest

from darkroom.provenance import SigningIdentity, development_pki
from tests.unit.provenance.house import House


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    return development_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def house(identity: SigningIdentity) -> House:
    return House(identity)
