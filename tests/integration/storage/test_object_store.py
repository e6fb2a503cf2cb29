"""What every store promises."""

import asyncio
from datetime import timedelta

import pytest

from darkroom.errors import NotStored, StoreError
from darkroom.storage import ObjectStore

PNG = "image/png"

HOSTILE_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "images//0.png",
    "images/",
    "..",
    "../x",
    "images/../../x",
    "images/./x",
    ".hidden",
    "images/.part",
    "a\\b",
    "a\0b",
    "a\nb",
    "images/0.png\n",
    "ä",
    "a b",
    "a?b",
    "a%2fb",
    "\ud800",
    "x" * 201,
    "/".join("ab" for _ in range(200)),
]


async def test_what_was_put_is_got(store: ObjectStore, key: str) -> None:
    assert await store.put(key, b"\x89PNG\r\n\0\xff", media_type=PNG)
    assert await store.get(key) == b"\x89PNG\r\n\0\xff"


async def test_an_empty_object_is_an_object(store: ObjectStore, key: str) -> None:
    assert await store.put(key, b"", media_type=PNG)
    assert await store.get(key) == b""


async def test_megabytes_come_back_whole(store: ObjectStore, key: str) -> None:
    data = bytes(range(256)) * 4096 * 6
    await store.put(key, data, media_type=PNG)
    assert await store.get(key) == data


async def test_a_later_put_replaces_the_earlier_one(store: ObjectStore, key: str) -> None:
    await store.put(key, b"a much longer first version", media_type=PNG)
    assert await store.put(key, b"second", media_type=PNG)
    assert await store.get(key) == b"second"


async def test_put_if_absent_leaves_a_taken_key_alone(store: ObjectStore, key: str) -> None:
    assert await store.put(key, b"first", media_type=PNG, if_absent=True)
    assert not await store.put(key, b"second", media_type=PNG, if_absent=True)
    assert await store.get(key) == b"first"


async def test_of_two_who_put_if_absent_at_once_one_wins(store: ObjectStore, key: str) -> None:
    # Two, as a worker thought dead and its successor: SeaweedFS makes each further contender wait a second more.
    async def race(contested: str) -> None:
        offers = [b"the first one's", b"the second one's"]
        won = await asyncio.gather(*(store.put(contested, offer, media_type=PNG, if_absent=True) for offer in offers))
        assert sorted(won) == [False, True]
        assert await store.get(contested) == offers[won.index(True)]

    await asyncio.gather(*(race(f"{key}-{number}") for number in range(4)))


async def test_what_is_not_there_is_not_stored(store: ObjectStore, key: str) -> None:
    with pytest.raises(NotStored):
        await store.get(key)


async def test_a_key_above_an_object_is_not_an_object(store: ObjectStore, key: str) -> None:
    await store.put(key, b"x", media_type=PNG)
    with pytest.raises(NotStored):
        await store.get(key.rpartition("/")[0])


async def test_a_key_below_an_object_is_not_an_object(store: ObjectStore, key: str) -> None:
    await store.put(key, b"x", media_type=PNG)
    with pytest.raises(NotStored):
        await store.get(f"{key}/below")


async def test_a_deleted_object_is_gone_and_may_be_put_again(store: ObjectStore, key: str) -> None:
    await store.put(key, b"x", media_type=PNG)
    await store.delete(key)
    with pytest.raises(NotStored):
        await store.get(key)
    assert await store.put(key, b"y", media_type=PNG, if_absent=True)


async def test_deleting_what_is_not_there_is_fine(store: ObjectStore, key: str) -> None:
    await store.delete(key)
    await store.delete("nothing/was/ever/here")


async def test_the_check_passes_and_leaves_no_trace(store: ObjectStore) -> None:
    await store.check()
    await store.check()


@pytest.mark.parametrize("hostile", HOSTILE_KEYS)
async def test_hostile_keys_are_refused_by_every_method(store: ObjectStore, hostile: str) -> None:
    with pytest.raises(StoreError):
        await store.put(hostile, b"x", media_type=PNG)
    with pytest.raises(StoreError):
        await store.put(hostile, b"x", media_type=PNG, if_absent=True)
    with pytest.raises(StoreError) as refused:
        await store.get(hostile)
    assert not isinstance(refused.value, NotStored)
    with pytest.raises(StoreError):
        await store.delete(hostile)
    with pytest.raises(StoreError):
        await store.keys(hostile)
    with pytest.raises(StoreError):
        await store.url(hostile, expires=timedelta(minutes=1), media_type=PNG, filename="a.png")


@pytest.mark.parametrize("filename", ['a".png', "a\r\nX: y", "../a.png", "", "ä.png", 'x"; filename=y.html'])
async def test_a_file_name_cannot_carry_a_header(store: ObjectStore, key: str, filename: str) -> None:
    with pytest.raises(StoreError):
        await store.url(key, expires=timedelta(minutes=1), media_type=PNG, filename=filename)
