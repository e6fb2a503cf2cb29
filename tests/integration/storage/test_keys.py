"""Keys come in order and by pages, alike from every store."""

from pathlib import Path

from darkroom.storage import FolderStore, ObjectStore

TEXT = "text/plain"


async def _filled(store: ObjectStore, key: str) -> tuple[str, list[str]]:
    folder = key.rpartition("/")[0]
    keys = [f"{folder}/{name}" for name in ("2026-01-02/b", "2026-01-02/a.c2pa", "2025-12-31/z", "x", "n/o/p")]
    for each in (*keys, f"{folder}-more/x"):
        await store.put(each, b"", media_type=TEXT)
    return folder, sorted(keys)


async def test_keys_below_a_folder_come_in_order(store: ObjectStore, key: str) -> None:
    folder, keys = await _filled(store, key)
    assert await store.keys(folder) == keys
    assert await store.keys(f"{folder}/n") == [f"{folder}/n/o/p"]


async def test_each_page_begins_after_the_last(store: ObjectStore, key: str) -> None:
    folder, keys = await _filled(store, key)
    seen: list[str] = []
    while page := await store.keys(folder, after=seen[-1] if seen else "", limit=2):
        assert len(page) <= 2
        seen += page
    assert seen == keys


async def test_a_key_that_is_gone_may_still_be_begun_after(store: ObjectStore, key: str) -> None:
    folder, keys = await _filled(store, key)
    await store.delete(keys[1])
    assert await store.keys(folder, after=keys[1]) == keys[2:]


async def test_below_a_folder_that_is_not_there_lies_nothing(store: ObjectStore, key: str) -> None:
    assert await store.keys(f"{key}/none") == []


async def test_links_and_half_written_files_are_no_keys(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    await store.put("a/b", b"", media_type=TEXT)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "b")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / ".half.part").write_bytes(b"")
    assert await store.keys("a") == ["a/b"]
