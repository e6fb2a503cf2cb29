"""What would a cache of records in Redis save? `python -m benchmarks.records`, with an installation's own settings.

Records and manifests of the size that they have are written to the store and to Redis, and read back one by one, as a
verification does. Beside that: what verifications take with a store that takes no time. All that was written is deleted
again. The last line is the figures as JSON: medians, in milliseconds.
"""

import asyncio
import io
import json
import os
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import cv2
from PIL import Image
from redis.asyncio import Redis

from benchmarks.encode import clouds
from darkroom import planner
from darkroom.catalog import open_catalog
from darkroom.contract.generation import TextToImage
from darkroom.errors import NotStored
from darkroom.provenance import Facts, Records, Stamper, Trust, TssWatermarker, Verifier, development_pki
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.services.configuration import load_settings
from darkroom.settings import Settings
from darkroom.storage import MemoryStore, ObjectStore, open_store

RECORDS = 300
RECORD_BYTES, MANIFEST_BYTES = 4_500, 7_200
FOLDER = "benchmark-records"
KEPT_SECONDS = 60
VERIFIED = 15  # times each picture is looked at
SECRET = b"a secret of the benchmark"
Figures = dict[str, float]


def main() -> None:
    cv2.setNumThreads(1)
    print(json.dumps({"benchmark": "records", "figures": asyncio.run(measured(load_settings()))}))


async def measured(settings: Settings) -> Figures:
    store, redis = open_store(settings), Redis.from_url(settings.redis_url.get_secret_value())
    names = [secrets.token_hex(6) for _ in range(RECORDS)]
    try:
        return await _of_store(store, names) | await _of_redis(redis, names) | await _of_verifying()
    finally:
        for key in (key for name in names for key in _keys(name)):
            await store.delete(key)
            await redis.delete(key)
        await store.close()
        await redis.aclose()


def _keys(name: str) -> tuple[str, str]:
    return f"{FOLDER}/marks/{name}.json", f"{FOLDER}/manifests/{name}.c2pa"


async def _of_store(store: ObjectStore, names: list[str]) -> Figures:
    for mark, manifest in map(_keys, names):
        await store.put(mark, os.urandom(RECORD_BYTES), media_type="application/json")
        await store.put(manifest, os.urandom(MANIFEST_BYTES), media_type="application/c2pa")

    async def found(name: str) -> None:
        for key in _keys(name):
            await store.get(key)

    async def missed(name: str) -> None:
        with suppress(NotStored):
            await store.get(f"{FOLDER}/marks/{name[::-1]}.json")

    return {"store_ms": await _each(names, found), "store_unknown_ms": await _each(names, missed)}


async def _of_redis(redis: Redis, names: list[str]) -> Figures:
    async def fill(name: str) -> None:
        async with redis.pipeline(transaction=False) as pipeline:
            for key, size in zip(_keys(name), (RECORD_BYTES, MANIFEST_BYTES), strict=True):
                pipeline.set(key, os.urandom(size), ex=KEPT_SECONDS)
            await pipeline.execute()

    filled = await _each(names, fill)
    return {"redis_ms": await _each(names, lambda name: redis.mget(_keys(name))), "redis_filling_ms": filled}


async def _of_verifying() -> Figures:
    """Of a picture of 512 x 512 pixels as it left, stripped, and stripped and cut: in memory, without a gateway."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        identity, marks, store = development_pki(settings.home), TssWatermarker.of(SECRET), MemoryStore()
        records, trust = Records(store, SECRET), Trust.of(identity.anchor_pem)
        plan = planner.plan(TextToImage(prompt="a", seed=1), open_catalog(settings), now=0)
    facts = Facts("job", 0, "tenant", plan, 1, time.time())
    made = await Stamper(marks, identity, records).issue(clouds(512), facts, store, "images/job/0")
    verifier = Verifier(InspectorHere(marks, trust), records)

    async def look(data: bytes) -> float:
        return await _each([""] * VERIFIED, lambda _: verifier.verify(data))

    return {f"verify_{name}_ms": await look(data) for name, data in _copies(made.data)}


def _copies(data: bytes) -> Iterator[tuple[str, bytes]]:
    with Image.open(io.BytesIO(data)) as picture:
        whole = picture.convert("RGB")
    yield "intact", data
    yield "stripped", _png(whole)
    yield "cut", _png(whole.crop((60, 60, 460, 460)))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


async def _each(names: list[str], ask: Callable[[str], Awaitable[object]]) -> float:
    taken = []
    for name in names:
        begun = time.perf_counter()
        await ask(name)
        taken.append(time.perf_counter() - begun)
    return round(1000 * median(taken), 2)


if __name__ == "__main__":
    main()
