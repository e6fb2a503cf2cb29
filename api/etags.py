"""Whether a caller holds already what it asks for."""


def holds(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: `*` is whatever there is; tags are compared weakly."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return tags == ["*"] or etag in tags
