from collections.abc import Iterator

import pytest

from tests.e2e.demo.service import up


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with up(tmp_path_factory.mktemp("service")) as service:
        yield service.url
