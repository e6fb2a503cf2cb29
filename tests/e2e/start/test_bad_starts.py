"""What does not start, and what waits: each by the process itself, over a real Valkey and a real S3 server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from darkroom.ledger.server import find_server_binary, free_port
from darkroom.lifeline import before_exec
from tests.e2e.start.stage import START_SECONDS, Environment, Stage, begun, environment
from tests.servers.seaweedfs import S3Server

pytestmark = pytest.mark.slow


def refusal(part: str, home: Path, given: Environment) -> str:
    """The one line by which it refuses; a worker's is JSON, after the line that tells of its child."""
    with begun(part, home, given) as process:
        said, _ = process.communicate(timeout=START_SECONDS)
        assert process.returncode == os.EX_CONFIG, said
    assert "Traceback" not in said
    lines = said.splitlines()
    if part != "worker" or len(lines) == 1:
        (line,) = [line for line in lines if not line.startswith("{")]
        return line.removeprefix("darkroom: ")
    (told,) = [line for line in map(json.loads, lines) if line["event"] == "worker.refused"]
    return str(told["reason"])


def bare(stage: Stage, **given: str) -> Environment:
    return {"DARKROOM_REDIS_URL": stage.redis} | {f"DARKROOM_{name}": value for name, value in given.items()}


# What is wrong, and what the one line says. Parts are those that look at it.
CASES: dict[str, tuple[str, Callable[[Stage], Environment], str]] = {
    "several settings": (
        "api worker courier",
        lambda stage: bare(stage, API_KEYS="{", LEASE_SECONDS="-1"),
        "DARKROOM_API_KEYS: must be JSON; DARKROOM_LEASE_SECONDS: Input should be greater than 0",
    ),
    "a slip": (
        "api worker courier",
        lambda stage: {"DARKROOM_REDISURL": stage.redis},
        "DARKROOM_REDISURL: is no setting; DARKROOM_REDIS_URL is",
    ),
    "half a pair": (
        "api courier",
        lambda stage: bare(stage, STORE="s3", S3_ACCESS_KEY="AK"),
        "DARKROOM_S3_ACCESS_KEY and DARKROOM_S3_SECRET_KEY must be set together",
    ),
    "contradiction": (
        "api courier",
        lambda stage: bare(stage, RECORD_TTL="100000", RESULT_TTL="200000"),
        "DARKROOM_RECORD_TTL is less than DARKROOM_RESULT_TTL: pictures would outlive their records",
    ),
    "strangers let in": (
        "api",
        lambda stage: bare(stage, ALLOW_ANONYMOUS="true", HOST="0.0.0.0"),
        "DARKROOM_ALLOW_ANONYMOUS is set, DARKROOM_HOST is 0.0.0.0: without keys, serve on loopback alone",
    ),
    "short secret": (
        "api worker",
        lambda stage: bare(stage, WATERMARK_SECRET="abcd"),
        "DARKROOM_WATERMARK_SECRET has fewer than 16 bytes: `darkroom watermark-key` makes one",
    ),
    "no hexadecimal": (
        "api",
        lambda stage: bare(stage, WATERMARK_SECRET="swordfish"),
        "DARKROOM_WATERMARK_SECRET is not hexadecimal: `darkroom watermark-key` makes one",
    ),
    "evicting": (
        "api worker courier",
        lambda stage: {"DARKROOM_REDIS_URL": stage.evicting},
        "DARKROOM_REDIS_URL: Redis may evict jobs: maxmemory-policy is allkeys-lru, it must be noeviction",
    ),
    "wrong password": (
        "api worker courier",
        lambda stage: stage.user("swordfish"),
        "DARKROOM_REDIS_URL: the server does not let us in: invalid username-password pair or user is disabled.",
    ),
    "no password": (
        "courier",
        lambda stage: {"DARKROOM_REDIS_URL": f"redis://127.0.0.1:{stage.guarded}/0"},
        "DARKROOM_REDIS_URL: the server does not let us in: Authentication required.",
    ),
    "a command too few": (
        "api courier",
        lambda stage: stage.user(stage.passwords["gateway"]),
        "DARKROOM_REDIS_URL: Redis does not let this user do HGETALL on our keys:"
        " `darkroom redis-users` writes what each needs",
    ),
    "no such bucket": (
        "api worker courier",
        lambda stage: {**stage.s3, "DARKROOM_S3_BUCKET": "nowhere"},
        "DARKROOM_S3_BUCKET: the object store refused (NoSuchBucket)",
    ),
    "unknown key": (
        "api courier",
        lambda stage: {**stage.s3, "DARKROOM_S3_ACCESS_KEY": "AKnobody"},
        "DARKROOM_S3_ACCESS_KEY: the object store refused (InvalidAccessKeyId)",
    ),
    "wrong secret": (
        "api",
        lambda stage: {**stage.s3, "DARKROOM_S3_SECRET_KEY": "swordfish"},
        "DARKROOM_S3_SECRET_KEY: the object store refused (SignatureDoesNotMatch)",
    ),
    "production": (
        "api worker",
        lambda stage: bare(stage, PRODUCTION="true"),
        "DARKROOM_PRODUCTION is set: set DARKROOM_SIGNING_CERTIFICATE, without which",
    ),
    "production without a password": (
        "courier",
        lambda stage: bare(stage, PRODUCTION="true"),
        "DARKROOM_PRODUCTION is set: DARKROOM_REDIS_URL has no password: `darkroom redis-users` makes users that have",
    ),
    "production that forgets": (
        "courier",
        lambda stage: {
            "DARKROOM_PRODUCTION": "true",
            "DARKROOM_REDIS_URL": stage.evicting.replace("//", "//default:x@"),
        },
        "DARKROOM_REDIS_URL: ",
    ),
}


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, row in CASES.items() for part in row[0].split()])
def test_it_does_not_start_and_says_in_one_line_which_setting(
    name: str, part: str, stage: Stage, unloadable: Environment, tmp_path: Path
) -> None:
    """A worker before it loads any model, or it would not have got that far."""
    _, given, words = CASES[name]
    said = refusal(part, tmp_path, {**given(stage), **(unloadable if part == "worker" else {})})
    assert said.startswith(words)
    assert "swordfish" not in said
    assert not any(password in said for password in stage.passwords.values())


