"""What jobs end with, and processes that must not start."""

from darkroom.errors.base import DarkroomError


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


class SigningUnavailable(GenerationError):
    """The key is held elsewhere, and its holder did not sign; or no certificate is valid any more."""

    code, retryable = "signing_unavailable", True


class TimestampUnavailable(SigningUnavailable):
    code = "timestamp_unavailable"


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
