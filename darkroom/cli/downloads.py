"""What the settings name by hub id, and its download through the hub's own client.

A token is taken from `HF_TOKEN` by that client and seen by nobody here. Errors are told by their kind: their words may
hold addresses.
"""

from collections.abc import Iterator
from glob import escape
from pathlib import Path

from darkroom.catalog.hub import HubId, commit_of, snapshot_of
from darkroom.catalog.hub import hub_id as read_id
from darkroom.cli.choosing import NotDownloaded, chosen
from darkroom.cli.console import CommandFailed
from darkroom.cli.downloaded import is_complete
from darkroom.settings import Settings

SETTINGS = ("models", "vaes", "controlnets", "preprocessors", "loras", "embeddings")


def configured(settings: Settings) -> Iterator[tuple[str, str, HubId]]:
    """(setting, name, id) of everything that is named by one."""
    for setting in SETTINGS:
        for name, place in getattr(settings, setting).items():
            if (found := read_id(getattr(place, "path", place))) is not None:
                yield setting, name, found


def download(setting: str, name: str, wanted: HubId) -> str:
    """Bring what is wanted to the cache and say which commit it is of. A pinned one that is there needs no network.

    Raises: NotDownloaded; CommandFailed without the client.
    """
    there = snapshot_of(wanted)
    if there is not None and wanted.is_pinned and is_complete(setting, name, wanted):
        return commit_of(there)
    try:
        return _fetch(setting, name, wanted)
    except ImportError as error:
        raise CommandFailed("`darkroom pull` needs the hub's client: install darkroom[worker]") from error
    except NotDownloaded:
        raise
    except Exception as error:  # the client lets through whatever its HTTP library raises
        status = getattr(getattr(error, "response", None), "status_code", None)
        words = "could not be downloaded" if status is None else f"the hub answered {status}"
        raise NotDownloaded(f"{words} ({type(error).__name__})") from error


def _fetch(setting: str, name: str, wanted: HubId) -> str:
    from huggingface_hub import HfApi, snapshot_download

    found = HfApi().model_info(wanted.repository, revision=wanted.revision)
    files = chosen(setting, name, [sibling.rfilename for sibling in found.siblings or ()], wanted)
    patterns = [escape(file) for file in files]
    return commit_of(Path(snapshot_download(wanted.repository, revision=wanted.revision, allow_patterns=patterns)))
