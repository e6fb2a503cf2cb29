"""The words that any reader of metadata understands, written before signing: IPTC's source type, and China's label.

The label is that of GB 45438-2025: JSON in one XMP property.
"""

import json
from xml.sax.saxutils import quoteattr

from darkroom.contract.plan import Task
from darkroom.provenance.policy import source_type


def packet(task: Task, picture: str, producer: str) -> bytes:
    """An XMP packet. `picture` is the name that `producer` knows the picture by."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
        f" Iptc4xmpExt:DigitalSourceType={quoteattr(source_type(task))}"
        f" TC260:AIGC={quoteattr(_aigc(picture, producer))}/>"
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _aigc(picture: str, producer: str) -> str:
    """Label 1: it is generated. Whoever spreads the picture fills in the propagator's fields."""
    said = {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": picture,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
