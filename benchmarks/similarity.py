"""Are edited pictures told from copied marks? `python -m benchmarks.similarity`.

Marked photographs and drawings of the embedded model go through every attack of `benchmarks.watermark`; where the mark
is read, the picture is compared with the thumbnail on record, as verify does it. The same mark is then put on every
other picture, which is then attacked the same way. Wrongly refused and wrongly let in are counted at the threshold that
verify uses. That threshold, the blocks and the halves were chosen on the photographs of packages and the first
drawings: `chosen`. What they are worth is told by pictures that had no part in it: `fresh`, the photographs of
`--photos` and the drawings after. The last line is the figures as JSON.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.encode import clouds, leaves
from benchmarks.marking import pictures
from benchmarks.marking.attacks import BEYOND, LISTED, RGB, Attack
from darkroom.provenance import TssWatermarker
from darkroom.provenance.similarity import SIMILAR, likeness, thumbnail, upright_view

SIDE = 512
SECRET = b"a secret of the benchmark"
CHOSEN_ON = 12  # drawings of the embedded model
OTHERS = 3  # pictures that each mark is copied to
COPIED_THROUGH = ("nothing", "JPEG 75", "crop 25 %", "equalise")


class Compared(NamedTuple):
    """Of pictures whose mark was read: how alike each is to what its mark leads to."""

    edited: dict[str, list[float]]
    copied: list[float]


def main() -> None:
    options = _options()
    cv2.setNumThreads(1)
    told: dict[str, float] = {}
    for name, hosts in _hosts(options):
        compared = compare(name, hosts, LISTED | BEYOND)
        told |= {f"{figure}_{name}": value for figure, value in figures(compared).items()}
    print(json.dumps({"benchmark": "similarity", "figures": told}))


def compare(name: str, hosts: Sequence[RGB], attacks: dict[str, Attack]) -> Compared:
    """Every picture with a mark of its own, attacked, and with the marks of others. Prints as it goes."""
    marks = TssWatermarker.of(SECRET)
    marked = [marks.embed(host, index).rgb_HWC for index, host in enumerate(hosts)]
    kept = [thumbnail(picture) for picture in marked]
    edited: dict[str, list[float]] = {}
    for attack, changes in attacks.items():
        seen = (_alike(marks, changes(picture), index, kept[index]) for index, picture in enumerate(marked))
        edited[attack] = [value for value in seen if value is not None]
        print(f"{name:18} {attack:24} {_spread(edited[attack])}", flush=True)
    copied = list(_copies(marks, hosts, kept))
    print(f"{name:18} {'copied marks':24} {_spread(copied)}", flush=True)
    return Compared(edited, copied)


def figures(compared: Compared) -> dict[str, float]:
    edited = [value for values in compared.edited.values() for value in values]
    listed = [value for attack, values in compared.edited.items() if attack in LISTED for value in values]
    return {
        "edited": len(edited),
        "refused": sum(value < SIMILAR for value in edited),
        "listed_refused": sum(value < SIMILAR for value in listed),
        "listed_least": round(min(listed, default=1.0), 3),
        "edited_least": round(min(edited, default=1.0), 3),
        "copied": len(compared.copied),
        "let_in": sum(value >= SIMILAR for value in compared.copied),
        "copied_most": round(max(compared.copied, default=-1.0), 3),
    }


def _copies(marks: TssWatermarker, hosts: Sequence[RGB], kept: Sequence[bytes]) -> Iterator[float]:
    """An adversary who could write any mark: nothing better can be copied."""
    for index, thumb in enumerate(kept):
        for step in range(1, min(OTHERS, len(hosts) - 1) + 1):
            forged = marks.embed(hosts[(index + step) % len(hosts)], index).rgb_HWC
            for attack in COPIED_THROUGH:
                value = _alike(marks, (LISTED | BEYOND)[attack](forged), index, thumb)
                if value is not None:
                    yield value


def _alike(marks: TssWatermarker, rgb_HWC: RGB, mark_id: int, thumb: bytes) -> float | None:
    """None where the mark is not read: verify has nothing to compare then."""
    mark = marks.identify(np.ascontiguousarray(rgb_HWC))
    if mark is None or mark.mark_id != mark_id:
        return None
    return likeness(upright_view(rgb_HWC, mark.placement), thumb)


def _spread(alike: Sequence[float]) -> str:
    if not alike:
        return "no mark read"
    least, middle, most = np.percentile(alike, (0, 50, 100))
    return f"{len(alike):4} read  least {least:5.2f}  median {middle:5.2f}  most {most:5.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=pictures.CACHE, help="where `benchmarks.watermark --fetch` put them"
    )
    parser.add_argument("--photos", type=Path, help="a folder of photographs that no constant was chosen on")
    parser.add_argument("--model", type=int, default=2 * CHOSEN_ON, help="pictures of the embedded model")
    parser.add_argument("--most", type=int, default=1000, help="photographs of each kind at most")
    return parser.parse_args()


def _hosts(options: argparse.Namespace) -> Iterator[tuple[str, Sequence[RGB]]]:
    folders = {"chosen": options.cache / "photographs", "fresh": options.photos}
    there = {kind: folder for kind, folder in folders.items() if folder and folder.exists()}
    for kind, folder in there.items():
        yield f"photographs_{kind}", list(islice(pictures.photographs([folder], SIDE), options.most))
    if not there:
        yield "drawn", [leaves(256), clouds(256)]
    if options.model:
        from benchmarks.marking import network

        drawn = network.drawn(network.load(network.TINY), options.model)
        yield from split("model", drawn)


def split(name: str, hosts: Sequence[RGB]) -> Iterator[tuple[str, Sequence[RGB]]]:
    """Those that constants were chosen on, which come first, and the rest."""
    for kind, part in (("chosen", hosts[:CHOSEN_ON]), ("fresh", hosts[CHOSEN_ON:])):
        if part:
            yield f"{name}_{kind}", part


if __name__ == "__main__":
    main()
