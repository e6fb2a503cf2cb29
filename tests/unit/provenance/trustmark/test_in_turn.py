"""An installation that marks by one watermark and still reads the other."""

import base64
from dataclasses import replace

import pytest

from darkroom.provenance import SigningIdentity, State, Trust
from darkroom.provenance.in_turn import InTurn, algs_read_by, watermarker_of
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.resolution import Resolver
from darkroom.provenance.trustmark.networks import NetworkFiles
from darkroom.provenance.trustmark.packet import text_of
from darkroom.provenance.tss.ring import KeyRing
from darkroom.provenance.watermark import NoWatermarker, Watermarker, mark_value
from tests.fakes import fake_services
from tests.gateway import client_of
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, SECRET, clouds, decoded, encoded, saved_as, watermarker
from tests.unit.provenance.test_stamper import report

pytestmark = pytest.mark.slow

TSS, TRUSTMARK = "org.darkroom.tss.1", "com.adobe.trustmark.Q"


@pytest.fixture(scope="session")
def by_networks(network_files: NetworkFiles) -> Watermarker:
    return watermarker_of(KeyRing.of(SECRET), network_files, networks_first=True)


@pytest.fixture(scope="session")
def by_tss(network_files: NetworkFiles) -> Watermarker:
    return watermarker_of(KeyRing.of(SECRET), network_files)


def test_all_names_are_those_that_may_be_found(by_networks: Watermarker, by_tss: Watermarker) -> None:
    assert algs_read_by(by_networks) == (TRUSTMARK, TSS)
    assert algs_read_by(by_tss) == (TSS, TRUSTMARK)
    assert algs_read_by(watermarker()) == (TSS,)
    assert algs_read_by(NoWatermarker()) == ()


def test_without_networks_there_is_our_own_alone() -> None:
    assert watermarker_of(KeyRing.of(SECRET)).alg == TSS


@pytest.mark.parametrize(("marks", "reads"), [("by_networks", "by_tss"), ("by_tss", "by_networks")])
def test_a_mark_of_the_other_watermark_is_read_and_named(
    marks: str, reads: str, request: pytest.FixtureRequest
) -> None:
    marking, reading = request.getfixturevalue(marks), request.getfixturevalue(reads)
    mark = reading.identify(marking.embed(clouds(128, 128), MARK_ID).rgb_HWC)
    assert (mark.mark_id, mark.alg) == (MARK_ID, marking.alg)


async def test_a_stripped_and_recompressed_picture_is_recovered(
    identity: SigningIdentity, by_networks: Watermarker
) -> None:
    house = House(identity, by_networks)
    issued = await house.issue(clouds(128, 128))
    assert issued.record.alg == TRUSTMARK
    assert (await house.verify(issued.data)).state is State.INTACT
    verdict = await house.verify_pixels(saved_as(decoded(issued.data), "JPEG", 75))
    assert (verdict.state, verdict.manifest_id) == (State.RECOVERED, issued.manifest_id)


async def test_pictures_of_before_the_switch_are_intact_and_recovered(
    identity: SigningIdentity, by_networks: Watermarker
) -> None:
    house = House(identity, watermarker())
    issued = await house.issue(clouds(128, 128))
    switched = House(identity, by_networks)
    switched.verifier._inspector, house.verifier._inspector = house.verifier._inspector, switched.verifier._inspector
    assert (await house.verify(issued.data)).state is State.INTACT
    assert (await house.verify(encoded(decoded(issued.data)))).state is State.RECOVERED


async def test_a_credential_says_what_trustmarks_tools_say_of_the_mark(
    identity: SigningIdentity, by_networks: Watermarker
) -> None:
    house = House(identity, by_networks)
    issued = await house.issue(clouds(128, 128))
    manifest = report(issued.data, issued.media_type, identity)["manifests"][issued.manifest_id]
    (binding,) = [each["data"] for each in manifest["assertions"] if each["label"] == "c2pa.soft-binding"]
    text = text_of(int(issued.watermark_id, 16), SECRET)
    assert binding == {"alg": TRUSTMARK, "blocks": [{"scope": {}, "value": text}]}


async def test_a_credential_of_before_there_was_text_is_still_ours(
    identity: SigningIdentity, by_networks: Watermarker, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(identity, by_networks)
    monkeypatch.setattr(InTurn, "value", lambda self, mark_id: mark_value(mark_id))
    issued = await house.issue(clouds(128, 128))
    assert (await house.verify(issued.data)).state is State.INTACT
    assert (await house.verify_pixels(decoded(issued.data))).state is State.RECOVERED


async def test_both_values_lead_to_the_manifest(identity: SigningIdentity, by_networks: Watermarker) -> None:
    house = House(identity, by_networks)
    issued = await house.issue(clouds(128, 128))
    trust = Trust.of(identity.anchor_pem)
    resolver = Resolver(InspectorHere(by_networks, trust), house.records, algs_read_by(by_networks))
    async with client_of(replace(fake_services(), resolver=resolver)) as client:
        text = text_of(int(issued.watermark_id, 16), SECRET)
        own = mark_value(int(issued.watermark_id, 16))
        for value in (text, base64.b64encode(text.encode()).decode(), own):
            answer = await client.get("/c2pa/v1/matches/byBinding", params={"alg": TRUSTMARK, "value": value})
            assert [match["manifestId"] for match in answer.json()["matches"]] == [issued.manifest_id]
        foreign = {"alg": TRUSTMARK, "value": "2*" + "0" * 68}
        assert (await client.post("/c2pa/v1/matches/byBinding", json=foreign)).json() == {"matches": []}
        wrong = await client.post("/c2pa/v1/matches/byBinding", json={"alg": TSS, "value": text})
        assert wrong.status_code == 400
