import pytest

from api.dialects.hf.accept import preferred


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("", "png"),
        ("*/*", "png"),
        ("image/*", "png"),
        ("image/png", "png"),
        ("image/jpeg", "jpeg"),
        ("IMAGE/WEBP", "webp"),
        ("image/webp;q=0.5, image/jpeg;q=0.9, */*;q=0.1", "jpeg"),
        ("image/png;q=0, image/*", "jpeg"),
        ("image/webp, image/png;q=0.9", "webp"),
        ("application/json", "png"),
        ("image/jpeg;q=nonsense, image/webp;q=0.1", "webp"),
        ("," * 10_000, "png"),
    ],
)
def test_the_format_liked_best_is_made(accept: str, format: str) -> None:
    assert preferred(accept) == format
