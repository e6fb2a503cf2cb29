"""`POST /sdapi/v1/txt2img` -> a request of ours."""

from api.dialects.a1111.asking import Asking
from api.dialects.a1111.hires import hires
from api.dialects.a1111.neutral import NO_EFFECT, OF_TXT2IMG
from api.dialects.a1111.wish import wish
from api.dialects.requested import requested
from darkroom.contract.generation import GenerationRequest


def text_to_image(asking: Asking) -> GenerationRequest:
    """Raises: RequestValidationError; as `wish`."""
    asking.remarks.ignore(asking.body, OF_TXT2IMG, NO_EFFECT)
    return requested({"task": "text_to_image", **wish(asking), "hires": hires(asking)})
