"""Hub ids in the place of paths: what they name, and where the hub's own client has put it on this machine.

An id begins with `hf:`, so that no mistyped path is one: somebody else may own a repository of that name.

Nothing here reaches a network, and no request can name an id: those of the settings are all there are. The layout of
the cache is that of huggingface_hub, `models--owner--name/refs/<revision>` and `snapshots/<commit>`, and where it lies
follows from the same variables, so that what other programs have downloaded is found.
"""

import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from darkroom.errors import BrokenWeights, MissingWeights

_ID = re.compile(
    r"hf:(?P<owner>[A-Za-z0-9][\w.-]*)/(?P<name>[A-Za-z0-9][\w.-]*?)"
    r"(?:@(?P<revision>[A-Za-z0-9][\w./-]*?))?(?::(?P<file>[A-Za-z0-9][\w./-]*))?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
DEFAULT_REVISION = "main"


@dataclass(frozen=True)
class HubId:
    """`hf:owner/name@revision:file`; without a file, all of the repository that is asked for."""

    owner: str
    name: str
    revision: str = DEFAULT_REVISION
    file: str = ""

    @property
    def repository(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        return f"hf:{self.repository}@{self.revision}" + (f":{self.file}" if self.file else "")


def hub_id(place: Path) -> HubId | None:
    """The id that `place` is; None for a path."""
    found = _ID.fullmatch(str(place))
    if found is None:
        return None
    parts = {key: value for key, value in found.groupdict().items() if value is not None}
    if any(".." in PurePosixPath(part).parts for part in parts.values()):
        return None
    return HubId(**parts)


def located(place: Path) -> Path:
    """Where a configured folder or file lies. Raises: MissingWeights for a hub id that was not downloaded."""
    found = hub_id(place)
    if found is None:
        return place.expanduser().absolute()
    snapshot = snapshot_of(found)
    if snapshot is None or not (snapshot / found.file).exists():
        raise MissingWeights(str(found), "not downloaded: run `darkroom pull`")
    return snapshot / found.file


def located_file(place: Path) -> Path:
    """As `located`, where a file is meant: of a repository with one `.safetensors` file at its top, that file.

    Raises: MissingWeights; BrokenWeights where there are several to choose from.
    """
    path, found = located(place), hub_id(place)
    if found is None or not path.is_dir():
        return path
    files = sorted(path.glob("*.safetensors"))
    if len(files) != 1:
        raise BrokenWeights(str(found), f"holds {len(files)} .safetensors files: name one, as {found}:FILE")
    return files[0]


def snapshot_of(wanted: HubId) -> Path | None:
    """The folder of the commit that its revision was when it was downloaded; None where it was not."""
    repository = cache_folder() / f"models--{wanted.owner}--{wanted.name}"
    commit = wanted.revision if wanted.is_pinned else _ref(repository / "refs" / wanted.revision)
    snapshot = repository / "snapshots" / commit
    return snapshot if commit and snapshot.is_dir() else None


def commit_of(place: Path) -> str:
    """The commit whose snapshot `place` is in; empty for what did not come from the hub."""
    parts = place.parts
    for before, commit in pairwise(parts):
        if before == "snapshots" and _COMMIT.fullmatch(commit):
            return commit
    return ""


def cache_folder() -> Path:
    """`HF_HUB_CACHE`, or `hub` in `HF_HOME`, which is in `XDG_CACHE_HOME` by default."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or Path(caches) / "huggingface").expanduser() / "hub"


def _ref(file: Path) -> str:
    """The commit that a file of the cache names; empty where it is absent or holds something else."""
    try:
        commit = file.read_text(errors="replace").strip()
    except OSError:
        return ""
    return commit if _COMMIT.fullmatch(commit) else ""
