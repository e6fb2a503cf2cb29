"""c2pa-python, with the library that came with it, and none of wherever somebody happens to stand.

Left alone it looks for `libc2pa_c.so` in the current directory first, and in `libs/` below it. So a file of that name
beside downloaded pictures would be run by `darkroom verify`; and where the directory may not be entered, nothing would
start. A path from the root is what it takes as it stands.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_NAME: Final = "C2PA_LIBRARY_NAME"


def _own_library() -> Path | None:
    """None where none came with it, as on other systems than Linux."""
    spec = find_spec("c2pa")
    places = (spec and spec.submodule_search_locations) or ()
    return next((path for place in places if (path := Path(place, "libs", "libc2pa_c.so")).exists()), None)


@contextmanager
def _loaded_from(path: Path | None) -> Iterator[None]:
    """For the one import: nobody else is told."""
    before = os.environ.pop(_NAME, None)
    if path is not None:
        os.environ[_NAME] = str(path)
    try:
        yield
    finally:
        os.environ.pop(_NAME, None)
        if before is not None:
            os.environ[_NAME] = before


with _loaded_from(_own_library()):
    import c2pa as c2pa
