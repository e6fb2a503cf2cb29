"""What a folder store must withstand besides: links, crashes, and a file system that refuses."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from darkroom.errors import ConfigurationError, NotStored, StoreUnavailable
from darkroom.storage import FolderStore
from darkroom.storage.folder import THREADS

PNG = "image/png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"not ours")
    return folder


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


async def test_a_linked_folder_leads_nowhere(store: FolderStore, root: Path, outside: Path) -> None:
    (root / "images").symlink_to(outside, target_is_directory=True)
    with pytest.raises(NotStored):
        await store.get("images/0.png")
    with pytest.raises(StoreUnavailable):
        await store.put("images/1.png", b"x", media_type=PNG)
    await store.delete("images/0.png")
    assert files_below(outside) == {"0.png"}


async def test_a_linked_file_is_not_read_and_is_replaced_not_followed(
    store: FolderStore, root: Path, outside: Path
) -> None:
    (root / "0.png").symlink_to(outside / "0.png")
    with pytest.raises(NotStored):
        await store.get("0.png")
    assert not await store.put("0.png", b"ours", media_type=PNG, if_absent=True)
    assert await store.put("0.png", b"ours", media_type=PNG)
    assert await store.get("0.png") == b"ours"
    assert (outside / "0.png").read_bytes() == b"not ours"


async def test_the_root_itself_may_be_a_link(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "link").symlink_to(outside, target_is_directory=True)
    assert await FolderStore(tmp_path / "link").get("0.png") == b"not ours"


async def test_a_fifo_in_the_place_of_an_object_does_not_hang(store: FolderStore, root: Path) -> None:
    os.mkfifo(root / "0.png")
    assert await store.get("0.png") == b""


async def test_a_put_that_fails_half_way_leaves_the_old_object_and_no_litter(
    store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("images/0.png", b"old", media_type=PNG)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable, match="ENOSPC") as raised:
            await store.put("images/0.png", b"new", media_type=PNG)
        with pytest.raises(StoreUnavailable):
            await store.check()
    assert str(root) not in raised.value.detail
    assert await store.get("images/0.png") == b"old"
    assert files_below(root) == {"images/0.png"}


async def test_bytes_and_name_are_synced_before_put_returns(
    store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    await store.put("images/7/0.png", b"x", media_type=PNG)
    parents, file, folder = synced[:2], synced[2], synced[3:]
    assert parents == ["store", "images"]
    assert file.endswith(".part")
    assert folder == ["7"]


async def test_what_a_crash_left_behind_is_no_object(store: FolderStore, root: Path) -> None:
    (root / ".0123456789abcdef.part").write_bytes(b"half a pict")
    await store.put("0.png", b"x", media_type=PNG)
    assert await store.get("0.png") == b"x"


async def test_the_check_leaves_nothing(store: FolderStore, root: Path) -> None:
    await store.check()
    assert files_below(root) == set()


async def test_a_root_that_vanished_is_a_store_away_and_not_an_empty_one(store: FolderStore, root: Path) -> None:
    root.rmdir()
    for call in (store.get("0.png"), store.put("0.png", b"x", media_type=PNG), store.delete("0.png"), store.check()):
        with pytest.raises(StoreUnavailable):
            await call


def test_a_root_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError):
        FolderStore(tmp_path / "file" / "store")


async def test_no_url_leads_past_the_gateway(store: FolderStore) -> None:
    from datetime import timedelta

    assert await store.url("0.png", expires=timedelta(minutes=1), media_type=PNG, filename="0.png") is None


async def test_a_disk_that_hangs_is_a_store_that_is_away_and_holds_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.storage.folder.SECONDS", 0.05)
    store, hung = FolderStore(tmp_path), threading.Event()
    monkeypatch.setattr(store, "_get", lambda key: hung.wait(10))
    try:
        calls = [store.get("a") for _ in range(2 * THREADS)]
        assert {type(end) for end in await asyncio.gather(*calls, return_exceptions=True)} == {StoreUnavailable}
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: "others' threads are free") is not None
    finally:
        hung.set()
    await store.put("a", b"again", media_type="image/png")
