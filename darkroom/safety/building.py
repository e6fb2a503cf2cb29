"""The settings -> what looks at words, and the service that looks at both."""

from typing import Literal

from darkroom.safety.hook import Hook, HookPlace, PromptHook
from darkroom.safety.prompt_list import minors_list, open_list
from darkroom.safety.protocol import PromptChecker
from darkroom.settings import Settings


def prompt_checkers(settings: Settings) -> tuple[PromptChecker, ...]:
    """Ready to be asked from any thread. Raises: ConfigurationError naming the setting, and the line of a list."""
    lists = [open_list(path) for path in settings.safety_prompt_lists]
    ours = [minors_list()] if settings.safety_minors_list else []
    hook = open_hook(settings, "prompts")
    return *lists, *ours, *([PromptHook(hook)] if hook else [])


def open_hook(settings: Settings, about: Literal["prompts", "pictures"]) -> Hook | None:
    """None where nobody is to be asked about these. Raises: ConfigurationError."""
    if settings.safety_hook_url is None or about not in settings.safety_hook_asks:
        return None
    token = settings.safety_hook_token.get_secret_value() if settings.safety_hook_token else None
    place = HookPlace(
        settings.safety_hook_url,
        settings.safety_hook_timeout,
        token,
        settings.safety_hook_ca,
        settings.safety_hook_plaintext,
    )
    place.check()
    return Hook(place)