def test_a_bucket_that_it_may_only_read_is_refused(stage: Stage, seaweedfs: S3Server, tmp_path: Path) -> None:
    keys = {"aws_access_key_id": seaweedfs.access_key, "aws_secret_access_key": seaweedfs.secret_key}
    client = boto3.session.Session().client("s3", endpoint_url=seaweedfs.endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="readonly")
    denied = {"Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::readonly/*"]}
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "reads", **denied}]}
    client.put_bucket_policy(Bucket="readonly", Policy=json.dumps(policy))
    client.close()
    said = refusal("api", tmp_path, {**stage.s3, "DARKROOM_S3_BUCKET": "readonly"})
    assert said == "DARKROOM_S3_ACCESS_KEY: the object store refused (AccessDenied)"


@pytest.mark.parametrize("name", ["signing_key", "watermark.key"])
def test_a_secret_that_others_may_read_stops_a_worker(name: str, stage: Stage, tmp_path: Path) -> None:
    from darkroom.provenance import development_pki

    identity = development_pki(tmp_path / "other")
    (tmp_path / "chain.pem").write_text(identity.chain_pem)
    (tmp_path / "signing_key").write_text(identity.key_pem)
    (tmp_path / "watermark.key").write_bytes(os.urandom(32).hex().encode())
    for private in ("signing_key", "watermark.key"):
        (tmp_path / private).chmod(0o644 if private == name else 0o600)
    chain, key = str(tmp_path / "chain.pem"), str(tmp_path / "signing_key")
    said = refusal("worker", tmp_path, bare(stage, SIGNING_CERTIFICATE=chain, SIGNING_KEY=key))
    assert said.endswith(f"{name} can be read by others than its owner: chmod 600 it")


