"""A store in a folder of the local file system.

Every name on the way to an object is opened relative to its parent and without following links (openat(2) with
O_NOFOLLOW), so that a link somebody planted leads nowhere, at any moment.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from darkroom.errors import ConfigurationError, NotStored, StoreRefused, StoreUnavailable
from darkroom.storage.keys import checked_filename, checked_key

# Longer than a busy disk takes to write and sync the largest picture, and no longer than a caller should hang.
SECONDS: Final = 5.0
THREADS: Final = 8

P = ParamSpec("P")
T = TypeVar("T")

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})


class FolderStore:
    """Objects are files below `root`, written whole and synced before `put` returns."""

    def __init__(self, root: Path) -> None:
        """Makes `root` if need be; one that vanishes later is a store that is away, not an empty one.

        Raises: ConfigurationError.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"DARKROOM_STORE_FOLDER cannot be made ({_name_of(error)})") from error
        self._root = root
        self._threads = ThreadPoolExecutor(THREADS, "store")

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        return await self._soon(self._put, checked_key(key), data, if_absent)

    async def get(self, key: str) -> bytes:
        return await self._soon(self._get, checked_key(key))

    async def delete(self, key: str) -> None:
        await self._soon(self._delete, checked_key(key))

    async def keys(self, folder: str, *, after: str = "", limit: int = 100) -> list[str]:
        return await self._soon(self._keys, checked_key(folder), after, limit)

    async def url(self, key: str, *, expires: timedelta, media_type: str, filename: str) -> str | None:
        checked_key(key)
        checked_filename(filename)
        return None

    async def check(self) -> None:
        await self._soon(self._check)

    async def close(self) -> None:
        """Nothing is held open between calls."""

    async def _soon(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A disk that hangs, as those of networks do, holds threads that are the store's alone.

        Raises: StoreUnavailable after `SECONDS`; the call may still take effect.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SECONDS):
                return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))
        except TimeoutError as error:
            raise StoreUnavailable("the store's folder does not answer") from error

    def _put(self, key: str, data: bytes, if_absent: bool) -> bool:
        *folders, name = key.split("/")
        with _translated(), self._open_root() as root, _descend(root, folders, create=True) as folder:
            with _temporary(folder, data) as temporary:
                if if_absent:
                    try:
                        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
                    except FileExistsError:
                        return False
                else:
                    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        return True

    def _get(self, key: str) -> bytes:
        *folders, name = key.split("/")
        with _translated(), self._open_root() as root, _absence(key), _descend(root, folders) as folder:
            return _read(folder, name)

    def _delete(self, key: str) -> None:
        *folders, name = key.split("/")
        with (
            _translated(),
            self._open_root() as root,
            suppress(NotStored),
            _absence(key),
            _descend(root, folders) as at,
        ):
            os.unlink(name, dir_fd=at)
        self._drop_if_empty(folders)

    def _drop_if_empty(self, folders: list[str]) -> None:
        """A job's folder goes with its last picture. Never its parents: others are about to put something there."""
        if not folders:
            return
        *parents, last = folders
        with suppress(OSError), self._open_root() as root, _descend(root, parents) as parent:
            os.rmdir(last, dir_fd=parent)

    def _keys(self, folder: str, after: str, limit: int) -> list[str]:
        path = folder.split("/")
        with _translated(), self._open_root() as root:
            try:
                with _absence(folder), _descend(root, path) as at:
                    return list(islice(_below(at, f"{folder}/", after), limit))
            except NotStored:
                return []

    def _check(self) -> None:
        with _translated(), self._open_root() as root, _temporary(root, b"ok"):
            pass

    @contextmanager
    def _open_root(self) -> Iterator[int]:
        # The root itself may be a link: the operator chose it.
        with _closing(os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as root:
            yield root


@contextmanager
def _descend(parent: int, folders: list[str], *, create: bool = False) -> Iterator[int]:
    """The descriptor of the folder reached from `parent` by these names."""
    if not folders:
        yield parent
        return
    name, *rest = folders
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
            os.fsync(parent)
    with _closing(os.open(name, _FOLDER, dir_fd=parent)) as child, _descend(child, rest, create=create) as reached:
        yield reached


@contextmanager
def _temporary(folder: int, data: bytes) -> Iterator[str]:
    """The name of a synced file with `data` in `folder`; gone afterwards unless it was renamed."""
    name = f".{secrets.token_hex(8)}.part"
    try:
        with open(os.open(name, _NEW_FILE, 0o666, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _below(folder: int, prefix: str, after: str) -> Iterator[str]:
    """Keys in order: that of a folder's content is with the `/`, which sorts after `-` and `.`."""
    for name in _names(folder):
        key = prefix + name
        if not name.endswith("/"):
            if key > after:
                yield key
        elif key > after or after.startswith(key):
            with suppress(FileNotFoundError), _descend(folder, [name.rstrip("/")]) as child:
                yield from _below(child, key, after)


def _names(folder: int) -> list[str]:
    """Files, and folders with a `/` behind; no links and nothing half written."""
    with os.scandir(folder) as entries:
        seen = [entry for entry in entries if not entry.name.startswith(".")]
    files = [entry.name for entry in seen if entry.is_file(follow_symlinks=False)]
    return sorted([*files, *(f"{entry.name}/" for entry in seen if entry.is_dir(follow_symlinks=False))])


def _read(folder: int, name: str) -> bytes:
    with open(os.open(name, _FILE, dir_fd=folder), "rb") as file:
        return file.read()


@contextmanager
def _absence(key: str) -> Iterator[None]:
    """Below the root, a name that leads to no file of ours is an absent object."""
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise NotStored(f"nothing is stored under {key}") from error
        raise


@contextmanager
def _translated() -> Iterator[None]:
    """The one place where the operating system's errors become ours."""
    try:
        yield
    except OSError as error:
        words = f"the store's folder cannot be used ({_name_of(error)})"
        raise (StoreRefused(words, "store_folder") if error.errno in _FORBIDDEN else StoreUnavailable(words)) from error


def _name_of(error: OSError) -> str:
    """`ENOSPC` and the like: it says what is wrong without saying where."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
