"""`api` and `worker` are common names for a top-level package: take ours, and no one else's."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import darkroom
from darkroom.errors import ConfigurationError


@contextmanager
def sibling(package: str) -> Iterator[None]:
    """Within this block `package` is the one installed beside darkroom.

    Raises: ConfigurationError when another package of that name comes first, or when its extra is not installed.
    """
    _refuse_stranger(package)
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is missing: install 'darkroom[{package}]'") from error


def _refuse_stranger(package: str) -> None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"darkroom's package {package!r} is not installed")
    found, ours = Path(spec.origin).resolve().parent, Path(darkroom.__file__).resolve().parent.parent / package
    if found != ours:
        raise ConfigurationError(f"refusing the stranger {found}, found before darkroom's own {package!r} at {ours}")
