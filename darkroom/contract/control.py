"""What a control map shows, by the names ControlNets are known by."""

from typing import Literal, get_args

ControlType = Literal["canny", "depth", "mlsd", "openpose", "scribble", "segmentation", "softedge"]
CONTROL_TYPES: tuple[ControlType, ...] = get_args(ControlType)
