"""Every setting, once. Each is an environment variable `DARKROOM_<NAME>`; nothing is read at import."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _redis_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        sound = parts.scheme == "unix" or (parts.scheme in ("redis", "rediss") and parts.port != 0)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("must begin with redis://, rediss:// or unix://, and name a port from 1 to 65535 if any")
    return url


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+")]
Port = Annotated[int, Field(ge=1, le=65535)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]


class ControlnetPlace(BaseModel):
    """The maps a ControlNet was trained on, and its folder in diffusers' layout, or a hub id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    path: Path


class TrustmarkPlace(BaseModel):
    """TrustMark's two networks in ONNX, and the SHA-256 that each must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: Literal["B", "C", "P", "Q"]
    encoder: Path
    encoder_sha256: Digest
    decoder: Path
    decoder_sha256: Digest


class Settings(BaseSettings):
    """What a process of darkroom must know. Defaults are those of one machine."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", extra="ignore", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    home: Path = Field(
        default=Path("~/.darkroom"), description="folder for keys, development certificates and local stores"
    )

    redis_url: RedisUrl = Field(default=SecretStr("redis://127.0.0.1:6379/0"), description="ledger, events and bells")
    redis_timeout: float = Field(default=2.0, gt=0, le=2.0, description="seconds before a Redis call is given up")
    key_prefix: str = Field(default="darkroom", description="first part of every Redis key")

    store: Literal["folder", "s3"] = Field(default="folder", description="where pictures live")
    store_folder: Path | None = Field(default=None, description="folder of the `folder` store; `home`/store if unset")
    s3_endpoint: HttpUrl | None = Field(default=None, description="S3 endpoint that our own processes use")
    s3_public_endpoint: HttpUrl | None = Field(
        default=None, description="S3 endpoint that presigned URLs name; `s3_endpoint` if unset"
    )
    s3_bucket: str = Field(default="darkroom", description="bucket of the `s3` store")
    s3_region: str = Field(default="us-east-1", description="region of the `s3` store")
    s3_access_key: SecretStr | None = Field(default=None, description="access key; boto3's own chain if unset")
    s3_secret_key: SecretStr | None = Field(default=None, description="secret key; boto3's own chain if unset")

    host: str = Field(default="127.0.0.1", description="address the gateway listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port the gateway listens on; 0 picks a free one")
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="port on which a worker shows its metrics, at `host`; none if unset"
    )
    public_url: HttpUrl | None = Field(
        default=None, description="base of the URLs we hand out; the request's own if unset"
    )
    api_keys: dict[Digest, str] = Field(default_factory=dict, description="SHA-256 hex of an API key -> tenant")
    allow_anonymous: bool = Field(
        default=False, description="serve requests without a key as tenant `local`; loopback only"
    )
    max_body_bytes: int = Field(default=64 * 1024 * 1024, ge=1024, description="largest request body")
    max_queued: int = Field(default=10_000, ge=1, description="jobs waiting in the whole service before 503 queue_full")
    max_queued_per_tenant: int = Field(
        default=1_000, ge=1, description="jobs waiting for one tenant before 429 tenant_limit"
    )
    verify_per_minute: int = Field(
        default=300,
        ge=1,
        le=60_000,
        description="pictures a tenant may have looked up in a minute, over all gateways, before 429 rate_limited",
    )
    verify_per_minute_and_address: int = Field(
        default=600,
        ge=1,
        le=60_000,
        description="the same for all callers at one address, which behind a proxy is the proxy's",
    )

    outbound_allow: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="networks that are not public, in which URLs of callers may be fetched all the same"
    )
    outbound_ports: tuple[Port, ...] = Field(default=(80, 443), description="ports that URLs of callers may name")

    models: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> folder, .safetensors file or hub id (hf:owner/name@revision) of a checkpoint; `tiny` is"
        " always there",
    )
    tokenizer: Path | None = Field(
        default=None,
        description="folder of CLIP's tokenizer for checkpoints in one file, which bring none; another checkpoint's if"
        " unset",
    )
    loras: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> .safetensors file or hub id of a LoRA; those of `tiny` are always there",
    )
    vaes: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> folder, .safetensors file or hub id of a VAE, for requests that name it",
    )
    controlnets: dict[str, ControlnetPlace] = Field(
        default_factory=dict,
        description='name -> `{"type": "canny", "path": FOLDER}` of a ControlNet, or a hub id as path; that of `tiny`'
        " is always there",
    )
    embeddings: dict[str, Path] = Field(
        default_factory=dict,
        description="name -> .safetensors file or hub id of a textual inversion; prompts use it by its name",
    )
    lora_cache_bytes: int = Field(
        default=1 << 30, ge=0, description="memory for LoRAs that nobody uses just now; the latest used stay"
    )
    preprocessors: dict[str, Path] = Field(
        default_factory=dict,
        description="type of control map -> folder, file or hub id of the weights that make it: depth, openpose,"
        " segmentation, softedge",
    )
    default_model: str = Field(default="tiny", description="model of a request that names none")
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto", description="dtype of the networks"
    )
    attention: Literal["auto", "flash", "cudnn", "efficient", "math"] = Field(
        default="auto", description="attention kernel of the U-Net; where it refuses a shape, one that takes any"
    )
    compile: Literal["off", "regional"] = Field(
        default="off",
        description="compile the U-Net's transformer blocks; the first pass of every size then takes up to a minute",
    )
    threads: int = Field(default=0, ge=0, description="torch threads of a CPU worker; 0 lets torch choose")
    standby: bool = Field(
        default=True,
        description="keep a second interpreter with torch loaded (400 MB) to replace a crashed worker at once",
    )
    max_rows: int = Field(
        default=16, ge=2, description="most rows in one forward pass; lanes find out how many of them pay"
    )

    lease_seconds: float = Field(default=15.0, gt=0, description="a worker silent for this long loses its jobs")
    max_attempts: int = Field(default=3, ge=1, description="claims that may die before the job fails")
    outage_patience: float = Field(
        default=60.0,
        ge=0,
        description="seconds a worker waits for a store or ledger that is away before it gives a job up",
    )
    drain_seconds: float = Field(default=20.0, ge=0, description="how long a stopping worker may finish what it holds")
    result_ttl: int = Field(default=7 * 24 * 3600, ge=1, description="seconds a finished job's record is kept")
    record_ttl: int | None = Field(
        default=None,
        ge=24 * 3600,
        description="seconds that marks lead back to what was signed, at least `result_ttl`; for ever if unset",
    )

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
    watermark_old_secrets: tuple[SecretStr, ...] = Field(
        default=(), description="hex secrets of before, by which marks are still read"
    )
    signing_certificate: Path | None = Field(
        default=None, description="PEM chain, leaf first; a development PKI in `home` if unset"
    )
    signing_key: Path | None = Field(default=None, description="PKCS#8 PEM key of the leaf")
    trust_anchors: Path | None = Field(default=None, description="PEM roots that verify trusts besides our own")

    production: bool = Field(
        default=False,
        description="gateway and worker start only with a signing certificate that is not for development, and with a"
        " watermark",
    )

    log_format: Literal["json", "console"] = Field(default="json", description="how log lines look")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")

    @property
    def home_folder(self) -> Path:
        return self.home.expanduser()

    @property
    def folder_root(self) -> Path:
        return self.store_folder or self.home_folder / "store"
