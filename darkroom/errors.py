"""Every error darkroom raises on purpose, drawn once.

    DarkroomError
    ├── RequestError                    the caller asked for something wrong
    │   ├── InvalidField                one named field is wrong
    │   │   ├── UnknownModel
    │   │   ├── UnknownLora
    │   │   ├── LoraMisfit              its layers are not those of the model
    │   │   ├── PreprocessorUnavailable
    │   │   ├── UnknownVae
    │   │   ├── VaeMisfit               its latents are not those of the model
    │   │   ├── UnknownControlnet
    │   │   ├── ControlnetMisfit        its layers do not go with those of the model
    │   │   └── UnknownScheduler
    │   ├── MalformedBody
    │   ├── MalformedRequest            not HTTP, or not as an API that we did not write has it
    │   ├── MethodNotAllowed            the header `Allow` lists those the path answers
    │   ├── PayloadTooLarge
    │   ├── UnsupportedMediaType
    │   ├── LongAddress                 a value that belongs into a body
    │   ├── UrlRefused                  a URL that nobody is let go to
    │   ├── UrlUnreachable              a URL with no file to be had in time
    │   └── BadPicture                  bytes that are not a picture we read
    ├── AccessError
    │   ├── Unauthenticated
    │   ├── ForbiddenOrigin
    │   └── UnknownHost
    ├── NotFound
    ├── ConflictError
    │   └── IdempotencyMismatch         one key, two bodies
    ├── CapacityError                   try again later
    │   ├── RateLimited
    │   ├── TenantLimit
    │   └── QueueFull
    ├── UnavailableError                something we stand on is away
    │   ├── LedgerUnavailable
    │   ├── StoreUnavailable
    │   └── NotReady                    ledger or store cannot be worked with
    ├── StoreError
    │   └── NotStored
    ├── StaleAttempt                    a worker that lost its lease came back
    ├── GenerationError                 a job ends as `failed`, with this code
    │   ├── OutOfMemory
    │   ├── NanOutput
    │   ├── LostInput                   a picture it begins with is gone
    │   ├── PreprocessorFailed          a picture that no map could be made of
    │   ├── AttemptsExhausted
    │   ├── UnmarkedOutput              the watermark did not read back
    │   └── UnsignedOutput              the credential did not read back
    ├── ModelError                      a checkpoint, a LoRA or a VAE cannot be served
    │   ├── MissingWeights
    │   └── BrokenWeights
    └── ConfigurationError              the process must not start

`code` is stable and public: clients match on it. `status` is the HTTP status the gateway answers with. `retryable`
says whether the same request may succeed later without being changed.
"""

from typing import ClassVar


class DarkroomError(Exception):
    """Base of everything raised on purpose; `detail` is safe to show to the caller."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RequestError(DarkroomError):
    code, status = "invalid_request", 422


class InvalidField(RequestError):
    """One field is wrong; `field` is its dotted path in the request."""

    code = "invalid_field"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class UnknownModel(InvalidField):
    code = "unknown_model"


class UnknownLora(InvalidField):
    code = "unknown_lora"


class LoraMisfit(InvalidField):
    code = "lora_misfit"


class UnknownVae(InvalidField):
    code = "unknown_vae"


class VaeMisfit(InvalidField):
    code = "vae_misfit"


class PreprocessorUnavailable(InvalidField):
    """Control maps of this type need weights or a library that this service was not given."""

    code = "preprocessor_unavailable"


class UnknownControlnet(InvalidField):
    code = "unknown_controlnet"


class ControlnetMisfit(InvalidField):
    code = "controlnet_misfit"


class UnknownScheduler(InvalidField):
    code = "unknown_scheduler"


class MalformedBody(RequestError):
    code, status = "malformed_body", 400


class MalformedRequest(RequestError):
    code, status = "malformed_request", 400


class MethodNotAllowed(RequestError):
    code, status = "method_not_allowed", 405


class PayloadTooLarge(RequestError):
    code, status = "payload_too_large", 413


class UnsupportedMediaType(RequestError):
    code, status = "unsupported_media_type", 415


class LongAddress(RequestError):
    code, status = "long_address", 414


class UrlRefused(RequestError):
    code = "url_refused"


class UrlUnreachable(RequestError):
    code = "url_unreachable"


class BadPicture(RequestError):
    code = "bad_picture"


class AccessError(DarkroomError):
    code, status = "forbidden", 403


class Unauthenticated(AccessError):
    code, status = "unauthenticated", 401


class ForbiddenOrigin(AccessError):
    code = "forbidden_origin"


class UnknownHost(AccessError):
    """Without API keys, the service answers only to names of its own machine."""

    code, status = "unknown_host", 400


class NotFound(DarkroomError):
    code, status = "not_found", 404


class ConflictError(DarkroomError):
    code, status = "conflict", 409


class IdempotencyMismatch(ConflictError):
    code = "idempotency_mismatch"


class CapacityError(DarkroomError):
    """Refused for load; `retry_after` is in seconds."""

    code, status, retryable = "over_capacity", 503, True

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RateLimited(CapacityError):
    code, status = "rate_limited", 429


class TenantLimit(CapacityError):
    code, status = "tenant_limit", 429


class QueueFull(CapacityError):
    code = "queue_full"


class UnavailableError(DarkroomError):
    """A dependency is away; `retry_after` is in seconds."""

    code, status, retryable = "unavailable", 503, True

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class LedgerUnavailable(UnavailableError):
    code = "ledger_unavailable"


class StoreUnavailable(UnavailableError):
    code = "store_unavailable"


class NotReady(UnavailableError):
    code = "not_ready"


class StoreError(DarkroomError):
    code = "store_error"


class NotStored(StoreError):
    code, status = "not_stored", 404


class StaleAttempt(DarkroomError):
    code, status = "stale_attempt", 409


class GenerationError(DarkroomError):
    code = "generation_failed"


class OutOfMemory(GenerationError):
    code, retryable = "out_of_memory", True


class NanOutput(GenerationError):
    code = "nan_output"


class LostInput(GenerationError):
    code = "lost_input"


class PreprocessorFailed(GenerationError):
    code = "preprocessor_failed"


class AttemptsExhausted(GenerationError):
    code = "attempts_exhausted"


class UnmarkedOutput(GenerationError):
    code = "unmarked_output"


class UnsignedOutput(GenerationError):
    code = "unsigned_output"


class ModelError(DarkroomError):
    """`path` names the file at fault, relative to the model where it can be."""

    code, status = "model_error", 503

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path


class MissingWeights(ModelError):
    code = "missing_weights"


class BrokenWeights(ModelError):
    code = "broken_weights"


class ConfigurationError(DarkroomError):
    code = "bad_configuration"
