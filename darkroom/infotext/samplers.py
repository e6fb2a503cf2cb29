"""Our schedulers by the names of A1111, where one has two: a sampler, and how its noise levels are spaced.

Names, aliases and what `Automatic` means are those of Stable Diffusion web UI 1.10, modules/sd_samplers*.py and
sd_schedulers.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from darkroom.catalog.schedulers import SCHEDULER_PARTS

AUTOMATIC = "Automatic"
UNIFORM = "Uniform"


@dataclass(frozen=True)
class Sampler:
    """`automatic` is the label of the spacing that `Automatic` means with it."""

    name: str
    aliases: tuple[str, ...]
    automatic: str


@dataclass(frozen=True)
class Spacing:
    """What A1111 calls a scheduler, or schedule type. `label` is for people."""

    name: str
    label: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """`lacking` is the spacing that was named, where there is none of it with this sampler; empty otherwise."""

    scheduler: str
    lacking: str = ""


# The spacings that we have, in A1111's order.
SPACINGS: tuple[Spacing, ...] = (
    Spacing("automatic", AUTOMATIC),
    Spacing("uniform", UNIFORM, ("normal",)),  # both linear in time
    Spacing("karras", "Karras"),
    Spacing("exponential", "Exponential"),
    Spacing("sgm_uniform", "SGM Uniform", ("SGMUniform",)),
    Spacing("beta", "Beta"),
)

# A1111's own for DPM++ 2M SDE Heun is Exponential, which we have not.
_AUTOMATIC: Mapping[str, str] = MappingProxyType(
    {
        "DPM++ 2M": "Karras",
        "DPM++ SDE": "Karras",
        "DPM++ 2M SDE": "Exponential",
        "DPM++ 2M SDE Heun": "Karras",
        "DPM++ 3M SDE": "Exponential",
        "DPM2": "Karras",
        "DPM2 a": "Karras",
    }
)
_ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DPM++ 2M": ("k_dpmpp_2m",),
        "DPM++ SDE": ("k_dpmpp_sde",),
        "DPM++ 2M SDE": ("k_dpmpp_2m_sde",),
        "DPM++ 2M SDE Heun": ("k_dpmpp_2m_sde_heun",),
        "DPM++ 3M SDE": ("k_dpmpp_3m_sde",),
        "Euler a": ("k_euler_a", "k_euler_ancestral"),
        "Euler": ("k_euler",),
        "LMS": ("k_lms",),
        "Heun": ("k_heun",),
        "DPM2": ("k_dpm_2",),
        "DPM2 a": ("k_dpm_2_a",),
        "PLMS": ("pndm",),
    }
)
_SCHEDULERS: Mapping[tuple[str, str], str] = MappingProxyType({parts: name for name, parts in SCHEDULER_PARTS.items()})


def _samplers() -> Iterator[Sampler]:
    for title in dict.fromkeys(title for title, _ in SCHEDULER_PARTS.values()):
        plain = _SCHEDULERS[title, ""]
        aliases = dict.fromkeys((*_ALIASES.get(title, ()), plain))
        yield Sampler(title, tuple(aliases), _AUTOMATIC.get(title, UNIFORM))


SAMPLERS: tuple[Sampler, ...] = tuple(_samplers())

_SAMPLERS_BY_NAME = {name.casefold(): each for each in SAMPLERS for name in (each.name, *each.aliases)}
_SPACINGS_BY_NAME = {name.casefold(): each for each in SPACINGS for name in (each.name, each.label, *each.aliases)}


def scheduler_of(sampler: str, spacing: str = "") -> Found | None:
    """What A1111 means by these names; None for a sampler that we have not.

    The spacing may stand behind the sampler's name as well, as it did before 1.9 (`DPM++ 2M Karras`), and then counts.
    """
    if sampler in SCHEDULER_PARTS and not _means_something(spacing):
        return Found(sampler)
    known, within = _split(sampler.strip())
    return _spaced(known, within or spacing.strip()) if known else None


def names_of(scheduler: str) -> tuple[str, str]:
    """Name of the sampler and label of the spacing, by which `scheduler_of` finds this scheduler again."""
    sampler, spacing = SCHEDULER_PARTS[scheduler]
    if spacing:
        return sampler, spacing
    return sampler, AUTOMATIC if _AUTOMATIC.get(sampler) is None else UNIFORM


def _means_something(spacing: str) -> bool:
    return spacing.strip().casefold() not in ("", AUTOMATIC.casefold())


def _split(name: str) -> tuple[Sampler | None, str]:
    """The sampler, and the spacing that its name ends with."""
    folded = name.casefold()
    if folded in _SAMPLERS_BY_NAME:
        return _SAMPLERS_BY_NAME[folded], ""
    for ending, spacing in _SPACINGS_BY_NAME.items():
        if folded.endswith(f" {ending}"):
            return _SAMPLERS_BY_NAME.get(folded.removesuffix(ending).rstrip()), spacing.label
    return None, ""


def _spaced(sampler: Sampler, asked: str) -> Found:
    spacing = _SPACINGS_BY_NAME.get(asked.casefold())
    label = sampler.automatic if not _means_something(asked) or spacing is None else spacing.label
    found = _SCHEDULERS.get((sampler.name, "" if label == UNIFORM else label))
    if found and (spacing or not asked):
        return Found(found)
    automatic = "" if sampler.automatic == UNIFORM else sampler.automatic
    return Found(_SCHEDULERS[sampler.name, automatic], lacking=asked)
