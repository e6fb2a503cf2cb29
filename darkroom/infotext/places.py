"""Where A1111 leaves its text in a file: a chunk of a PNG, and the user comment of EXIF in a JPEG or WebP."""

from typing import Final

KEYWORD: Final = "parameters"
EXIF_IFD: Final = 0x8769
USER_COMMENT: Final = 0x9286

# EXIF 3.0, 4.6.5: the user comment begins with the name of its encoding, eight bytes.
_UNICODE: Final = b"UNICODE\0"
_ASCII: Final = b"ASCII\0\0\0"
MOST_JPEG_BYTES: Final = 65_000  # what a segment holds, less what is around the comment


def png_chunk(text: str) -> tuple[bytes, bytes]:
    """Type and body: tEXt where Latin-1 can say it, as all readers expect, or else iTXt (PNG 11.3.3)."""
    keyword = KEYWORD.encode()
    try:
        return b"tEXt", keyword + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", keyword + b"\0\0\0\0\0" + text.encode()


def user_comment(text: str) -> bytes:
    """In UTF-16, big end first, as piexif writes for A1111."""
    return _UNICODE + text.encode("utf-16-be")


def commented(comment: bytes) -> str:
    """What a user comment says, whoever wrote it; damaged characters are replaced."""
    if comment.startswith(_UNICODE):
        return _utf16(comment.removeprefix(_UNICODE))
    return comment.removeprefix(_ASCII).decode("utf-8", "replace").rstrip("\0 ")


def _utf16(text: bytes) -> str:
    """EXIF leaves its byte order to writers, some of whom take that of the file, which is mostly the other one: the
    zeros of Latin letters and digits, of which parameters are full, tell them apart."""
    big_end_first = text[::2].count(0) >= text[1::2].count(0)
    return text.decode("utf-16-be" if big_end_first else "utf-16-le", "replace")


def fits_jpeg(text: str) -> bool:
    """A JPEG has room for so much and no more."""
    return len(user_comment(text)) <= MOST_JPEG_BYTES
