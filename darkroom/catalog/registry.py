"""The models this service offers, by name."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.catalog.controlnets import Controlnets, Place, read_controlnets
from darkroom.catalog.digests import DigestCache
from darkroom.catalog.embeddings import Embeddings, read_embeddings
from darkroom.catalog.hub import located
from darkroom.catalog.listed import Requestable
from darkroom.catalog.loras import SUFFIX, Loras, read_loras
from darkroom.catalog.preprocessors import FROM_WEIGHTS, Preprocessors, read_preprocessors
from darkroom.catalog.single_file import is_single_file, read_single_file
from darkroom.catalog.tokenizers import Tokenizers
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.catalog.vaes import Vaes, read_vaes
from darkroom.contract.control import CONTROL_TYPES, ControlType
from darkroom.contract.generation import Name
from darkroom.contract.model import ModelSpec
from darkroom.errors import ConfigurationError, MissingWeights, UnknownModel
from darkroom.settings import ControlnetPlace, Settings

EMBEDDED = "tiny"

_NAME = TypeAdapter[str](Name)


class Models(Requestable[ModelSpec]):
    """Checkpoints by name."""

    kind, unknown = "model", UnknownModel


class Catalog:
    """Everything that can be asked for, by kind and name."""

    def __init__(  # noqa: PLR0913 - one for each kind of file
        self,
        specs: Iterable[ModelSpec],
        unavailable: Iterable[Unavailable] = (),
        *,
        default: str,
        loras: Loras | None = None,
        embeddings: Embeddings | None = None,
        vaes: Vaes | None = None,
        preprocessors: Preprocessors | None = None,
        controlnets: Controlnets | None = None,
    ) -> None:
        self.loras = loras or Loras()
        self.embeddings = embeddings or Embeddings()
        self.vaes = vaes or Vaes()
        self.preprocessors = preprocessors or Preprocessors()
        self.controlnets = controlnets or Controlnets()
        self._models = Models(specs, unavailable)
        if not self._models.knows(default):
            raise ConfigurationError(f"default_model {default!r} is not among the models: {self._models.names()}")
        self.default = default

    def spec(self, name: str, field: str = "model") -> ModelSpec:
        """`field` is where in the request the name stands.

        Raises: UnknownModel for a name nobody configured, the model's own ModelError for one that is broken."""
        return self._models.spec(name, field)

    def specs(self) -> tuple[ModelSpec, ...]:
        """Models that can be served, by name."""
        return self._models.specs()

    def unavailable(self) -> tuple[Unavailable, ...]:
        """Models that were configured but cannot be served, by name."""
        return self._models.unavailable()

    def broken(self) -> tuple[str, ...]:
        """Everything that was configured and cannot be used, in words: what it is, the file at fault, and why."""
        kinds = (self._models, self.loras, self.embeddings, self.vaes, self.preprocessors, self.controlnets)
        return tuple(
            f"the {known.kind} {entry.name} is broken: {entry.error.detail}"
            for known in kinds
            for entry in known.unavailable()
        )


def open_catalog(settings: Settings, *, remember: bool = True) -> Catalog:
    """Read every configured checkpoint, LoRA, embedding, VAE and ControlNet, and those that ship. Digests are
    remembered in the home, unless whoever asks only looks.

    Raises: ConfigurationError when the default model is none of them, or a name is one nobody could ask for.
    """
    for kind in ("models", "loras", "embeddings", "vaes", "controlnets"):
        for name in getattr(settings, kind):
            _check_name(kind, name)
    return read_catalog(
        {EMBEDDED: embedded_model_folder(), **settings.models},
        loras={**embedded_loras(), **settings.loras},
        embeddings=settings.embeddings,
        vaes=settings.vaes,
        preprocessors=_weighted(settings.preprocessors),
        controlnets={**embedded_controlnets(), **_places(settings.controlnets)},
        default=settings.default_model,
        tokenizer=settings.tokenizer,
        digests=DigestCache(settings.home_folder / "digests.json", remember=remember),
    )


