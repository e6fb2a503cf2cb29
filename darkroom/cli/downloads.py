"""Which files of a repository on the hub are wanted, and their download through the hub's own client.

A token is taken from `HF_TOKEN` by that client and seen by nobody here. Errors are told by their kind: their words may
hold addresses.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from darkroom.catalog.hub import HubId, commit_of, snapshot_of
from darkroom.catalog.hub import hub_id as read_id
from darkroom.catalog.sidecar import SUFFIX as SIDECAR
from darkroom.cli.console import CommandFailed
from darkroom.settings import Settings

SUFFIXES = (".json", ".txt", ".safetensors")
SETTINGS = ("models", "vaes", "controlnets", "preprocessors", "loras", "embeddings")
_COMPONENTS = frozenset(
    {"scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"},
)


class NotDownloaded(Exception):
    """Why, in our words."""


def configured(settings: Settings) -> Iterator[tuple[str, str, HubId]]:
    """(setting, name, id) of everything that is named by one."""
    for setting in SETTINGS:
        for name, place in getattr(settings, setting).items():
            if (found := read_id(getattr(place, "path", place))) is not None:
                yield setting, name, found


def download(setting: str, wanted: HubId) -> str:
    """Bring what is wanted to the cache and say which commit it is of. A pinned one that is there needs no network.

    Raises: NotDownloaded; CommandFailed without the client.
    """
    there = snapshot_of(wanted)
    if there is not None and wanted.is_pinned and _is_complete(setting, there, wanted):
        return commit_of(there)
    try:
        return _fetch(setting, wanted)
    except ImportError as error:
        raise CommandFailed("`darkroom pull` needs the hub's client: install darkroom[worker]") from error
    except NotDownloaded:
        raise
    except Exception as error:  # the client lets through whatever its HTTP library raises
        status = getattr(getattr(error, "response", None), "status_code", None)
        words = "could not be downloaded" if status is None else f"the hub answered {status}"
        raise NotDownloaded(f"{words} ({type(error).__name__})") from error


def _fetch(setting: str, wanted: HubId) -> str:
    from huggingface_hub import HfApi, snapshot_download

    found = HfApi().model_info(wanted.repository, revision=wanted.revision)
    names = chosen(setting, [sibling.rfilename for sibling in found.siblings or ()], wanted)
    if not names:
        raise NotDownloaded("holds nothing that is read here")
    return commit_of(Path(snapshot_download(wanted.repository, revision=wanted.revision, allow_patterns=names)))


def chosen(setting: str, names: Iterable[str], wanted: HubId) -> list[str]:
    """The files to download, of all `names` in the repository: safetensors and what describes them, never code."""
    if wanted.file:
        beside = str(PurePosixPath(wanted.file).with_suffix(SIDECAR))
        return sorted({wanted.file, beside} & set(names)) if wanted.file.endswith(SUFFIXES[-1]) else []
    readable = [name for name in names if name.endswith(SUFFIXES)]
    if setting == "models":
        return sorted(_of_model(readable))
    return sorted(name for name in readable if "/" not in name)


def _of_model(names: Iterable[str]) -> Iterator[str]:
    """What a pipeline is read from. In each component the weights of full precision, or else the `fp16` variant."""
    inside = [name for name in names if name == "model_index.json" or _component(name) in _COMPONENTS]
    plain = {_component(name) for name in inside if name.endswith(".safetensors") and not _variant(name)}
    for name in inside:
        if not _is_weight(name) or _variant(name) == ("" if _component(name) in plain else "fp16"):
            yield name


def _component(name: str) -> str:
    folder, slash, rest = name.partition("/")
    return folder if slash and "/" not in rest else ""


def _is_weight(name: str) -> bool:
    return name.endswith(".safetensors") or ".safetensors.index." in name


def _variant(name: str) -> str:
    """`fp16` of `model.fp16.safetensors`, of its shards and of their index; empty for full precision."""
    middle = PurePosixPath(name).name.partition(".")[2].removesuffix(".safetensors").removesuffix(".json")
    parts = [part for part in middle.split(".") if part not in ("", "safetensors", "index")]
    return parts[0].partition("-")[0] if parts else ""


def _is_complete(setting: str, snapshot: Path, wanted: HubId) -> bool:
    """Whether what the catalog reads is there."""
    if wanted.file:
        return (snapshot / wanted.file).exists()
    if setting != "models":
        return any(snapshot.glob("*.safetensors"))
    return all(any(snapshot.glob(f"{each}/*.safetensors")) for each in ("unet", "vae", "text_encoder*"))
