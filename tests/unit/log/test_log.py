"""Lines: whole, attributed, and without what must not be in them."""

import asyncio
import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from darkroom.contract.generation import TextToImage
from darkroom.log import SENSITIVE, WITHHELD, LogFormat, about_job, configure_logging, get_logger
from darkroom.settings import Settings
from tests.logs import logging_kept

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Lines:
    stream = started("json")
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def started(log_format: LogFormat, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(service="test", log_format=log_format, level=level, stream=stream)
    return stream


def test_a_line_says_what_when_where_and_how_grave(lines: Lines) -> None:
    get_logger("darkroom.x").warning("went dim", steps=3)
    (line,) = lines()
    assert line["event"] == "went dim"
    assert (line["level"], line["logger"], line["service"], line["steps"]) == ("warning", "darkroom.x", "test", 3)
    assert line["timestamp"].endswith("Z")


def test_lines_about_a_job_carry_its_id(lines: Lines) -> None:
    log = get_logger("x")
    with about_job("01JOB"):
        log.info("inside")
        logging.getLogger("rq.worker").info("a library, inside")
    log.info("outside")
    assert [line.get("job_id") for line in lines()] == ["01JOB", "01JOB", None]


async def test_jobs_side_by_side_keep_their_own_ids(lines: Lines) -> None:
    async def work(job_id: str) -> None:
        with about_job(job_id):
            await asyncio.sleep(0)
            get_logger("x").info(job_id)

    await asyncio.gather(work("a"), work("b"))
    assert all(line["event"] == line["job_id"] for line in lines())


@pytest.mark.parametrize("key", sorted(SENSITIVE))
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_sensitive_values_are_withheld_however_deep(key: str, log_format: LogFormat) -> None:
    stream = started(log_format)
    spelled = key.replace("_", "-").title()
    get_logger("x").info("seen", **{key: "canary"}, inner=[{"deeper": {spelled: ["canary"]}}])
    logging.getLogger("uvicorn.error").info("seen", extra={key: "canary"})
    assert "canary" not in stream.getvalue()
    assert WITHHELD in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_objects_are_named_and_not_shown(log_format: LogFormat) -> None:
    stream = started(log_format)
    get_logger("x").info("seen", asked=TextToImage(prompt="canary"), error=ValueError("canary"), raw=b"canary")
    assert "canary" not in stream.getvalue()
    assert "TextToImage" in stream.getvalue()


def test_settings_do_not_show_their_secrets(lines: Lines) -> None:
    get_logger("x").info("start", settings=Settings(s3_secret_key="canary", redis_url="redis://:canary@h/0"))
    assert "canary" not in json.dumps(lines())


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("hostile", ['a\r\n{"level": "error"}', "\x1b[2J", "\x9b2J", "a\u2028b", "\ud800", "\0"])
def test_one_event_is_one_line_without_control_characters(log_format: LogFormat, hostile: str) -> None:
    stream = started(log_format)
    get_logger("x").info(hostile, name=hostile, inner={"deep": [hostile]})
    logging.getLogger("uvicorn.error").info(hostile)
    written = stream.getvalue()
    assert written.count("\n") == 2
    assert hostile not in written


def test_infinity_is_valid_json(lines: Lines) -> None:
    get_logger("x").info("seen", value=float("inf"), other=[float("nan")])
    assert (lines()[0]["value"], lines()[0]["other"]) == ("inf", ["nan"])


def test_a_traceback_has_no_local_variables_and_no_full_paths(lines: Lines) -> None:
    def fail(prompt: str) -> None:
        raise RuntimeError("device lost")

    try:
        fail("canary")
    except RuntimeError:
        get_logger("x").exception("failed")
        logging.getLogger("rq.worker").exception("failed too")
    for line in lines():
        (trace,) = line["exception"]
        assert (trace["exc_type"], trace["exc_value"]) == ("RuntimeError", "device lost")
        assert "canary" not in json.dumps(line)
        assert trace["frames"][-1]["filename"] == "unit/log/test_log.py"


def test_a_request_that_does_not_validate_is_not_quoted(lines: Lines) -> None:
    try:
        TextToImage.model_validate({"negative_prompt": "canary"})
    except ValidationError:
        get_logger("x").exception("failed")
    assert lines()[0]["exception"][0]["exc_type"] == "ValidationError"
    assert "canary" not in json.dumps(lines())


def test_lines_below_the_level_are_not_written() -> None:
    stream = started("json", level="warning")
    get_logger("x").info("small")
    logging.getLogger("uvicorn.error").info("small")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("name", ["botocore", "urllib3", "httpx"])
def test_libraries_that_log_requests_are_quieted_even_at_debug(name: str) -> None:
    stream = started("json", level="debug")
    logging.getLogger(f"{name}.anything").info("GET /?X-Amz-Signature=canary")
    assert stream.getvalue() == ""


def test_configuring_again_does_not_print_twice() -> None:
    started("json")
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(io.StringIO()))
    stream = started("json")
    logging.getLogger("uvicorn").info("once")
    assert len(stream.getvalue().splitlines()) == 1
    assert logging.getLogger("uvicorn").handlers == []


def test_a_line_of_uvicorn_holds_no_escape_codes(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").info("listening", extra={"color_message": "\x1b[1mlistening\x1b[0m"})
    (line,) = lines()
    assert line["event"] == "listening"
    assert "color_message" not in line


def test_a_line_that_cannot_be_written_is_lost_with_the_words_of_whatever_was_under_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    started("json").close()
    log = get_logger("darkroom.x")
    try:
        raise ValueError("a canary that must not sing")
    except ValueError:
        log.warning("went dim", cause="a canary too")
    assert capsys.readouterr().err == "a log line of darkroom.x was lost: ValueError\n"


def test_where_nothing_can_be_written_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = started("json")
    stream.close()
    monkeypatch.setattr("sys.stderr", stream)
    get_logger("darkroom.x").warning("went dim")


def test_where_there_is_no_stderr_nothing_is_raised_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    configure_logging(service="gateway")
    get_logger("darkroom.x").warning("went dim")


def test_what_a_test_does_to_logging_ends_with_it() -> None:
    root, log = logging.getLogger(), logging.getLogger("darkroom.y")
    before = [*root.handlers]
    with logging_kept():
        logging.basicConfig(level=logging.DEBUG)
        assert log.isEnabledFor(logging.DEBUG)
    assert root.handlers == before
    assert not log.isEnabledFor(logging.DEBUG)
    with logging_kept():
        started("json")
    assert root.handlers == before
    assert not log.isEnabledFor(logging.INFO)
