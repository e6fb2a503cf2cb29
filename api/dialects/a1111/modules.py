"""What the ControlNet extension calls its preprocessors, and which type of map of ours is such a map.

Names and labels are those of sd-webui-controlnet: requests may use either. Of one type there are several there, by the
network that looks; here there is one, so that another than the one asked for may look, which is remarked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.catalog.preprocessors import Preprocessors
from darkroom.contract.control import ControlType
from darkroom.contract.preprocessor import MapMethod
from darkroom.errors import InvalidField


@dataclass(frozen=True)
class Module:
    """`type` None: the picture is taken for the map. `method`: the one of ours that is the same, where one is."""

    name: str
    label: str
    type: ControlType | None
    method: MapMethod | None = None

    def remark(self, known: Preprocessors) -> str | None:
        """What to tell a caller who gets another method's map; None where it is the one asked for, or there is none."""
        used = next((spec.method for spec in known.specs() if spec.type == self.type), None)
        if used is None or used == self.method:
            return None
        return f"{self.name} is not here; the {self.type} map is made by {used}"


NONE = Module("none", "None", None)

MODULES: tuple[Module, ...] = (
    NONE,
    Module("canny", "canny", "canny", "canny"),
    Module("depth", "depth_midas", "depth", "depth"),
    Module("depth_anything", "depth_anything", "depth", "depth"),
    Module("depth_anything_v2", "depth_anything_v2", "depth", "depth"),
    Module("depth_leres", "depth_leres", "depth"),
    Module("depth_leres++", "depth_leres++", "depth"),
    Module("depth_zoe", "depth_zoe", "depth"),
    Module("mlsd", "mlsd", "mlsd"),
    Module("openpose", "openpose", "openpose", "pose"),
    Module("openpose_face", "openpose_face", "openpose"),
    Module("openpose_hand", "openpose_hand", "openpose"),
    Module("openpose_full", "openpose_full", "openpose"),
    Module("dw_openpose_full", "dw_openpose_full", "openpose"),
    Module("scribble_xdog", "scribble_xdog", "scribble", "xdog"),
    Module("scribble_hed", "scribble_hed", "scribble"),
    Module("pidinet_scribble", "scribble_pidinet", "scribble"),
    Module("segmentation", "seg_ufade20k", "segmentation", "segmentation"),
    Module("oneformer_ade20k", "seg_ofade20k", "segmentation", "segmentation"),
    Module("oneformer_coco", "seg_ofcoco", "segmentation"),
    Module("hed", "softedge_hed", "softedge", "hed"),
    Module("hed_safe", "softedge_hedsafe", "softedge"),
    Module("pidinet", "softedge_pidinet", "softedge"),
    Module("pidinet_safe", "softedge_pidisafe", "softedge"),
    Module("te_hed", "softedge_teed", "softedge"),
)
# Tabs of the extension's page.
CONTROL_TYPES: dict[str, ControlType] = {
    "Canny": "canny",
    "Depth": "depth",
    "MLSD": "mlsd",
    "OpenPose": "openpose",
    "Scribble": "scribble",
    "Segmentation": "segmentation",
    "SoftEdge": "softedge",
}

_BY_NAME = {said: module for module in reversed(MODULES) for said in (module.label.lower(), module.name)}


def module_of(said: str, field: str) -> Module:
    """The module of this name or label, whatever its case. `field`: where in the request it stands.

    Raises: InvalidField, which lists them, for one whose maps are none of ours.
    """
    if module := _BY_NAME.get(said.strip().lower()):
        return module
    raise InvalidField(field, f"no such module; known: {', '.join(module.name for module in MODULES)}")


def offered(known: Preprocessors) -> Iterator[Module]:
    """Those whose maps can be made here."""
    types = {spec.type for spec in known.specs()}
    return (module for module in MODULES if module.type is None or module.type in types)
