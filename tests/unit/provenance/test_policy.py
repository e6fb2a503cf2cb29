"""What credentials say of the prompt is the operator's choice."""

import hashlib

import pytest

from darkroom.provenance import SigningIdentity, Stamped, Stamper
from darkroom.provenance.policy import Policy, PromptPolicy, prompt_digest, prompt_key
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, SECRET, facts, shapes, watermarker
from tests.unit.provenance.test_stamper import assertions_of

PROMPT, NEGATIVE = "a canary in a coal mine", "gas"


def stamped(house: House, prompts: PromptPolicy) -> Stamped:
    policy = Policy(prompts=prompts, key=prompt_key(SECRET))
    return Stamper(watermarker(), house.identity, house.records, policy).stamp(shapes(64, 64), facts(), MARK_ID)


def test_a_keyed_hash_proves_a_claim_and_tells_no_word(house: House, identity: SigningIdentity) -> None:
    made = stamped(house, "hmac")
    said = assertions_of(made.data, made.media_type, identity)["org.darkroom.generation"]
    assert said["prompt_hmac_sha256"] == prompt_digest(prompt_key(SECRET), PROMPT)
    assert said["negative_prompt_hmac_sha256"] == prompt_digest(prompt_key(SECRET), NEGATIVE)
    assert b"canary" not in made.data
    assert hashlib.sha256(PROMPT.encode()).hexdigest().encode() not in made.data


def test_the_words_are_there_where_the_operator_wants_them(house: House, identity: SigningIdentity) -> None:
    made = stamped(house, "plain")
    said = assertions_of(made.data, made.media_type, identity)["org.darkroom.generation"]
    assert (said["prompt"], said["negative_prompt"]) == (PROMPT, NEGATIVE)


def test_another_secret_another_hash() -> None:
    assert prompt_digest(prompt_key(SECRET), PROMPT) != prompt_digest(prompt_key(bytes(32)), PROMPT)
    assert prompt_key(SECRET) not in (SECRET, hashlib.sha256(SECRET).digest())


@pytest.mark.parametrize("text", ["", "日本", "a" * 10_000])
def test_any_words_have_a_hash(text: str) -> None:
    assert len(prompt_digest(prompt_key(SECRET), text)) == 64
