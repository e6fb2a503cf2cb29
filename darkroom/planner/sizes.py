"""How large a picture of a model may be."""

from darkroom.contract.model import ModelSpec
from darkroom.errors import InvalidField

# A picture may have this many times the pixels of the model's native size.
PIXEL_RATIO = 4

Size = tuple[int, int]  # width, height in pixels


def pixel_budget(spec: ModelSpec) -> int:
    """Most pixels one picture of this model may have."""
    return PIXEL_RATIO * spec.native_width * spec.native_height


def asked_size(width: int | None, height: int | None, default: Size, spec: ModelSpec) -> Size:
    """What was asked for, and the default where it was not. Raises: InvalidField off the grid or past the limits."""
    wide = _side("width", default[0] if width is None else width, spec)
    high = _side("height", default[1] if height is None else height, spec)
    _check_pixels("width" if wide >= high else "height", (wide, high), spec)
    return wide, high


def fitting_size(field: str, size: Size, spec: ModelSpec) -> Size:
    """The size on the model's grid that is nearest to that of a picture.

    Raises: InvalidField, naming `field`, for one past the model's limits.
    """
    width, height = (nearest(side, spec.size_multiple) for side in size)
    check_limits(field, (width, height), spec)
    return width, height


def check_limits(field: str, size: Size, spec: ModelSpec) -> None:
    """Raises: InvalidField, naming `field`, for a size the model cannot make."""
    if not all(spec.min_size <= side <= spec.max_size for side in size):
        raise InvalidField(
            field,
            f"{size[0]}x{size[1]} is no size of {spec.name}, whose sides are from {spec.min_size} to {spec.max_size}",
        )
    _check_pixels(field, size, spec)


def nearest(side: float, multiple: int) -> int:
    """The multiple that is nearest to a side, and never none."""
    return max(1, round(side / multiple)) * multiple


def _check_pixels(field: str, size: Size, spec: ModelSpec) -> None:
    if size[0] * size[1] > pixel_budget(spec):
        raise InvalidField(
            field, f"{size[0]}x{size[1]} has more than the {pixel_budget(spec)} pixels {spec.name} may make"
        )


def _side(field: str, pixels: int, spec: ModelSpec) -> int:
    if not spec.min_size <= pixels <= spec.max_size:
        raise InvalidField(field, f"must be from {spec.min_size} to {spec.max_size} for {spec.name}")
    if pixels % spec.size_multiple:
        raise InvalidField(field, f"must be a multiple of {spec.size_multiple} for {spec.name}")
    return pixels
