"""Where pictures, records and credentials lie: a folder, S3, or memory."""

from darkroom.storage.factory import open_store
from darkroom.storage.folder import FolderStore
from darkroom.storage.guarded import GuardedStore
from darkroom.storage.measured import MeasuredStore
from darkroom.storage.memory import MemoryStore
from darkroom.storage.protocol import ObjectStore

__all__ = ["FolderStore", "GuardedStore", "MeasuredStore", "MemoryStore", "ObjectStore", "open_store"]
