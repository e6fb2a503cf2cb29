"""The end of the signing certificate: shown, warned of, and not lived to see by a worker that takes jobs."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from darkroom.log import get_logger
from darkroom.provenance.identity import LAST_MINUTE, RENEW_WITHIN

DAY: Final = timedelta(days=1)

log = get_logger(__name__)


class CertificateWatch:
    """`expires_at` is when the first certificate of the chain runs out. A minute before that `stop` is called, once:
    whoever starts next reads the files anew, and refuses to if they are still the old ones.
    """

    def __init__(
        self,
        expires_at: datetime,
        stop: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._expires_at = expires_at
        self._stop = stop
        self._clock = clock

    def look(self) -> float | None:
        """Say what there is to say; seconds until the next look, None when it was the last one."""
        left = self._expires_at - self._clock()
        when = self._expires_at.isoformat()
        if left <= LAST_MINUTE:
            log.error("certificate.expired", expires_at=when)
            self._stop()
            return None
        if left <= RENEW_WITHIN:
            log.warning("certificate.expiring", expires_at=when, days=left.days)
        # At least daily, since the clock may be set.
        return min(DAY, left - LAST_MINUTE).total_seconds()

    def run(self, stopping: threading.Event) -> None:
        """Until `stopping` is set or the certificate has run out."""
        while (pause := self.look()) is not None and not stopping.wait(pause):
            pass
