"""What a caller is refused for what was asked, or who asked."""

from darkroom.errors.base import DarkroomError


class RequestError(DarkroomError):
    code, status = "invalid_request", 422


class InvalidField(RequestError):
    """One field is wrong; `field` is its dotted path in the request. None of a job that ended so: no more is known."""

    code = "invalid_field"
    field: str | None = None

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


class NoWebhookSecret(InvalidField):
    """Nothing would be sent that its receiver could not verify."""

    code = "no_webhook_secret"


class TooLarge(RequestError):
    """More device time than one request may have."""

    code = "job_too_large"


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


class UrlError(RequestError):
    """A URL that nothing was fetched from; `field` is its dotted path in the request, where it stood in a field."""

    field: str | None = None


class UrlRefused(UrlError):
    code = "url_refused"


class UrlUnreachable(UrlError):
    code = "url_unreachable"


class BadPicture(RequestError):
    code = "bad_picture"


class AccessError(DarkroomError):
    code, status = "forbidden", 403


class Unauthenticated(AccessError):
    code, status = "unauthenticated", 401


class ForbiddenOrigin(AccessError):
    code = "forbidden_origin"


class BadLink(AccessError):
    """A link to a picture that is none of ours, or has expired."""

    code = "bad_link"


class UnknownHost(AccessError):
    """Without API keys, the service answers only to names of its own machine and of `allowed_hosts`."""

    code, status = "unknown_host", 400


class NotFound(DarkroomError):
    code, status = "not_found", 404


class Gone(DarkroomError):
    """What it was made of is not kept any more."""

    code, status = "gone", 410


class ConflictError(DarkroomError):
    code, status = "conflict", 409


class IdempotencyMismatch(ConflictError):
    code = "idempotency_mismatch"


class EndpointDisabled(ConflictError):
    code = "endpoint_disabled"
