"""Sizes as they are typed."""


def parse_size(words: str) -> tuple[int, int]:
    """Width and height of `128x192`. Raises: ValueError."""
    width, cross, height = words.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ValueError(f"{words!r} is not WIDTHxHEIGHT, as in 128x128")
    return int(width), int(height)
