"""The settings -> what looks at words."""

from darkroom.safety.protocol import PromptChecker
from darkroom.settings import Settings


def prompt_checkers(settings: Settings) -> tuple[PromptChecker, ...]:
    """Ready to be asked from any thread. Raises: ConfigurationError naming the setting, and the line of a list."""
    return ()
