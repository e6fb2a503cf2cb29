"""Takes away what packages bring and no part of darkroom ever opens. Run once, while an image is built.

python trim.py FOLDER    # an environment, or a folder of packages

What is measured with it stands in docs/deployment.md. Licences and the records of packages stay: who looks into it
finds what an image holds.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Below site-packages, and why nobody misses it.
NEVER_OPENED: Final = {
    "c2pa/libs/*.rlib": "for linking other Rust programs; what is loaded lies beside it",
    "c2pa/libs/*.d": "what its build stood on",
    "**/*.pyi": "for type checkers",
    "numpy/**/tests": "tests of others",
    "numpy/f2py": "compiles Fortran",
}
# boto3 speaks to any of Amazon's services by their descriptions; ours is S3, and where its keys come from.
SERVICES: Final = ("s3", "sso", "sso-oidc", "signin", "sts")


def unused(packages: Path) -> Iterator[Path]:
    """Files and folders to take away, none of them below another."""
    for pattern in NEVER_OPENED:
        yield from packages.glob(pattern)
    described = packages / "botocore" / "data"
    if described.is_dir():
        yield from (path for path in described.iterdir() if path.is_dir() and path.name not in SERVICES)


def trim(packages: Path) -> int:
    """Returns how many bytes that were."""
    freed = 0
    for path in list(unused(packages)):
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        freed += sum(each.stat().st_size for each in files)
        path.unlink() if path.is_file() else shutil.rmtree(path)
    return freed


def main(folder: Path) -> None:
    places = sorted(folder.glob("lib/python3*/site-packages")) or [folder]
    print(f"{sum(map(trim, places)) // 2**20} MiB that nobody opens are gone")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
