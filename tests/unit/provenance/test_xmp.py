"""The words for readers of metadata, parsed as XML out of files that were signed."""

import io
import json
from xml.etree import ElementTree

import pytest
from PIL import Image

from darkroom.contract.plan import OutputFormat
from darkroom.provenance import SigningIdentity, Stamper
from darkroom.provenance.policy import Policy
from tests.unit.provenance.house import House
from tests.unit.provenance.making import MARK_ID, facts_of, shapes, watermarker
from tests.unit.provenance.test_stamper import FORMATS, report

IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
TC260 = "{http://www.tc260.org.cn/ns/AIGC/1.0/}"
PRODUCER = 'Foto & "Söhne" <照片>'


def description(data: bytes) -> dict[str, str]:
    """The properties of the XMP packet in a file of any format."""
    info = Image.open(io.BytesIO(data)).info
    packet = info.get("xmp") or info["XML:com.adobe.xmp"].encode()
    (found,) = ElementTree.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return dict(found.attrib)


@pytest.mark.parametrize("output_format", FORMATS)
def test_the_label_of_a_signed_file_names_what_it_is_and_who_made_it(
    house: House, identity: SigningIdentity, output_format: OutputFormat
) -> None:
    stamper = Stamper(watermarker(), identity, house.records, Policy(producer=PRODUCER))
    stamped = stamper.stamp(shapes(64, 64), facts_of("text_to_image", output_format=output_format), MARK_ID)
    said = description(stamped.data)
    assert report(stamped.data, stamped.media_type, identity)["validation_state"] == "Trusted"
    assert said[f"{IPTC}DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert json.loads(said[f"{TC260}AIGC"]) == {
        "Label": "1",
        "ContentProducer": PRODUCER,
        "ProduceID": "01JOB-0",
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }


def test_a_picture_made_from_another_says_that_it_is_a_composite(house: House) -> None:
    stamped = house.stamper.stamp(shapes(64, 64), facts_of("inpaint"), MARK_ID)
    assert description(stamped.data)[f"{IPTC}DigitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
