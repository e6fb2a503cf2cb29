"""Settings -> the store they name."""

from darkroom.settings import Settings
from darkroom.storage.folder import FolderStore
from darkroom.storage.protocol import ObjectStore


def open_store(settings: Settings) -> ObjectStore:
    """The configured store. Nothing is contacted yet. Raises: ConfigurationError for half a pair of S3 keys."""
    if settings.store == "folder":
        return FolderStore(settings.folder_root)
    # boto3 costs a gateway with a folder store 20 MB and a quarter of a second for nothing.
    from darkroom.storage.s3 import S3Access, S3Store

    return S3Store(S3Access.from_settings(settings))
