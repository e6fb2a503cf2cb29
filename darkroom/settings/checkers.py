"""Settings of who looks at words and pictures, and how sure they must be."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings

from darkroom.settings.kinds import HttpUrl

Category = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
CheckerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Certainty = Annotated[float, Field(ge=0, le=1)]


class ClassifierPlace(BaseModel):
    """The folder of a network that says what a picture shows, and what each of its labels counts as."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    labels: dict[str, Category] = Field(default_factory=dict)


class Checkers(BaseSettings):
    """Lists, networks and services."""

    safety_threshold: Certainty = Field(
        default=0.8, description="score from which on a category is flagged, unless `safety_thresholds` has it"
    )
    safety_thresholds: dict[Category, Certainty] = Field(
        default_factory=dict, description="category -> score from which on it is flagged"
    )
    safety_prompt_lists: tuple[Path, ...] = Field(
        default=(), description="files of words and phrases that prompts are searched for (docs/safety.md)"
    )
    safety_minors_list: bool = Field(
        default=True,
        description="search prompts also for words of sex beside words of children, in English, as category"
        " `sexual_minors`",
    )
    safety_open_nsfw: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="look at pictures with Yahoo's Open-NSFW, category `sexual`: `auto` where darkroom[safety] is"
        " installed; `on` refuses to start without",
    )
    safety_classifiers: dict[CheckerName, ClassifierPlace] = Field(
        default_factory=dict,
        description='name -> `{"path": FOLDER}` of a safety checker in the layout of diffusers, or of an image'
        ' classifier in that of transformers; `"labels": {LABEL: CATEGORY}` where its labels are not known here',
    )
    safety_device: str = Field(default="cpu", description="device of `safety_classifiers`: cpu, cuda or cuda:N")
    safety_hook_url: HttpUrl | None = Field(
        default=None, description="service of yours that is asked about prompts and pictures (docs/safety.md)"
    )
    safety_hook_asks: tuple[Literal["prompts", "pictures"], ...] = Field(
        default=("prompts", "pictures"), description="what it is asked about"
    )
    safety_hook_token: SecretStr | None = Field(default=None, description="bearer token for `safety_hook_url`")
    safety_hook_ca: Path | None = Field(
        default=None, description="PEM roots that the TLS of `safety_hook_url` is held to; the system's if unset"
    )
    safety_hook_timeout: float = Field(
        default=5.0, gt=0, le=60, description="seconds that `safety_hook_url` may take for one question"
    )
    safety_hook_plaintext: bool = Field(
        default=False, description="let `safety_hook_url` be http beyond this machine: others may read along"
    )

    def safety_threshold_of(self, category: str) -> float:
        return self.safety_thresholds.get(category, self.safety_threshold)
