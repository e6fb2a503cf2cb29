"""The settings -> what looks at pictures."""

from darkroom.safety.building import open_hook
from darkroom.safety.hook import PictureHook
from darkroom.safety.protocol import PictureChecker
from darkroom.settings import Settings
from worker.safety.open_nsfw import is_installed, open_open_nsfw


def picture_checkers(settings: Settings) -> tuple[PictureChecker, ...]:
    """Loaded, and ready to be asked from any thread. Raises: ConfigurationError naming the setting."""
    hook = open_hook(settings, "pictures")
    return *_open_nsfw(settings), *_classifiers(settings), *([PictureHook(hook)] if hook else [])


def _open_nsfw(settings: Settings) -> tuple[PictureChecker, ...]:
    wanted = settings.safety_open_nsfw == "on" or (settings.safety_open_nsfw == "auto" and is_installed())
    return (open_open_nsfw(),) if wanted else ()


def _classifiers(settings: Settings) -> tuple[PictureChecker, ...]:
    if not settings.safety_classifiers:
        return ()
    from worker.models.placement import device_named  # loads torch
    from worker.safety.folder import open_classifier

    device = device_named(settings.safety_device)
    return tuple(open_classifier(name, place, device) for name, place in settings.safety_classifiers.items())
