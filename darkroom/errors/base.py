"""What all errors that are raised on purpose have."""

from typing import ClassVar


class DarkroomError(Exception):
    """Base of everything raised on purpose; `detail` is safe to show to the caller.

    `ended_job`: a job of the caller's ended so, with its attempts used. Even where the same request may succeed later,
    asking again at once is another job, and its work once more.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    ended_job: bool = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
