"""What a worker says before it loads its models, which takes minutes where they are large. Whatever it is refused for
is in `test_bad_starts`, with a model that it would never get past."""

import json
from pathlib import Path

import pytest

from tests.e2e.start.stage import Environment, Stage, begun
from tests.e2e.start.test_bad_starts import AWAY, refusal

pytestmark = pytest.mark.slow


def until(words: str, home: Path, given: Environment) -> list[str]:
    """What is said up to the line that has these words."""
    said = []
    with begun("worker", home, given) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if words in line:
                return said
    raise AssertionError("".join(said))


def test_that_model_would_have_been_noticed(stage: Stage, unloadable: Environment, tmp_path: Path) -> None:
    until("model.broken", tmp_path, {**stage.s3, **unloadable})


@pytest.mark.parametrize("setting", AWAY)
def test_what_is_away_is_named_before_it_is_waited_for(
    setting: str, stage: Stage, unloadable: Environment, tmp_path: Path
) -> None:
    said = until("model.broken", tmp_path, {**stage.s3, **AWAY[setting], **unloadable})
    (delayed,) = [json.loads(line) for line in said if "start.delayed" in line]
    assert delayed["reason"].startswith(f"{setting}: ")


def test_what_refuses_is_named_at_once_also_where_something_else_is_away(
    stage: Stage, unloadable: Environment, tmp_path: Path
) -> None:
    given = {**stage.s3, **AWAY["DARKROOM_REDIS_URL"], "DARKROOM_S3_BUCKET": "nowhere", **unloadable}
    assert refusal("worker", tmp_path, given) == "DARKROOM_S3_BUCKET: the object store refused (NoSuchBucket)"
