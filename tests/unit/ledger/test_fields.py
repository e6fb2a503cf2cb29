"""What Redis answers, read as the contract's models."""

from structlog.testing import capture_logs

from darkroom.ledger.fields import read_claims
from tests.integration.ledger.making import plan


def row(job_id: str, plan_json: str) -> list[str | int]:
    return [job_id, "ann", 1, plan_json, 1_800_000_000_000, 5, ""]


def test_a_plan_of_another_version_takes_no_claim_beside_it_down() -> None:
    known = plan().model_dump_json()
    newer = known.replace("{", '{"from_the_future":1,', 1)
    with capture_logs() as logs:
        claims = read_claims([row("a", known), row("b", newer), row("c", '{"task":"unheard of"}'), row("d", known)])
    assert [claim.job_id for claim in claims] == ["a", "d"]
    assert [(line["event"], line["job_id"], line["log_level"]) for line in logs] == [
        ("job.unreadable", "b", "error"),
        ("job.unreadable", "c", "error"),
    ]
