"""How strongly a mark reads is what an attacker would need to remove it step by step: it is told nobody."""

import logging
from dataclasses import replace

import pytest

from darkroom.provenance import SigningIdentity, State, TssWatermarker
from darkroom.provenance.tss.ring import KeyRing
from darkroom.provenance.watermark import RGB, Mark
from tests.unit.provenance.house import House
from tests.unit.provenance.making import SECRET, decoded, encoded

CANARY = 98765.4321


class Telling(TssWatermarker):
    """Reads each mark with a strength that cannot be overlooked."""

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        mark = super().identify(rgb_HWC)
        return mark and replace(mark, strength=CANARY, key_id="canary")


@pytest.mark.parametrize("stripped", [False, True])
async def test_neither_a_verdict_nor_what_is_printed_or_logged_tells_the_strength_of_a_mark_or_its_key(
    identity: SigningIdentity, stripped: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.basicConfig(level=logging.DEBUG)
    house = House(identity, Telling(KeyRing.of(SECRET)))
    data = (await house.issue()).data
    verdict = await house.verify(encoded(decoded(data)) if stripped else data)
    assert verdict.state is (State.RECOVERED if stripped else State.INTACT)
    assert "watermark" in verdict.means
    out, err = capfd.readouterr()
    for text in (verdict.model_dump_json(), repr(verdict), out, err):
        assert "98765" not in text
        assert "canary" not in text
