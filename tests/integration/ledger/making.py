"""Jobs for tests of the ledger."""

from collections.abc import Sequence
from typing import Any

from ulid import ULID

from darkroom.contract.job import Artifact, Failure, JobState
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.webhook import ENDS, Webhook, WebhookEvent
from darkroom.ledger.deliveries import Wanted
from darkroom.ledger.protocol import Claim, Ledger, Outcome, Submission
from darkroom.settings.quotas import Quota

START = 1_800_000_000.0
DIED = "child died: signal 9 (SIGKILL)"

FAILED = Outcome(
    state=JobState.FAILED, failure=Failure(code="nan_output", message="not a number", retryable=False), device_seconds=1
)


def plan(**changed: Any) -> GenerationPlan:
    return GenerationPlan(
        **{
            "task": "text_to_image",
            "model": "tiny",
            "weights": {"unet/diffusion_pytorch_model.safetensors": "ab" * 32},
            "prompt": "a red circle, \"quoted\" \\ \n ∅ 'x'",
            "negative_prompt": "",
            "clip_skip": 0,
            "width": 128,
            "height": 128,
            "steps": 20,
            "guidance_scale": 4.5,
            "scheduler": "ddim",
            "seeds": (7,),
            "loras": (),
            "embeddings": (),
            "output_format": "png",
            "output_compression": 90,
            "deterministic": False,
            "priority": "interactive",
            "deadline_at": None,
            "predicted_seconds": 1.0,
            "warnings": (),
            "metadata": {},
            **changed,
        }
    )


def submission(
    tenant: str = "ann",
    *,
    job_id: str | None = None,
    key: str | None = None,
    body: str = "body",
    webhook: Webhook | None = None,
    quota: Quota | None = None,
    trace: str | None = None,
    **changed: Any,
) -> Submission:
    return Submission(
        job_id=job_id or str(ULID()),
        tenant=tenant,
        plan=plan(**changed),
        idempotency_key=key,
        body_hash=body,
        webhook=webhook,
        quota=quota or Quota(),
        trace=trace,
    )


def webhook(host: str = "hooks.test", events: Sequence[WebhookEvent] = ENDS) -> Webhook:
    return Webhook(url=f"https://{host}/'in' \"quotes\"", host=host, base="https://here.test", events=tuple(events))


async def submitted(ledger: Ledger, tenant: str = "ann", **changed: Any) -> str:
    """The id of a job that now waits."""
    return (await ledger.submit(submission(tenant, **changed))).job.id


async def announced(ledger: Ledger, tenant: str = "ann") -> list[str]:
    """The events that a tenant's webhooks are to hear of, newest first."""
    page = await ledger.deliveries.list(tenant, Wanted(), limit=100)
    return [delivery.event for delivery in page.deliveries]


async def position(ledger: Ledger, job_id: str) -> int | None:
    """How many of its own line go before a job; None also for one that does not wait."""
    outlook = (await ledger.foresee([job_id])).get(job_id)
    return outlook.position if outlook else None


async def claimed(ledger: Ledger, models: Sequence[str] = ("tiny",)) -> Claim:
    """The one job that is next."""
    (claim,) = await ledger.claim("worker", models, 1)
    return claim


def succeeded(seconds: float = 1.0, images: int = 1) -> Outcome:
    return Outcome(
        state=JobState.SUCCEEDED, artifacts=tuple(artifact(i) for i in range(images)), device_seconds=seconds
    )


def artifact(index: int) -> Artifact:
    return Artifact(
        index=index,
        key=f"images/x/{index}.png",
        media_type="image/png",
        bytes=10,
        sha256="cd" * 32,
        width=128,
        height=128,
        seed=7 + index,
        watermark_id="0123456789ab",
        manifest_id="urn:c2pa:x",
    )
