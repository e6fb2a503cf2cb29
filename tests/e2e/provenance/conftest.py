from collections.abc import Iterator

import pytest

from tests.e2e.demo.service import Up, up


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def url(service: Up) -> str:
    return service.url
