"""docs/client.md has every error, and no method that is none."""

import inspect
import re

from darkroom import client
from darkroom.client import Client, ClientError
from darkroom.client.errors import Refused
from tests.docs.pages import page, table_rows

PAGE = "docs/client.md"


def test_the_page_has_every_error() -> None:
    ours = [error for _, error in inspect.getmembers(client, inspect.isclass) if issubclass(error, ClientError)]
    told = {row[0] for row in table_rows(PAGE)}
    assert {error.__name__ for error in ours} - {ClientError.__name__, Refused.__name__} == {
        name for name in told if hasattr(client, name)
    }


def test_the_page_names_every_method() -> None:
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    named = set(re.findall(r"`?(\w+)(?:\(| )", page(PAGE)))
    assert methods - {"close", "unserved"} <= named
