"""What all errors that are raised on purpose have."""

from typing import ClassVar


class DarkroomError(Exception):
    """Base of everything raised on purpose; `detail` is safe to show to the caller."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
