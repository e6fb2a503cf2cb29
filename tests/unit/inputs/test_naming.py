"""Four ways to name a picture, and no fifth."""

import base64

import pytest

from darkroom.errors import InvalidField
from darkroom.inputs.naming import AssetId, lies_elsewhere, named_picture

DATA = bytes(range(256))
TEXT = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "text",
    [TEXT, "\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76)), f"data:image/png;base64,{TEXT}"],
)
def test_base64_is_decoded_plain_in_lines_and_in_data_urls(text: str) -> None:
    assert named_picture("image", text) == DATA


def test_64_hex_digits_are_an_asset() -> None:
    assert named_picture("image", "ab" * 32) == AssetId("ab" * 32)


@pytest.mark.parametrize("text", ["https://example.com/a.png", "HTTP://x/", "file:///etc/passwd", "s3://bucket/key"])
def test_what_has_a_scheme_lies_elsewhere_whatever_the_scheme(text: str) -> None:
    assert lies_elsewhere(text)


@pytest.mark.parametrize("text", [TEXT, "ab" * 32, "data:image/png;base64,AAAA", "//host/a.png", "a" * 20 + "://", ""])
def test_what_is_sent_or_kept_does_not(text: str) -> None:
    assert not lies_elsewhere(text)


@pytest.mark.parametrize(
    "text", ["=", "AAA", "AAAA!", "-_-_", "data:text/html;base64,AAAA", "data:image/png,AAAA", "data:,", "é", " "]
)
def test_broken_base64_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(InvalidField) as raised:
        named_picture("image", text)
    assert raised.value.field == "image"