AWAY = {
    "DARKROOM_REDIS_URL": {"DARKROOM_REDIS_URL": "redis://127.0.0.1:1/0"},
    "DARKROOM_S3_ENDPOINT": {"DARKROOM_S3_ENDPOINT": "http://127.0.0.1:1"},
}


@pytest.mark.parametrize("part", ["api", "worker", "courier"])
@pytest.mark.parametrize("setting", AWAY)
def test_what_is_away_at_the_start_is_waited_for_and_named(
    part: str, setting: str, stage: Stage, tmp_path: Path
) -> None:
    with begun(part, tmp_path, {**stage.s3, **AWAY[setting]}) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "asked again until it does" in line)
        assert json.loads(said)["reason"].startswith(f"{setting}: ")
        assert process.poll() is None


@pytest.mark.parametrize("part", ["api", "worker", "courier"])
def test_it_ends_when_what_it_waited_for_comes_back_unfit(part: str, tmp_path: Path) -> None:
    port = free_port()
    with begun(part, tmp_path, {"DARKROOM_REDIS_URL": f"redis://127.0.0.1:{port}/0"}) as process:
        assert process.stdout is not None
        assert next(line for line in process.stdout if "asked again until it does" in line)
        command = [find_server_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
        evicting = [*command, "--save", "", "--maxmemory-policy", "volatile-ttl"]
        with (tmp_path / "log").open("wb") as log:
            server = subprocess.Popen(evicting, stdout=log, stderr=log, preexec_fn=before_exec(os.getpid()))
        try:
            said, _ = process.communicate(timeout=START_SECONDS)
        finally:
            server.kill()
            server.wait()
    assert process.returncode == os.EX_CONFIG
    last = said.splitlines()[-1]
    told = f"darkroom: {json.loads(last)['reason']}" if part == "worker" else last
    assert told.startswith("darkroom: DARKROOM_REDIS_URL: Redis may evict jobs")


def test_the_doctor_lists_all_of_it_at_once(stage: Stage, tmp_path: Path) -> None:
    given = {
        "DARKROOM_API_KEYS": "{",
        "DARKROOM_ALLOWED_HOST": "x",
        "DARKROOM_WATERMARK_SECRET": "abcd",
        "DARKROOM_RECORD_TTL": "100000",
        "DARKROOM_MODEL_ALIASES": '{"mine": "nobody"}',
        "DARKROOM_NEVER_HEARD": "1",
        **stage.user("swordfish"),
        **{name: value for name, value in stage.s3.items() if name != "DARKROOM_REDIS_URL"},
        "DARKROOM_S3_BUCKET": "nowhere",
    }
    command = [sys.executable, "-P", "-m", "darkroom", "doctor", "--json"]
    done = subprocess.run(command, env=environment(tmp_path, given), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    said = {(each["state"], each["words"]) for each in json.loads(done.stdout)}
    failed = "\n".join(words for state, words in said if state == "fail")
    for words in (
        "DARKROOM_API_KEYS: must be JSON",
        "DARKROOM_ALLOWED_HOST: is no setting; DARKROOM_ALLOWED_HOSTS is",
        "DARKROOM_WATERMARK_SECRET has fewer",
        "DARKROOM_RECORD_TTL is less than",
        "DARKROOM_MODEL_ALIASES: 'mine' stands for 'nobody'",
        "DARKROOM_REDIS_URL: the server does not let us in",
        "DARKROOM_S3_BUCKET: ",
    ):
        assert words in failed
    assert ("warn", "DARKROOM_NEVER_HEARD is read by nothing") in said
    assert "swordfish" not in done.stdout
