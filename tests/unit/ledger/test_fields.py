"""What Redis answers, read as the contract's models."""

from structlog.testing import capture_logs

from darkroom.contract.job import Receipt
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.safety import CheckerSeen, PlannedSafety, SafetyVerdict
from darkroom.ledger.fields import ARTIFACTS, dump_artifacts, dump_plan, dump_receipt, read_claims
from tests.integration.ledger.making import artifact, plan

VERDICT = SafetyVerdict(
    stage="output",
    subject="images.0",
    flagged=False,
    categories={"sexual": 0.1},
    reached={},
    checkers=(CheckerSeen(name="scripted", version="1"),),
    action="passed",
)


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


def receipt(made: GenerationPlan, *verdicts: SafetyVerdict) -> Receipt:
    return Receipt(plan=made, versions={}, device="cpu", device_seconds=1.0, safety=verdicts)


def test_where_nobody_looks_an_older_version_can_read_what_is_written() -> None:
    """It takes no field that it does not know."""
    written = dump_plan(plan()), dump_receipt(receipt(plan())), dump_artifacts((artifact(0), artifact(1)))
    assert not any("safety" in text for text in written)
    assert GenerationPlan.model_validate_json(written[0]) == plan()
    assert Receipt.model_validate_json(written[1]) == receipt(plan())
    assert ARTIFACTS.validate_json(written[2]) == (artifact(0), artifact(1))


def test_a_policy_and_what_was_found_are_written_whole() -> None:
    guarded = plan(safety=PlannedSafety(output="block", verdicts=(VERDICT,)))
    seen = artifact(1).model_copy(update={"safety": VERDICT})
    assert GenerationPlan.model_validate_json(dump_plan(guarded)) == guarded
    assert Receipt.model_validate_json(dump_receipt(receipt(guarded, VERDICT))) == receipt(guarded, VERDICT)
    assert ARTIFACTS.validate_json(dump_artifacts((artifact(0), seen))) == (artifact(0), seen)
