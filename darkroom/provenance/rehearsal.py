"""The least that can be signed, to try it out: a picture of one pixel, and a manifest that says nothing."""

from typing import Any, Final

MANIFEST: Final[dict[str, Any]] = {
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "created": True,
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia",
                    }
                ]
            },
        }
    ]
}
PICTURE: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e527defc0000000049454e44ae426082"
)  # a PNG of one black pixel
MEDIA_TYPE: Final = "image/png"
