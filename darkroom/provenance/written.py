"""The words that A1111 and its like leave in the files of pictures."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from darkroom.infotext.places import EXIF_IFD, KEYWORD, USER_COMMENT, commented
from darkroom.provenance.pictures import opened

# Of a file's other words: other programs' graphs of nodes are long, and are shown to nobody who asks for parameters.
MOST_OTHERS: Final = 32
MOST_OTHER_CHARS: Final = 100_000
_XMP: Final = "XML:com.adobe.xmp"


@dataclass(frozen=True)
class Words:
    """`infotext` is A1111's, empty where there is none; `others` are the other texts of a PNG, by keyword."""

    infotext: str
    others: Mapping[str, str] = field(default_factory=dict)


def infotext_in(data: bytes) -> str:
    """As `words_in`, of A1111's alone."""
    return words_in(data).infotext


def words_in(data: bytes) -> Words:
    """What A1111, or we in its words, and others wrote into a PNG, JPEG or WebP.

    From the head of the file alone. Raises: BadPicture.
    """
    picture = opened(data)
    texts = {str(name): str(text) for name, text in picture.info.items() if isinstance(text, str)}
    found = texts.pop(KEYWORD, None)
    others = {name: text for name, text in texts.items() if name != _XMP and len(text) <= MOST_OTHER_CHARS}
    few = dict(list(others.items())[:MOST_OTHERS])
    return Words(_comment(picture) if found is None else found, few)


def _comment(picture: Image.Image) -> str:
    """EXIF that cannot be read says nothing."""
    with suppress(Exception):
        comment = picture.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT, b"")
        return commented(comment) if isinstance(comment, bytes) else str(comment)
    return ""
