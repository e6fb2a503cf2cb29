"""What the board shows: a row a question, a panel an answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """`queries` are expressions and their legends. `unit` is Grafana's name of one."""

    title: str
    about: str
    unit: str
    queries: tuple[tuple[str, str], ...]


ROWS: dict[str, tuple[Panel, ...]] = {
    "Is anybody waiting?": (
        Panel(
            "Jobs in line",
            "By model; all gateways tell the same.",
            "short",
            (("darkroom:jobs_waiting:max", "{{model}}"),),
        ),
        Panel(
            "Oldest job",
            "How long the job that came first has waited.",
            "s",
            (("darkroom:oldest_job_waiting_seconds:max", "{{model}}"),),
        ),
        Panel(
            "Work, in device seconds",
            "Queued and running, as expected; what workers are scaled by.",
            "s",
            (("darkroom:jobs_expected_seconds:max", "{{model}} {{state}}"),),
        ),
        Panel(
            "Wait, 95 %",
            "From submission to the first claim.",
            "s",
            (("darkroom:queue_wait_seconds:p95_15m", "{{model}} {{priority}}"),),
        ),
        Panel("Workers", "That say they serve a model.", "short", (("darkroom:workers:max", "{{model}}"),)),
        Panel(
            "Jobs ended",
            "By final state.",
            "cpm",
            (("60 * sum by (state) (rate(darkroom_jobs_finished_total[5m]))", "{{state}}"),),
        ),
    ),
    "Are requests answered?": (
        Panel(
            "Requests",
            "By status.",
            "reqps",
            (("sum by (status) (rate(darkroom_http_requests_total[5m]))", "{{status}}"),),
        ),
        Panel(
            "Answer, 99 %",
            "Of each route, to the end of the answer's head; those that wait for pictures are left out.",
            "s",
            (
                (
                    "histogram_quantile(0.99, sum by (le, route) (rate(darkroom_http_request_duration_seconds_bucket"
                    '{route!~"/v1/.*|/sdapi/.*|/hf/.*|/api/v1/generations"}[5m])))',
                    "{{route}}",
                ),
            ),
        ),
        Panel(
            "Refused", "Share of answers that are 503.", "percentunit", (("darkroom:http_unavailable:ratio5m", "503"),)
        ),
        Panel(
            "Breakers",
            "1: calls to it are refused at once.",
            "short",
            (("max by (job, dependency) (darkroom_breaker_open)", "{{job}} {{dependency}}"),),
        ),
        Panel(
            "Pictures verified",
            "By what was found.",
            "cpm",
            (("60 * sum by (state) (rate(darkroom_pictures_verified_total[5m]))", "{{state}}"),),
        ),
        Panel(
            "Verification, 95 %",
            "With the wait for its turn.",
            "s",
            (("histogram_quantile(0.95, sum by (le) (rate(darkroom_verify_duration_seconds_bucket[5m])))", "95 %"),),
        ),
    ),
    "Are devices busy, and with what?": (
        Panel(
            "Busy",
            "Share of a worker's time that steps took.",
            "percentunit",
            (("darkroom:device_busy:ratio5m", "{{instance}}"),),
        ),
        Panel(
            "Idle, and why",
            "Share of a worker's time: for want of work, or while weights are loaded.",
            "percentunit",
            (("darkroom:device_idle:ratio5m", "{{instance}} {{reason}}"),),
        ),
        Panel(
            "Batch occupancy",
            "Rows of forward passes, as a share of those they had room for.",
            "percentunit",
            (("darkroom:batch_occupancy:ratio5m", "{{model}}"),),
        ),
        Panel(
            "Rows a step",
            "How many rows shared a forward pass.",
            "short",
            (("darkroom:rows_per_step:mean5m", "{{model}}"),),
        ),
        Panel(
            "Steps",
            "Forward passes.",
            "ops",
            (("sum by (model) (rate(darkroom_steps_total[5m]))", "{{model}}"),),
        ),
        Panel(
            "Device time by tenant",
            "Seconds of a device a second.",
            "short",
            (("sum by (tenant) (rate(darkroom_device_seconds_total[15m]))", "{{tenant}}"),),
        ),
        Panel(
            "Device time by end",
            "What became of the attempts that took it; requeued ones were made again.",
            "short",
            (("sum by (state) (rate(darkroom_device_seconds_total[15m]))", "{{state}}"),),
        ),
        Panel(
            "Step, 95 %",
            "Of one lane.",
            "s",
            (
                (
                    "histogram_quantile(0.95, sum by (le, model) (rate(darkroom_step_duration_seconds_bucket[5m])))",
                    "{{model}}",
                ),
            ),
        ),
    ),
    "Where does the time of finishing and loading go?": (
        Panel(
            "Finish, 95 %",
            "From pixels to marked, signed, read back and stored.",
            "s",
            (
                (
                    "histogram_quantile(0.95, sum by (le, format) (rate(darkroom_finish_duration_seconds_bucket[5m])))",
                    "{{format}}",
                ),
            ),
        ),
        Panel(
            "Stages of finishing, 95 %",
            "Each by itself.",
            "s",
            (("darkroom:finish_stage_seconds:p95_5m", "{{stage}}"),),
        ),
        Panel(
            "Store, 95 %",
            "Of one call.",
            "s",
            (
                (
                    "histogram_quantile(0.95, sum by (le, operation)"
                    " (rate(darkroom_store_call_duration_seconds_bucket[5m])))",
                    "{{operation}}",
                ),
            ),
        ),
        Panel(
            "Weights found in memory",
            "Share of all times they were wanted; the rest were loaded.",
            "percentunit",
            (("darkroom:cache_hits:ratio1h", "{{cache}}"),),
        ),
        Panel(
            "Loading weights",
            "Seconds of a second that loading takes, of all workers.",
            "short",
            (("sum by (cache) (rate(darkroom_cache_load_duration_seconds_sum[15m]))", "{{cache}}"),),
        ),
        Panel(
            "Weights in memory",
            "In use or not.",
            "bytes",
            (("darkroom_cache_size_bytes", "{{instance}} {{cache}}"),),
        ),
    ),
    "What becomes of content that is looked at?": (
        Panel(
            "Checks",
            "By checker and outcome.",
            "cpm",
            (
                (
                    "60 * sum by (stage, checker, outcome) (rate(darkroom_safety_checks_total[5m]))",
                    "{{stage}} {{checker}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Check, 95 %",
            "Of one text or picture.",
            "s",
            (
                (
                    "histogram_quantile(0.95, sum by (le, checker)"
                    " (rate(darkroom_safety_check_duration_seconds_bucket[5m])))",
                    "{{checker}}",
                ),
            ),
        ),
        Panel(
            "Flagged and blocked",
            "Verdicts other than passed, and device seconds a second that blocked generations took.",
            "short",
            (
                (
                    '60 * sum by (stage, action) (rate(darkroom_safety_verdicts_total{action!="passed"}[15m]))',
                    "{{stage}} {{action}} a minute",
                ),
                ("sum(rate(darkroom_blocked_device_seconds_total[15m]))", "device"),
            ),
        ),
    ),
    "Does anything go wrong?": (
        Panel(
            "Failing jobs",
            "Share of those that ended.",
            "percentunit",
            (("darkroom:jobs_failed:ratio15m", "{{model}}"),),
        ),
        Panel(
            "Failures by code",
            "See docs/errors.md.",
            "cpm",
            (('60 * sum by (code) (rate(darkroom_jobs_finished_total{state="failed"}[15m]))', "{{code}}"),),
        ),
        Panel(
            "Spool",
            "Finished pictures that the store has not taken.",
            "bytes",
            (("darkroom_spool_size_bytes", "{{instance}}"),),
        ),
        Panel(
            "Store",
            "Calls, by what came of them.",
            "ops",
            (("sum by (outcome) (rate(darkroom_store_calls_total[5m]))", "{{outcome}}"),),
        ),
        Panel(
            "Webhooks",
            "Attempts, by what came back.",
            "cpm",
            (("60 * sum by (outcome) (rate(darkroom_webhook_attempts_total[5m]))", "{{outcome}}"),),
        ),
        Panel(
            "Webhooks overdue",
            "How long the longest due one has waited for a courier.",
            "s",
            (
                ("max(darkroom_webhooks_overdue_seconds)", "overdue"),
                ("max(darkroom_webhooks_pending)", "pending (count)"),
            ),
        ),
        Panel(
            "Webhooks, 95 %",
            "From an event to the receiver's having it.",
            "s",
            (("histogram_quantile(0.95, sum by (le) (rate(darkroom_webhook_lag_seconds_bucket[15m])))", "95 %"),),
        ),
        Panel(
            "Spans lost",
            "That no collector has: too many waited, or they were not taken.",
            "cpm",
            (("60 * sum by (job, reason) (rate(darkroom_spans_dropped_total[5m]))", "{{job}} {{reason}}"),),
        ),
        Panel(
            "Memory",
            "Of each process.",
            "bytes",
            (('process_resident_memory_bytes{job=~"gateway|worker|courier"}', "{{job}} {{instance}}"),),
        ),
        Panel(
            "Certificate",
            "Until the signing certificate ends.",
            "s",
            (("min by (algorithm) (darkroom_signing_certificate_expiry_timestamp_seconds) - time()", "{{algorithm}}"),),
        ),
    ),
}