def read_catalog(  # noqa: PLR0913 - as many as there are kinds of what is served
    folders: Mapping[str, Path],
    *,
    default: str,
    digests: DigestCache,
    loras: Mapping[str, Path] = MappingProxyType({}),
    embeddings: Mapping[str, Path] = MappingProxyType({}),
    vaes: Mapping[str, Path] = MappingProxyType({}),
    preprocessors: Mapping[ControlType, Path] = MappingProxyType({}),
    tokenizer: Path | None = None,
    controlnets: Mapping[str, Place] = MappingProxyType({}),
) -> Catalog:
    """A catalog of these checkpoints, LoRAs, embeddings, VAEs and ControlNets, name -> where it lies."""
    specs, unavailable = _read_models(folders, digests, tokenizer)
    return Catalog(
        specs,
        unavailable,
        default=default,
        loras=read_loras(loras, specs, digests.sha256),
        embeddings=read_embeddings(embeddings, specs, digests.sha256),
        vaes=read_vaes(vaes, specs, digests.sha256),
        preprocessors=read_preprocessors(preprocessors, digests.sha256),
        controlnets=read_controlnets(controlnets, specs, digests.sha256),
    )


def _weighted(paths: Mapping[str, Path]) -> dict[ControlType, Path]:
    """Raises: ConfigurationError for a type of map that is not made from weights."""
    if unknown := set(paths) - set(FROM_WEIGHTS):
        raise ConfigurationError(f"preprocessors: {min(unknown)!r} is none of {', '.join(sorted(FROM_WEIGHTS))}")
    return {kind: paths[kind] for kind in FROM_WEIGHTS if kind in paths}


def _read_models(
    places: Mapping[str, Path], digests: DigestCache, tokenizer: Path | None
) -> tuple[list[ModelSpec], list[Unavailable]]:
    """Folders first: single files take their tokenizer from one of them."""
    specs: list[ModelSpec] = []
    unavailable: list[Unavailable] = []
    for name, place in sorted(places.items(), key=lambda item: is_single_file(item[1])):
        with set_aside(name, place, unavailable):
            path = located(place)
            if is_single_file(path):
                specs.append(read_single_file(name, path, digests.sha256, Tokenizers(tokenizer, specs)))
            else:
                specs.append(read_checkpoint(name, path, digests.sha256))
    return specs, unavailable


def _places(configured: Mapping[str, ControlnetPlace]) -> dict[str, Place]:
    """Raises: ConfigurationError for maps that nobody makes."""
    known = {str(kind): kind for kind in CONTROL_TYPES}
    for name, place in configured.items():
        if place.type not in known:
            raise ConfigurationError(f"controlnets: the type of {name!r} is none of {', '.join(CONTROL_TYPES)}")
    return {name: Place(known[place.type], place.path) for name, place in configured.items()}


def _check_name(setting: str, name: str) -> None:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise ConfigurationError(
            f"{setting}: {name!r} is no name: up to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
        ) from None


def embedded_model_folder() -> Path:
    """Where the model that ships with darkroom lies. Found without importing `worker`, which would bring torch.

    Raises: MissingWeights when the package is not installed.
    """
    found = find_spec("worker")
    if found is None or not found.submodule_search_locations:
        raise MissingWeights("worker/tiny/model", "the worker package is not installed")
    return Path(found.submodule_search_locations[0]) / "tiny" / "model"


def embedded_loras() -> dict[str, Path]:
    """The LoRAs that ship beside the embedded model, name -> file. Raises: as `embedded_model_folder`."""
    folder = embedded_model_folder().parent / "loras"
    return {file.stem: file for file in sorted(folder.glob(f"*{SUFFIX}"))}


def embedded_controlnets() -> dict[str, Place]:
    """The ControlNets that ship beside the embedded model, each named as the maps it takes, with `tiny-` before it.

    Raises: as `embedded_model_folder`.
    """
    folder = embedded_model_folder().parent / "controlnets"
    return {f"{EMBEDDED}-{kind}": Place(kind, folder / kind) for kind in CONTROL_TYPES if (folder / kind).is_dir()}
