"""What a caller hears who waited for a picture that there is none of. Where nobody waits, a job's state tells it."""

from darkroom.errors.base import DarkroomError


class NoPicture(DarkroomError):
    code, ended_job = "no_picture", True


class GenerationCanceled(NoPicture):
    code, status = "canceled", 409


class GenerationExpired(NoPicture):
    code, status = "expired", 504


class GenerationBlocked(NoPicture):
    code, status = "blocked", 400


class PicturesUnread(NoPicture):
    """They were made, and the store does not give them back: who asks again has them made twice."""

    code, status = "pictures_unread", 502


class WaitTimedOut(NoPicture):
    code, status = "wait_timed_out", 504


class StillRunning(WaitTimedOut):
    """The same request, with its idempotency key, waits again."""

    code, retryable, ended_job = "still_running", True, False
