"""What the guides say was measured is what the newest results say: each table whole, and the sentences beside them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.docs.pages import ROOT, page

RESULTS = ROOT / "benchmarks" / "results"
SCALING, DETAIL, OPERATIONS = "docs/scaling.md", "docs/operations-in-detail.md", "docs/operations.md"
# As the table of calls names them.
CALLS = {
    "`submit`": "submit",
    "a bell, where somebody idles": "bell",
    "the same, where enough ring": "ring",
    "`claim`, of one": "claim",
    "`claim`, in vain": "look",
    "`renew`, of four": "renew",
    "`report`, of four": "report",
    "`finish`": "finish",
    "`get`": "get",
    "`events`": "events",
    "`foresee`, of one": "foresee",
    "`attend`": "attend",
    "`reap`": "reap",
    "of an event, each gateway": "hear",
}


def results(kind: str) -> list[Any]:
    """The lines of JSON in the newest result of a kind, in order."""
    newest = sorted(RESULTS.glob(f"*-{kind}.txt"))[-1]
    return [json.loads(line) for line in newest.read_text().splitlines() if line.startswith("{")]


MEASURED = results("scaling")[-1]["figures"]
FLEET = results("fleet")[-1]["figures"]
CHAOS = results("chaos")[-1]
SOAK = results("soak")[-1]
THREAD = "thread of Redis"
GROWS = ("rss_mib", "descriptors", "threads")


def table(path: str, first_cell: str) -> list[str]:
    """The rows of the table whose heading begins so, without its heading and its rule."""
    _, found, rest = page(path).partition(f"\n| {first_cell} |")
    assert found, first_cell
    return rest.partition("\n\n")[0].splitlines()[2:]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def test_the_table_of_workers_is_what_was_measured() -> None:
    rows = [
        row(
            f"{each['workers']}",
            f"{each['jobs_per_second']:.2f}, ×{each['ratio']:.2f}",
            f"{each['cost']['cpu_us'] / 1000:.1f}",
            f"{each['cost']['commands']:.0f}",
            f"{each['cost']['aof'] / 1000:.1f}",
            f"{each['worker_cpu_seconds']:.2f}",
        )
        for each in MEASURED["workers"]
    ]
    assert table(SCALING, "workers") == rows


def micros(call: str, found: float) -> str:
    """A call that is heard by all gateways costs each less than one."""
    return f"{found:.1f}" if call == "hear" else f"{found:.0f}"


def test_the_table_of_calls_is_what_was_measured() -> None:
    costs = MEASURED["ledger"]
    assert set(CALLS.values()) == set(costs["few"])
    rows = [
        row(
            words,
            *(micros(call, costs[crowd][call]["cpu_us"]) for crowd in ("few", "many", "workers", "tenants")),
            f"{max(0, costs['many'][call]['commands']):.0f}",
            f"{costs['many'][call]['aof']:.0f}",
        )
        for words, call in CALLS.items()
    ]
    assert table(SCALING, "call") == rows


def dearest(thread: Mapping[str, float], most: int) -> str:
    calls = sorted(thread, key=lambda call: -thread[call])[:most]
    return ", ".join(f"{call} {thread[call]:.2f}" for call in calls)


def test_the_table_of_a_thousand_workers_is_what_was_calculated() -> None:
    rows = []
    for way in FLEET["ways"]:
        limits, claim = way["limits"], way["claim_ms"]
        rows.append(
            row(
                way["way"],
                f"{way['first']}, at {limits[way['first']]['growth']:.2f} of this fleet",
                f"{limits[THREAD]['used']:.2f}",
                dearest(way["thread"], 4),
                f"{limits['memory']['used'] / 1e9:.1f}",
                f"{claim['p50']:.1f} / {claim['p99']:.1f}" if claim else "ever longer",
            )
        )
    assert table(SCALING, "each with what stands above it") == rows


def test_the_fleet_was_calculated_from_what_was_measured() -> None:
    assert FLEET["costs"] == sorted(RESULTS.glob("*-scaling.txt"))[-1].name


def said_of_scaling() -> Iterator[str]:
    """Sentences of the guide on scaling, with their figures."""
    one, two, four = MEASURED["workers"]
    costs = [each["cost"]["cpu_us"] / 1000 for each in MEASURED["workers"]]
    few, many = MEASURED["claim_ms"]["few"], MEASURED["claim_ms"]["many"]
    grows, kept, gateway = MEASURED["grows"].values(), MEASURED["bytes"], MEASURED["gateway_ms"]
    hears = [crowd["hear"]["cpu_us"] for crowd in MEASURED["ledger"].values()]
    yield f"figures below are of {MEASURED['machine']['at'][:10]}, on two EPYC cores"
    yield f'`"busy": {json.dumps(MEASURED["machine"]["busy"])}`'
    yield f"Two workers make {two['ratio']:.2f} times what one makes"
    idle = [f"{100 * (1 - each['machine_busy']):.0f} %" for each in (one, two)]
    yield f"one worker leaves {idle[0]} idle, two {idle[1]}"
    assert 5 / 6 - 0.01 < four["ratio"] / two["ratio"] < 5 / 6 + 0.01
    yield "a third and a fourth only take turns, and lose a sixth to it"
    yield f"A job of the embedded model takes {min(costs):.0f} to {max(costs):.0f} ms of its thread"
    yield f"that one got {100 * MEASURED['fairness']['share_of_who_sent_half']:.1f} % of the device seconds"
    yield f"Jain's index of all ten is {MEASURED['fairness']['jain']}"
    yield f"and {min(grows):.1f} to {max(grows):.1f} times the microseconds"
    yield f"a claim took {few['p50']:.2f} ms (p99 {few['p99']:.2f}) with few in line"
    yield f"and {many['p50']:.2f} ms (p99 {many['p99']:.2f}) with {MEASURED['extent']['many']:,}"
    yield f"{MEASURED['fsync_ms']} ms on this disk"
    yield f"{kept['queued'] / 1000:.1f} kB × most that wait, and {kept['ended'] / 1000:.1f} kB × jobs"
    yield f"A million jobs in the seven days of the default are {kept['ended'] / 1000:.1f} GB"
    appended = [each["cost"]["aof"] / 1000 for each in MEASURED["workers"]]
    yield f"about {(min(appended) + max(appended)) / 2:.0f} kB a job are appended"
    yield f"{gateway['asked']:.1f} ms of processor for a generation that is asked for, {gateway['looked_at']:.1f} ms"
    yield f"they cost the ledger {min(hears):.1f} to {max(hears):.1f} µs an event each"


def workers_borne() -> int:
    """By one ledger as it is, in hundreds, rounded down."""
    as_it_is = next(way for way in FLEET["ways"] if way["way"] == "as it is")
    return int(as_it_is["limits"][THREAD]["growth"] * FLEET["fleet"]["workers"]) // 100 * 100


def said_of_the_fleet() -> Iterator[str]:
    """The same, of a thousand workers."""
    day, ways = FLEET["day"], {way["way"]: way for way in FLEET["ways"]}
    as_it_is, hour = ways["as it is"], ways["records kept for an hour"]
    limits = as_it_is["limits"]
    megabytes = {name: f"{limit['used'] / 1e6:.0f} MB/s" for name, limit in limits.items()}
    yield f"In the busiest second {day['jobs_per_second_at_most']} jobs come"
    yield f"at most {day['workers_busy_at_most']} workers are busy and {day['waiting_at_most']} jobs wait"
    yield f"99.9 % begin within {day['wait_seconds']['p99.9']} s"
    yield f"seven days of ten million jobs are {limits['memory']['used'] / 1e9:.0f} GB of records"
    yield f"`DARKROOM_RESULT_TTL=3600` makes {hour['limits']['memory']['used'] / 1e9:.0f} GB of it"
    thread = limits[THREAD]
    yield f"{as_it_is['calls_per_second']:,} calls a second would take {thread['used']:.2f} of it"
    yield f"{' and '.join(dearest(as_it_is['thread'], 2).split(', '))} of these"
    yield f"At {thread['most']} of its thread, one ledger bears {workers_borne()} such workers"
    yield f"{megabytes['network, out of Redis']} go out, {megabytes['network, into Redis']} in"
    yield f"and {megabytes['append-only file']} to the file"


def said_in_short() -> Iterator[str]:
    """What operators are told of scaling before they ask."""
    _, two, four = MEASURED["workers"]
    claims = {f"{MEASURED['claim_ms'][crowd]['p50']:.1f} ms" for crowd in ("few", "many")}
    assert len(claims) == 1, "with a hundred in line as with 10,000"
    yield f"as `python -m benchmarks.scaling` measured on {MEASURED['machine']['at'][:10]}"
    yield f"two workers of the embedded model make {two['ratio']:.2f} times the jobs of one"
    yield f"four make {four['ratio']:.2f}"
    yield f"a claim takes {claims.pop()} with a hundred jobs in line and with 10,000"
    yield f"at about {workers_borne()} workers"


def said_of_promises() -> Iterator[str]:
    """Cells of the promises."""
    jobs = CHAOS["jobs"]
    yield f"| {CHAOS['lost']} lost of {jobs} |"
    yield f"| {CHAOS['duplicates']} twice of {jobs} |"
    half, most = (f"{CHAOS[f'restart_p{share}_s']:.1f} s" for share in (50, 99))
    yield f"half within {half}, 99 % within {most}, of {CHAOS['restarts']}"
    yield f"| {CHAOS['replays']} of {jobs} sent again |"
    yield f"| {CHAOS['webhooks_missing']} missing of {jobs}, {CHAOS['webhooks_sent']} sent |"
    yield f"| {CHAOS['pictures_verified']} of {CHAOS['pictures_verified']} intact |"
    grown = {name: [each[name][1] - each[name][0] for each in SOAK["processes"].values()] for name in GROWS}
    memory = grown.pop("rss_mib")
    yield f"memory by {max(0.0, min(memory)):.1f} to {max(memory):.1f} MiB of each process"
    assert max(max(each) for each in grown.values()) == 1
    yield "descriptors and threads by one at most"
    yield f"{SOAK['jobs']} jobs in {SOAK['minutes']:.0f} minutes"


def said_behind_the_promises() -> Iterator[str]:
    workers, gateways, valkeys, couriers = (CHAOS[f"{who}_kills"] for who in ("worker", "gateway", "redis", "courier"))
    yield f"seed {CHAOS['seed']}: {workers} kills of workers, {gateways} of gateways"
    yield f"{gateways} of gateways, {valkeys} of Valkey and {couriers} of couriers"
    yield f"in {CHAOS['seconds']} s"
    crowded = results("chaos")[-2]
    yield f"took {crowded['seconds']} s and had 99 % within {crowded['restart_p99_s']:.1f} s"


SAID = [
    *((SCALING, words) for words in said_of_scaling()),
    *((SCALING, words) for words in said_of_the_fleet()),
    *((OPERATIONS, words) for words in said_in_short()),
    *((OPERATIONS, words) for words in said_of_promises()),
    *((DETAIL, words) for words in said_behind_the_promises()),
]


@pytest.mark.parametrize(("path", "words"), SAID)
def test_a_sentence_has_the_figures_of_the_results(path: str, words: str) -> None:
    assert words in " ".join(page(path).split())
