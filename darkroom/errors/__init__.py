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
    │   │   ├── UnknownScheduler
    │   │   └── NoWebhookSecret         its webhooks could not be signed
    │   ├── TooLarge                    more device time than one request may have
    │   ├── MalformedBody
    │   ├── MalformedRequest            not HTTP, or not as an API that we did not write has it
    │   ├── MethodNotAllowed            the header `Allow` lists those the path answers
    │   ├── PayloadTooLarge
    │   ├── UnsupportedMediaType
    │   ├── LongAddress                 a value that belongs into a body
    │   ├── UrlError                    nothing was fetched from a URL
    │   │   ├── UrlRefused              nobody is let go there
    │   │   └── UrlUnreachable          no file is to be had there in time
    │   └── BadPicture                  bytes that are not a picture we read
    ├── AccessError
    │   ├── Unauthenticated
    │   ├── ForbiddenOrigin
    │   ├── BadLink                     none of ours, or no more
    │   └── UnknownHost
    ├── NotFound
    ├── Gone                            what it was made of is not kept any more
    ├── ConflictError
    │   ├── IdempotencyMismatch         one key, two bodies
    │   └── EndpointDisabled            a URL that answered 410
    ├── CapacityError                   try again later
    │   ├── RateLimited
    │   ├── TenantLimit
    │   ├── TooLate                     others' work would keep it beyond its deadline
    │   └── QueueFull
    ├── UnavailableError                something we stand on is away
    │   ├── LedgerUnavailable
    │   │   └── LedgerRefused           it answers, and does not let us in
    │   ├── StoreUnavailable
    │   │   └── StoreRefused            it answers, and refuses us or our bucket
    │   ├── SafetyUnavailable           words or pictures that must be looked at, and cannot
    │   └── NotReady                    ledger or store cannot be worked with
    ├── NoPicture                       somebody waited for a picture, and there is none
    │   ├── GenerationCanceled
    │   ├── GenerationExpired
    │   ├── GenerationBlocked
    │   ├── PicturesUnread              they were made, and the store does not give them back
    │   └── WaitTimedOut                it was not made in the time that it is waited for
    │       └── StillRunning            and goes on being made
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
    │   ├── UnsignedOutput              the credential did not read back
    │   └── SigningUnavailable          who holds the key did not sign
    │       └── TimestampUnavailable    who attests the time did not
    ├── ModelError                      a checkpoint, a LoRA or a VAE cannot be served
    │   ├── MissingWeights
    │   └── BrokenWeights
    └── ConfigurationError              the process must not start

`code` is stable and public: clients match on it. `status` is the HTTP status the gateway answers with. `retryable`
says whether the same request may succeed later without being changed, and `ended_job` that a program should not ask
again by itself.
"""

from darkroom.errors.away import (
    CapacityError,
    LedgerRefused,
    LedgerUnavailable,
    NotReady,
    NotStored,
    QueueFull,
    RateLimited,
    SafetyUnavailable,
    StaleAttempt,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    TenantLimit,
    TooLate,
    UnavailableError,
)
from darkroom.errors.base import (
    DarkroomError,
)
from darkroom.errors.failures import (
    AttemptsExhausted,
    BrokenWeights,
    ConfigurationError,
    GenerationError,
    LostInput,
    MissingWeights,
    ModelError,
    NanOutput,
    OutOfMemory,
    PreprocessorFailed,
    SigningUnavailable,
    TimestampUnavailable,
    UnmarkedOutput,
    UnsignedOutput,
)
from darkroom.errors.no_picture import (
    GenerationBlocked,
    GenerationCanceled,
    GenerationExpired,
    NoPicture,
    PicturesUnread,
    StillRunning,
    WaitTimedOut,
)
from darkroom.errors.refusals import (
    AccessError,
    BadLink,
    BadPicture,
    ConflictError,
    ControlnetMisfit,
    EndpointDisabled,
    ForbiddenOrigin,
    Gone,
    IdempotencyMismatch,
    InvalidField,
    LongAddress,
    LoraMisfit,
    MalformedBody,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    NoWebhookSecret,
    PayloadTooLarge,
    PreprocessorUnavailable,
    RequestError,
    TooLarge,
    Unauthenticated,
    UnknownControlnet,
    UnknownHost,
    UnknownLora,
    UnknownModel,
    UnknownScheduler,
    UnknownVae,
    UnsupportedMediaType,
    UrlError,
    UrlRefused,
    UrlUnreachable,
    VaeMisfit,
)

__all__ = [
    "AccessError",
    "AttemptsExhausted",
    "BadLink",
    "BadPicture",
    "BrokenWeights",
    "CapacityError",
    "ConfigurationError",
    "ConflictError",
    "ControlnetMisfit",
    "DarkroomError",
    "EndpointDisabled",
    "ForbiddenOrigin",
    "GenerationBlocked",
    "GenerationCanceled",
    "GenerationError",
    "GenerationExpired",
    "Gone",
    "IdempotencyMismatch",
    "InvalidField",
    "LedgerRefused",
    "LedgerUnavailable",
    "LongAddress",
    "LoraMisfit",
    "LostInput",
    "MalformedBody",
    "MalformedRequest",
    "MethodNotAllowed",
    "MissingWeights",
    "ModelError",
    "NanOutput",
    "NoPicture",
    "NoWebhookSecret",
    "NotFound",
    "NotReady",
    "NotStored",
    "OutOfMemory",
    "PayloadTooLarge",
    "PicturesUnread",
    "PreprocessorFailed",
    "PreprocessorUnavailable",
    "QueueFull",
    "RateLimited",
    "RequestError",
    "SafetyUnavailable",
    "SigningUnavailable",
    "StaleAttempt",
    "StillRunning",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "TenantLimit",
    "TimestampUnavailable",
    "TooLarge",
    "TooLate",
    "Unauthenticated",
    "UnavailableError",
    "UnknownControlnet",
    "UnknownHost",
    "UnknownLora",
    "UnknownModel",
    "UnknownScheduler",
    "UnknownVae",
    "UnmarkedOutput",
    "UnsignedOutput",
    "UnsupportedMediaType",
    "UrlError",
    "UrlRefused",
    "UrlUnreachable",
    "VaeMisfit",
    "WaitTimedOut",
]
