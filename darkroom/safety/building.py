"""The settings -> what looks at words."""

from darkroom.safety.prompt_list import minors_list, open_list
from darkroom.safety.protocol import PromptChecker
from darkroom.settings import Settings


def prompt_checkers(settings: Settings) -> tuple[PromptChecker, ...]:
    """Ready to be asked from any thread. Raises: ConfigurationError naming the setting, and the line of a list."""
    lists = [open_list(path) for path in settings.safety_prompt_lists]
    return (*lists, minors_list()) if settings.safety_minors_list else tuple(lists)
