"""The words that A1111 and its like leave in the files of pictures."""

from contextlib import suppress

from PIL import Image

from darkroom.infotext.places import EXIF_IFD, KEYWORD, USER_COMMENT, commented
from darkroom.provenance.pictures import opened


def infotext_in(data: bytes) -> str:
    """What A1111, or we in its words, wrote into a PNG, JPEG or WebP; empty where there is nothing.

    From the head of the file alone. Raises: BadPicture.
    """
    picture = opened(data)
    text = picture.info.get(KEYWORD)
    return str(text) if isinstance(text, str) else _comment(picture)


def _comment(picture: Image.Image) -> str:
    """EXIF that cannot be read says nothing."""
    with suppress(Exception):
        comment = picture.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT, b"")
        return commented(comment) if isinstance(comment, bytes) else str(comment)
    return ""
