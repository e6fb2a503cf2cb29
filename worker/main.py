"""`darkroom worker`: the supervisor as a process. `python -m worker.main probe` answers an exec probe.

Exit codes: 0 after a drain; 78 when the child refused its configuration. A missing or broken checkpoint does not end
the process: it says which file and why, is not ready, and looks again every half minute, since volumes get mounted late
and files get repaired.
"""

import asyncio
import sys

from darkroom.errors import ConfigurationError, LedgerUnavailable
from darkroom.ledger.redis import RedisLedger
from darkroom.log import configure_logging, get_logger
from darkroom.services.configuration import load_settings
from darkroom.settings import Settings
from worker.exits import MISCONFIGURED
from worker.status import read_statuses, run_folder
from worker.supervisor import Supervisor, install_signals

log = get_logger(__name__)


def main(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT. To be called in the main thread."""
    configure_logging(service="worker", log_format=settings.log_format, level=settings.log_level)
    supervisor = Supervisor(settings, bury=lambda worker, how: _bury(settings, worker, how))
    install_signals(supervisor)
    return supervisor.run()


def probe(settings: Settings) -> int:
    """0 when all workers of this home are ready, and there is one; prints what they say."""
    statuses = read_statuses(run_folder(settings.home_folder))
    for status in statuses:
        print(f"{status.worker} {status.state} {status.detail}".rstrip())
    return 0 if statuses and all(status.state == "ready" for status in statuses) else 1


def _bury(settings: Settings, worker: str, how: str) -> None:
    """End the leases of a child known to be dead, so that its jobs need not wait for them to run out."""
    try:
        abandoned = asyncio.run(_abandon(settings, worker, how))
    except LedgerUnavailable:
        return  # the leases run out by themselves
    if abandoned:
        log.warning("worker.jobs_abandoned", worker=worker, how=how, jobs=abandoned)


async def _abandon(settings: Settings, worker: str, how: str) -> tuple[str, ...]:
    ledger = RedisLedger.from_settings(settings)
    try:
        return await ledger.abandon(worker, how)
    finally:
        await ledger.close()


if __name__ == "__main__":
    run = probe if sys.argv[1:] == ["probe"] else main
    try:
        code = run(load_settings())
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        code = MISCONFIGURED
    raise SystemExit(code)
