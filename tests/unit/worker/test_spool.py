"""Finished pictures on disk: whole, in order, within the limit, and one process's at a time."""

import hashlib
import stat
from pathlib import Path

import pytest

from darkroom.provenance import Record, Stamped
from worker.spool import Damaged, Spool, SpoolFull

BIG = 1_000_000


def stamped(index: int = 0, data: bytes = b"picture") -> Stamped:
    record = Record(
        watermark_id="0123456789ab",
        alg="test",
        key_id="k",
        manifest_id="urn:c2pa:test",
        job_id="job",
        index=index,
        tenant="ann",
        sha256=hashlib.sha256(data).hexdigest(),
        media_type="image/jpeg",
        width=8,
        height=4,
        created_at=1.5,
        thumbnail="",
        parents=("ba9876543210",),
        weak=True,
    )
    return Stamped(
        data=data,
        media_type="image/jpeg",
        sha256=record.sha256,
        width=8,
        height=4,
        watermark_id="0123456789ab",
        manifest_id="urn:c2pa:test",
        manifest=b"\x00manifest\n",
        record=record,
        quality=75,
        timestamped=True,
    )


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.suffix in (".picture", ".part"))


def test_what_was_written_is_read_and_nothing_is_left_of_what_was_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    path = spool.write("images/job/0.jpeg", stamped(data=b"\n\x00line\n"))
    header, read = spool.read(path)
    assert (header.key, read) == ("images/job/0.jpeg", stamped(data=b"\n\x00line\n"))
    assert (len(spool), spool.used) == (1, path.stat().st_size)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "pictures are their tenants'"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    spool.remove(path)
    assert (len(spool), spool.used, spool.oldest(), files(tmp_path)) == (0, 0, None, [])
    spool.close()


def test_the_order_survives_the_process(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    for index in range(12):
        spool.write("key", stamped(index))
    spool.close()
    heir = Spool(tmp_path, BIG)
    heir.write("key", stamped(12))
    indices = []
    while path := heir.oldest():
        indices.append(heir.read(path)[1].record.index)
        heir.remove(path)
    assert indices == list(range(13))
    heir.close()


def test_nothing_is_written_beyond_the_limit_and_new_jobs_stop_before_it(tmp_path: Path) -> None:
    sizing = Spool(tmp_path / "size", BIG)
    one = sizing.write("key", stamped(0, b"x" * 1_000)).stat().st_size
    sizing.close()
    spool = Spool(tmp_path / "spool", 4 * one)
    highs = []
    for index in range(4):
        highs.append(spool.high)
        spool.write("key", stamped(index, b"x" * 1_000))
    assert highs == [False, False, False, True]
    with pytest.raises(SpoolFull):
        spool.write("key", stamped(5, b"x" * 2_000))
    assert len(files(tmp_path / "spool")) == 4
    spool.close()


def test_a_disk_that_takes_nothing_is_a_full_spool_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    spool = Spool(tmp_path, BIG)
    monkeypatch.setattr("worker.spool.os.fsync", refuse)
    with pytest.raises(SpoolFull):
        spool.write("key", stamped())
    assert (files(tmp_path), len(spool)) == ([], 0)
    spool.close()


@pytest.mark.parametrize("damage", ["cut", "flipped", "no header", "gone"])
def test_a_file_that_is_not_what_was_written_is_never_delivered(tmp_path: Path, damage: str) -> None:
    spool = Spool(tmp_path, BIG)
    path = spool.write("key", stamped())
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        changed = {"cut": content[:-1], "flipped": content[:-1] + b"!", "no header": b"x"}
        path.write_bytes(changed[damage])
    with pytest.raises(Damaged):
        spool.read(path)
    spool.close()


def test_two_workers_of_one_machine_have_a_folder_each(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, BIG), Spool(tmp_path, BIG)
    theirs = first.write("key", stamped())
    mine = second.write("key", stamped())
    assert theirs.parent != mine.parent
    assert (len(first), len(second)) == (1, 1)
    first.close()
    second.close()


def test_what_the_dead_left_in_other_folders_is_taken_over_and_half_files_are_not(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, BIG), Spool(tmp_path, BIG)
    first.write("one", stamped(1))
    left = second.write("two", stamped(2))
    left.with_name("0000000000000009.part").write_bytes(b"half")
    second.close()  # it died
    third = Spool(tmp_path, BIG)  # takes its folder
    assert len(third) == 1
    first.close()
    fourth = Spool(tmp_path, BIG)  # takes the first's, while the third holds the other
    assert (len(third), len(fourth)) == (1, 1)
    third.close()
    fourth.close()
    heir = Spool(tmp_path, BIG)  # one worker where there were two
    assert (len(heir), len(files(tmp_path))) == (2, 2)
    assert {heir.read(path)[0].key for path in files(tmp_path)} == {"one", "two"}
    heir.close()


def test_what_is_not_the_spools_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "a file").write_text("of somebody's")
    Spool(tmp_path, 1000).close()
    assert list((tmp_path / "lost+found").iterdir()) == []
