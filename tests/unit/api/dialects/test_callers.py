import base64

import pytest

from api.dialects.callers import key_in


def _basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("", None),
        ("   ", None),
        ("Basic ", None),
        ("Basic", None),
        ("Bearer ", None),
        ("Bearer dk_1", "dk_1"),
        ("bearer  dk_1 ", "dk_1"),
        ("Token dk_1", "dk_1"),
        (_basic("anybody:dk_1"), "dk_1"),
        (_basic(":dk:1"), "dk:1"),
        (_basic("anybody:"), None),
        ("Basic not base64!", "not base64!"),
        ("Basic /w==", "/w=="),
        ("Basic \xe9", "\xe9"),
    ],
)
def test_a_key_is_found_wherever_clients_of_others_put_it(header: str, key: str | None) -> None:
    assert key_in(header) == key
