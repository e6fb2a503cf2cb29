"""What may be in a picture, and where: the distribution of the data set, and what is held out of it."""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from training.shapes import BACKGROUNDS, PALETTE, SHAPES, SIDE, Colour, Image, Item, draw

Choice = TypeVar("Choice")

KIND_SHARES = {
    "single": 0.28,
    "position": 0.10,
    "count": 0.28,
    "relation": 0.26,
    "inside": 0.06,
    "plain": 0.02,
}
COUNT_SHARES = {1: 0.10, 2: 0.28, 3: 0.31, 4: 0.31}
WHITE_SHARE = 0.2  # of backgrounds, on top of white's equal share
RELATIONS = ("above", "below", "left", "right", "and")
POSITIONS: dict[str, tuple[int, int]] = {
    "top": (0, -1),
    "bottom": (0, 1),
    "left": (-1, 0),
    "right": (1, 0),
    "center": (0, 0),
    "top left": (-1, -1),
    "top right": (1, -1),
    "bottom left": (-1, 1),
    "bottom right": (1, 1),
}
CONTAINERS = ("circle", "square", "diamond", "heart")
HELD_OUT_PAIRS = frozenset(  # (colour, shape) never drawn in training, in any kind of scene
    {
        ("red", "star"),
        ("blue", "heart"),
        ("green", "circle"),
        ("yellow", "diamond"),
        ("purple", "square"),
        ("orange", "ring"),
        ("white", "triangle"),
        ("cyan", "cross"),
    }
)
HELD_OUT_SHARE = 0.10  # of (n, colour, shape) and of (thing, relation, thing)

MARGIN = 3.0  # px kept free at the border
REACH = 1.16  # the widest outline's reach / its radius
TILT = 0.08  # rad, largest rotation
COLOUR_NOISE = 3.0  # standard deviation of each channel, of 255
SINGLE_RADII = {"small": (16.0, 20.0), None: (27.0, 36.0), "big": (44.0, 51.0)}
POSITION_RADIUS = (17.0, 21.0)
COUNT_RADII = {1: (27.0, 36.0), 2: (20.0, 25.0), 3: (18.0, 22.0), 4: (17.0, 21.0)}
RELATION_RADIUS = (19.0, 25.0)
CONTAINER_RADIUS = (46.0, 53.0)
CONTENT_RADIUS = (16.0, 20.0)
COUNT_LAYOUTS: dict[int, tuple[tuple[tuple[float, float], ...], ...]] = {  # centres, of half the side
    1: (((0, 0),),),
    2: (((-0.48, 0), (0.48, 0)), ((0, -0.48), (0, 0.48)), ((-0.45, -0.45), (0.45, 0.45))),
    3: (((-0.5, 0.45), (0.5, 0.45), (0, -0.48)), ((-0.5, -0.45), (0.5, -0.45), (0, 0.48))),
    4: (((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)),),
}


@dataclass(frozen=True)
class Thing:
    """What a caption names: `size` is small, big or None (unsaid)."""

    colour: str
    shape: str
    size: str | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.colour, self.shape


@dataclass(frozen=True)
class Scene:
    """The meaning of one picture. `things` repeats a thing as often as it is drawn."""

    kind: str
    background: str
    things: tuple[Thing, ...] = ()
    relation: str | None = None
    position: str | None = None
    width: int = SIDE  # px
    height: int = SIDE  # px


def is_held_out(scene: Scene) -> bool:
    """Whether training must never draw this: by its pairs, or by a stable hash of its count or relation."""
    if any(thing.pair in HELD_OUT_PAIRS for thing in scene.things):
        return True
    if scene.kind not in ("count", "relation") or len(scene.things) < 2:
        return False
    pairs = [" ".join(thing.pair) for thing in scene.things]
    key = f"{scene.relation} {' '.join(pairs)}".encode()
    return zlib.crc32(key) % 1000 < HELD_OUT_SHARE * 1000


def _pick(rng: random.Random, shares: dict[Choice, float]) -> Choice:
    return rng.choices(list(shares), list(shares.values()))[0]


def _thing(rng: random.Random, avoid: Sequence[str], size: str | None = None, shapes: Sequence[str] = SHAPES) -> Thing:
    colours = [colour for colour in PALETTE if colour not in avoid]
    return Thing(rng.choice(colours), rng.choice(shapes), size)


def _things(rng: random.Random, kind: str, background: str) -> tuple[Thing, ...]:
    if kind == "plain":
        return ()
    if kind == "single":
        return (_thing(rng, [background], _pick(rng, {"small": 0.15, None: 0.65, "big": 0.2})),)
    first = _thing(rng, [background])
    if kind == "count":
        return (first,) * _pick(rng, COUNT_SHARES)
    if kind == "relation":
        return first, _thing(rng, [background])
    if kind == "inside":
        return first, _thing(rng, [background, first.colour], shapes=CONTAINERS)
    return (first,)


def _relation(rng: random.Random, kind: str) -> str | None:
    if kind == "inside":
        return "inside"
    return rng.choice(RELATIONS) if kind == "relation" else None


