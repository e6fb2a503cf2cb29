"""Settings of provenance."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings

from darkroom.settings.kinds import Digest, HttpUrl

ShortLabel = Annotated[str, Field(min_length=1, max_length=16)]


class TrustmarkPlace(BaseModel):
    """TrustMark's two networks in ONNX, and the SHA-256 that each must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: Literal["B", "C", "P", "Q"]
    encoder: Path
    encoder_sha256: Digest
    decoder: Path
    decoder_sha256: Digest


class OldSecret(BaseModel):
    """A watermark's secret of before, and the last epoch in which it marked."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret: SecretStr
    last_epoch: int = Field(ge=0, le=100)


class Marks(BaseSettings):
    """Watermark, credentials and labels."""

    watermark: Literal["tss", "trustmark-onnx", "none"] = Field(
        default="tss",
        description="invisible mark: our own, that of TrustMark's networks, or `none`, which is for development only",
    )
    trustmark: TrustmarkPlace | None = Field(
        default=None,
        description="TrustMark's networks: `variant`, `encoder`, `encoder_sha256`, `decoder`, `decoder_sha256`; their"
        " marks are read, and made with `trustmark-onnx`",
    )
    producer: str = Field(
        default="darkroom",
        pattern=r"^[^\x00-\x1f\x7f\x{fffe}\x{ffff}]{1,120}$",
        description="name of the provider in China's label, which is in every picture's metadata",
    )
    visible_label: str = Field(
        default="",
        max_length=16,
        description="words that are drawn into a corner of every picture, such as AI-generated; none if empty",
    )
    visible_labels: tuple[ShortLabel, ...] = Field(
        default=("AI-generated",), description="words that requests may have drawn by `visible_label`, besides that one"
    )
    visible_label_font: Path | None = Field(
        default=None, description="font of the label, for letters that are not Latin; Pillow's own if unset"
    )
    prompt_policy: Literal["omit", "hmac", "plain"] = Field(
        default="omit",
        description="what credentials say of the prompt: nothing, a keyed hash that proves a claim, or the words",
    )
    watermark_secret: SecretStr | None = Field(
        default=None, description="hex secret of the mark; made in `home` if unset"
    )
    watermark_epoch: int = Field(
        default=1, ge=0, le=100, description="number of the mark's keys; raised to mark with new ones, never lowered"
    )
    watermark_old_secrets: tuple[OldSecret | SecretStr, ...] = Field(
        default=(),
        description="secrets of before, by which marks are still read: `secret` in hex, and `last_epoch` in which it"
        " marked; or the hex alone, which is tried for every epoch",
    )
    signing_certificate: Path | None = Field(
        default=None, description="PEM chain, leaf first; a development PKI in `home` if unset"
    )
    signing_key: Path | None = Field(
        default=None, description="PKCS#8 PEM key of the leaf; or else `signing_command` or `signing_url`"
    )
    signing_command: tuple[str, ...] = Field(
        default=(),
        description="program and arguments, run without a shell, that read bytes to sign and write the signature",
    )
    signing_command_variables: tuple[str, ...] = Field(
        default=(), description="names of environment variables that `signing_command` sees besides PATH, HOME and LANG"
    )
    signing_url: HttpUrl | None = Field(
        default=None, description="service to which bytes to sign are posted, and which answers with the signature"
    )
    signing_token: SecretStr | None = Field(default=None, description="bearer token for `signing_url`")
    signing_ca: Path | None = Field(
        default=None, description="PEM roots that the TLS of `signing_url` is held to; the system's if unset"
    )
    signing_timeout: float = Field(
        default=5.0, gt=0, le=60, description="seconds that `signing_command` or `signing_url` may take for a picture"
    )
    timestamp_url: HttpUrl | None = Field(
        default=None,
        description="timestamp authority (RFC 3161) that attests the time of each signature; none if unset",
    )
    timestamp_policy: Literal["best_effort", "required"] = Field(
        default="best_effort",
        description="whether pictures may leave without an attested time while it does not answer",
    )
    timestamp_timeout: float = Field(
        default=3.0, gt=0, le=30, description="seconds that the timestamp authority may take for a picture"
    )
    timestamp_anchors: Path | None = Field(
        default=None, description="PEM roots of timestamp authorities: verify tells the times that these vouch for"
    )
    trust_anchors: Path | None = Field(default=None, description="PEM roots that verify trusts besides our own")
