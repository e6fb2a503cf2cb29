"""Units of the ControlNet extension, in `alwayson_scripts` -> controls of ours."""

from typing import Any

from api.dialects.a1111.asking import Asking


def controls(asking: Asking) -> list[dict[str, Any]]:
    del asking
    return []