def _any_scene(rng: random.Random, kind: str, width: int, height: int) -> Scene:
    background = "white" if rng.random() < WHITE_SHARE else rng.choice(BACKGROUNDS)
    things = _things(rng, kind, background)
    position = rng.choice(list(POSITIONS)) if kind == "position" else None
    return Scene(kind, background, things, _relation(rng, kind), position, width, height)


def sample_scene(
    rng: random.Random, kind: str | None = None, held_out: bool = False, width: int = SIDE, height: int = SIDE
) -> Scene:
    """A random scene of `kind` (of any kind, by its share, if None), of training or of what is held out of it."""
    kind = kind or _pick(rng, KIND_SHARES)
    while True:
        scene = _any_scene(rng, kind, width, height)
        same = kind == "relation" and scene.things[0].pair == scene.things[1].pair
        if not same and is_held_out(scene) == held_out:
            return scene


def jittered(rng: random.Random, name: str) -> Colour:
    """The named colour with a little noise, so that a name means a region of colours."""
    red, green, blue = (round(min(255, max(0, c + rng.gauss(0, COLOUR_NOISE)))) for c in PALETTE[name])
    return red, green, blue


def _item(rng: random.Random, thing: Thing, scene: Scene, x: float, y: float, radius: float) -> Item:
    edge = radius * REACH + MARGIN
    x = min(max(x, edge), scene.width - edge) if 2 * edge < scene.width else scene.width / 2
    y = min(max(y, edge), scene.height - edge) if 2 * edge < scene.height else scene.height / 2
    return Item(thing.shape, jittered(rng, thing.colour), x, y, radius, rng.uniform(-TILT, TILT))


def _place_single(rng: random.Random, scene: Scene) -> list[Item]:
    thing = scene.things[0]
    x, y = rng.gauss(scene.width / 2, scene.width * 0.07), rng.gauss(scene.height / 2, scene.height * 0.07)
    return [_item(rng, thing, scene, x, y, rng.uniform(*SINGLE_RADII[thing.size]))]


def _place_position(rng: random.Random, scene: Scene) -> list[Item]:
    right, down = POSITIONS[scene.position or "center"]
    radius = rng.uniform(*POSITION_RADIUS)
    edge = radius * REACH + MARGIN + rng.uniform(0, 5)
    x = scene.width / 2 + right * (scene.width / 2 - edge) + (right == 0) * rng.uniform(-3, 3)
    y = scene.height / 2 + down * (scene.height / 2 - edge) + (down == 0) * rng.uniform(-3, 3)
    return [_item(rng, scene.things[0], scene, x, y, radius)]


def _place_count(rng: random.Random, scene: Scene) -> list[Item]:
    number = len(scene.things)
    layout = rng.choice(COUNT_LAYOUTS[number])
    radius = rng.uniform(*COUNT_RADII[number])
    mirror = rng.choice((-1, 1))
    items = []
    for thing, (right, down) in zip(scene.things, layout, strict=True):
        x = scene.width / 2 * (1 + mirror * right) + rng.uniform(-4, 4)
        y = scene.height / 2 * (1 + down) + rng.uniform(-4, 4)
        items.append(_item(rng, thing, scene, x, y, radius * rng.uniform(0.96, 1.04)))
    return items


def _place_relation(rng: random.Random, scene: Scene) -> list[Item]:
    relation = scene.relation if scene.relation != "and" else rng.choice(RELATIONS[:4])
    vertical, sign = relation in ("above", "below"), -1 if relation in ("above", "left") else 1
    length, breadth = (scene.height, scene.width) if vertical else (scene.width, scene.height)
    items = []
    for thing, side in zip(scene.things, (sign, -sign), strict=True):
        along = length / 2 * (1 + 0.47 * side) + rng.uniform(-4, 4)
        across = breadth / 2 + rng.gauss(0, 4)
        x, y = (across, along) if vertical else (along, across)
        items.append(_item(rng, thing, scene, x, y, rng.uniform(*RELATION_RADIUS)))
    return items


def _place_inside(rng: random.Random, scene: Scene) -> list[Item]:
    content, container = scene.things
    x, y = scene.width / 2 + rng.gauss(0, 2), scene.height / 2 + rng.gauss(0, 2)
    outer = _item(rng, container, scene, x, y, rng.uniform(*CONTAINER_RADIUS))
    lift = 4 if container.shape == "heart" else 0  # a heart is widest above its centre
    inner = _item(rng, content, scene, outer.x, outer.y - lift, rng.uniform(*CONTENT_RADIUS))
    return [outer, inner]


PLACERS = {
    "single": _place_single,
    "position": _place_position,
    "count": _place_count,
    "relation": _place_relation,
    "inside": _place_inside,
}


def place(rng: random.Random, scene: Scene) -> list[Item]:
    """Where each thing of the scene is drawn."""
    return PLACERS[scene.kind](rng, scene) if scene.things else []


def render(rng: random.Random, scene: Scene, stroke: float | None = None) -> Image:
    """One picture of the scene, filled or in outlines of `stroke` px."""
    return draw(place(rng, scene), jittered(rng, scene.background), scene.width, scene.height, stroke)
