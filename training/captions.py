"""What a person might type for a scene: the text half of the data set."""

import random

from training.scenes import Scene, Thing

NUMBERS = {1: ("one", "1", "a single"), 2: ("two", "2", "a pair of"), 3: ("three", "3"), 4: ("four", "4")}
PLURALS = {"cross": "crosses"}
SIZE_WORDS = {"small": ("small", "tiny", "little"), "big": ("big", "large", "huge")}
RELATION_WORDS = {
    "above": ("above", "over", "on top of"),
    "below": ("below", "under", "beneath", "underneath"),
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "and": ("and", "and", "next to", "with"),
    "inside": ("inside", "in", "inside of"),
}
OPPOSITES = {
    "above": ("at the top", "at the bottom"),
    "below": ("at the bottom", "at the top"),
    "left": ("on the left", "on the right"),
    "right": ("on the right", "on the left"),
}
PREFIXES = ("a picture of ", "a drawing of ", "an image of ", "a photo of ", "an illustration of ", "a painting of ")
PLAIN = ("{b} background", "a plain {b} background", "solid {b}", "an empty {b} picture", "nothing but {b}")

PREFIX_SHARE = 0.15
BACKGROUND_SHARE = 0.88  # of captions name the background
COLOURLESS_SHARE = 0.03  # of nouns leave the colour out


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _noun(rng: random.Random, thing: Thing, plural: bool = False, full: bool = False) -> str:
    words = [rng.choice(SIZE_WORDS[thing.size])] if thing.size else []
    if full or rng.random() >= COLOURLESS_SHARE:
        words.append(thing.colour)
    words.append(PLURALS.get(thing.shape, thing.shape + "s") if plural else thing.shape)
    return " ".join(words)


def _single(rng: random.Random, scene: Scene, full: bool) -> str:
    noun = _noun(rng, scene.things[0], full=full)
    return rng.choice([_article(noun), _article(noun), _article(noun), noun, f"one {noun}", f"a single {noun}"])


def _position(rng: random.Random, scene: Scene, full: bool) -> str:
    noun = _noun(rng, scene.things[0], full=full)
    place = scene.position or "center"
    if place == "center":
        place = rng.choice(["center", "centre", "middle"])
    elif " " in place:
        place += rng.choice(["", " corner"])
    else:
        place += rng.choice(["", "", "", " side"])
    return f"{rng.choice([_article(noun), noun])} {rng.choice(['in', 'at', 'on'])} the {place}"


def _count(rng: random.Random, scene: Scene, full: bool) -> str:
    number = len(scene.things)
    return f"{rng.choice(NUMBERS[number])} {_noun(rng, scene.things[0], number > 1, full)}"


def _relation(rng: random.Random, scene: Scene, full: bool) -> str:
    relation = scene.relation or "and"
    first, second = (_noun(rng, thing, full=full) for thing in scene.things)
    if rng.random() < 0.85:
        first, second = _article(first), _article(second)
    if relation in OPPOSITES and rng.random() < 0.15:
        here, there = OPPOSITES[relation]
        return f"{first} {here} and {second} {there}"
    return f"{first} {rng.choice(RELATION_WORDS[relation])} {second}"


WRITERS = {"single": _single, "position": _position, "count": _count, "relation": _relation, "inside": _relation}


def _with_background(rng: random.Random, text: str, background: str) -> str:
    forms = [
        f"{text} on {_article(background)} background",
        f"{text} on {_article(background)} background",
        f"{text} on {_article(background)} background",
        f"{text} on {background}",
        f"{text}, {background} background",
        f"{text} on {background} background",
        f"{text} against {_article(background)} background",
        f"{_article(background)} background with {text}",
    ]
    return rng.choice(forms)


def caption(rng: random.Random, scene: Scene, full: bool = False) -> str:
    """A caption of the scene; a `full` one leaves out neither a colour nor the background."""
    if scene.kind == "plain":
        return rng.choice(PLAIN).format(b=scene.background)
    text = WRITERS[scene.kind](rng, scene, full)
    if full or rng.random() < BACKGROUND_SHARE:
        text = _with_background(rng, text, scene.background)
    if rng.random() < PREFIX_SHARE:
        text = rng.choice(PREFIXES) + text
    return text
