"""Writes the pins that the images are built from: what each part stands on, as it is installed here.

python deploy/image/lock.py [FOLDER]
"""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
PYTHON = "3.12"
EXTRAS = {
    "courier": ("traces",),
    "gateway": ("api", "traces"),
    "worker": ("worker", "pose", "safety", "traces", "trustmark"),
}
# Its tokenizers lie beside their models. What would fetch others, and all that it stands on, is never imported there.
LEFT_OUT = {"gateway": "huggingface-hub"}
HEAD = """\
# What the {part} stands on, as it was tested. Written by deploy/image/lock.py from what is installed.
"""
_THERE = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
# The build of torch decides which of these it stands on, and pip knows.
_OF_CUDA = ("nvidia-", "cuda-", "triton")


def pins(part: str) -> dict[str, str]:
    """Version by name of all that `darkroom` with the extras of this part needs on Linux."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    pending = [("darkroom", extra) for extra in ("", *EXTRAS[part])]
    while pending:
        name, extra = pending.pop()
        if (name, extra) in seen or name == LEFT_OUT.get(part):
            continue
        seen.add((name, extra))
        if name != "darkroom":
            found[name] = distribution(name).version.partition("+")[0]
        pending += _needs(name, extra)
    return dict(sorted(found.items()))


def _requires(name: str) -> list[str]:
    """Of the project itself by its own file: what is installed of it may be older."""
    if name != "darkroom":
        return distribution(name).requires or []
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].items()
    return project["dependencies"] + [f"{text}; extra == '{extra}'" for extra, texts in extras for text in texts]


def _needs(name: str, extra: str) -> Iterator[tuple[str, str]]:
    for text in _requires(name):
        wanted = Requirement(text)
        there = {**_THERE, "extra": extra}
        without = {**_THERE, "extra": ""}
        if wanted.marker and (not wanted.marker.evaluate(there) or (extra and wanted.marker.evaluate(without))):
            continue
        if extra and not wanted.marker:
            continue
        other = canonicalize_name(wanted.name)
        if not other.startswith(_OF_CUDA):
            yield from ((other, more) for more in ("", *wanted.extras))


def page(part: str) -> str:
    lines = (f"{name}=={version}\n" for name, version in pins(part).items())
    return HEAD.format(part=part) + "".join(lines)


def main(folder: Path) -> None:
    for part in EXTRAS:
        try:
            (folder / f"{part}.txt").write_text(page(part))
        except PackageNotFoundError as error:
            raise SystemExit(f"{error.name} is not installed here: make .venv/.dev") from error


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
