"""The CLIP text encoder, taught to tell a caption's attributes apart before it ever meets the U-Net.

Learned jointly with the U-Net, an encoder this small tells colours apart and confuses shapes (LOG.md, run 0). So it
first learns to name each attribute of the caption through the very layer by which the U-Net takes the caption into
its time embedding (`addition_embed_type="text"`); encoder and layer are then frozen and handed over.
"""

import random
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TextTimeEmbedding
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.autoencoder import Report
from training.captions import caption
from training.precision import MasterWeights, averaged, cosine_rate
from training.scenes import HELD_OUT_PAIRS, KIND_SHARES, POSITIONS, RELATIONS, Scene, sample_scene
from training.shapes import PALETTE, SHAPES
from training.tokenizer import ORDINARY_WORDS

WIDTH, LAYERS, HEADS, INNER = 128, 2, 4, 384
POOL_HEADS = 8  # the pooling layer reads the caption with this many
CONDITION = 192  # width of the U-Net's time embedding, which the pooled caption joins
STEPS, BATCH = 1_000, 64
DISGUISE_SHARE = 0.5  # of colours and of shapes are replaced by ordinary words
RATE = 2e-3
AVERAGE_DECAY = 0.99
PROBE_NOISE = 0.7  # of the pooled features' scale: keeps the attributes well apart
UNSAID = -100  # cross_entropy's ignore_index: the caption does not say

COLOURS = list(PALETTE)
VALUES: dict[str, list[str | None]] = {
    "kind": list(KIND_SHARES),
    "background": [*COLOURS],
    "number": ["0", "1", "2", "3", "4"],
    "colour": [*COLOURS],
    "shape": [*SHAPES, None],
    "size": [None, "small", "big"],
    "second colour": [*COLOURS, None],
    "second shape": [*SHAPES, None],
    "relation": [*RELATIONS, "inside", None],
    "position": [*POSITIONS, None],
}


@dataclass
class TextModel:
    """A caption's way into the U-Net: tokens by the encoder, all of it by the pooling layer."""

    tokenizer: CLIPTokenizer
    encoder: CLIPTextModel
    pool: TextTimeEmbedding


class Reader(nn.Module):
    """Encoder, pooling layer and one linear probe an attribute."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.encoder = CLIPTextModel(config(tokenizer))
        self.pool = TextTimeEmbedding(WIDTH, CONDITION, POOL_HEADS)
        self.probes = nn.ModuleDict({name: nn.Linear(CONDITION, len(values)) for name, values in VALUES.items()})

    def forward(self, ids_BT: Tensor) -> dict[str, Tensor]:
        pooled_BC = self.pool(self.encoder(ids_BT).last_hidden_state)
        if self.training:
            pooled_BC = pooled_BC + PROBE_NOISE * torch.randn_like(pooled_BC)
        return {name: probe(pooled_BC).float() for name, probe in self.probes.items()}


def config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    """The encoder's shape."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=tokenizer.model_max_length,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def tokens(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """Captions as ids, padded to full length: int64, BT."""
    batch = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    return torch.as_tensor(batch["input_ids"])


def disguised(rng: random.Random, scene: Scene) -> Scene:
    """The scene with ordinary words in the place of some colours and shapes.

    Pairs that are held out are never read; an encoder that has always read both words of a pair learns the gaps
    ("red, so no star"). With a word of no meaning beside it, each word must speak for itself.
    """
    new = {}
    for thing in dict.fromkeys(scene.things):
        colour = rng.choice(ORDINARY_WORDS) if rng.random() < DISGUISE_SHARE else thing.colour
        shape = rng.choice(ORDINARY_WORDS) if rng.random() < DISGUISE_SHARE else thing.shape
        new[thing] = replace(thing, colour=colour, shape=shape)
    return replace(scene, things=tuple(new[thing] for thing in scene.things))


def attributes(scene: Scene, text: str) -> dict[str, str | None]:
    """What the caption says of the scene, by attribute; an attribute that it leaves out is missing."""
    first = scene.things[0] if scene.things else None
    second = scene.things[1] if scene.kind in ("relation", "inside") else None
    found: dict[str, str | None] = {
        "kind": scene.kind if scene.kind != "count" or len(scene.things) > 1 else "single",
        "background": scene.background,
        "number": str(len(scene.things)),
        "colour": first.colour if first else "",
        "shape": first.shape if first else None,
        "size": first.size if first else None,
        "second colour": second.colour if second else None,
        "second shape": second.shape if second else None,
        "relation": scene.relation,
        "position": scene.position,
    }
    words = set(text.replace(",", "").split())
    return {
        name: value
        for name, value in found.items()
        if value in VALUES[name] and (value not in PALETTE or value in words)
    }


def targets(scenes: list[Scene], captions: list[str]) -> dict[str, Tensor]:
    """Class indices by attribute, `UNSAID` where the caption does not tell: int64, B."""
    found = [attributes(scene, text) for scene, text in zip(scenes, captions, strict=True)]
    return {
        name: torch.tensor([values.index(f[name]) if name in f else UNSAID for f in found])
        for name, values in VALUES.items()
    }


def _partners(scene: Scene) -> list[tuple[str, str]]:
    """(attribute, value) that training holds out together with what the scene shows."""
    second = scene.things[1:2] if scene.kind in ("relation", "inside") else ()
    things = [("", thing) for thing in scene.things[:1]] + [("second ", thing) for thing in second]
    shapes = [(f"{which}shape", s) for which, thing in things for c, s in HELD_OUT_PAIRS if c == thing.colour]
    colours = [(f"{which}colour", c) for which, thing in things for c, s in HELD_OUT_PAIRS if s == thing.shape]
    return shapes + colours


def penalties(scenes: list[Scene]) -> dict[str, Tensor]:
    """What to add to the logits, by attribute, so that the absence of held-out pairs teaches nothing: float32, BK.

    "red" never stands beside "star"; a classifier that must rule out every shape but the right one learns to rule out
    the star wherever it reads "red". So the star is no candidate there, neither right nor wrong.
    """
    added = {name: torch.zeros(len(scenes), len(values)) for name, values in VALUES.items()}
    for row, scene in enumerate(scenes):
        for name, value in _partners(scene):
            added[name][row, VALUES[name].index(value)] = -torch.inf
    return added


def accuracy(logits: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, float]:
    """Share of right answers by attribute, of those that the captions tell."""
    shares = {}
    for name, target in wanted.items():
        told = target != UNSAID
        shares[name] = (logits[name].argmax(1) == target)[told].float().mean().item()
    return shares


def _batch(rng: random.Random, size: int) -> tuple[list[Scene], list[str]]:
    scenes = [disguised(rng, sample_scene(rng)) for _ in range(size)]
    return scenes, [caption(rng, scene) for scene in scenes]


def train_text(
    tokenizer: CLIPTokenizer, seed: int, report: Report, steps: int = STEPS
) -> tuple[TextModel, dict[str, float]]:
    """The encoder and its pooling layer, and the probes' accuracy by attribute on held-out captions."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    reader = Reader(tokenizer)
    weights = MasterWeights(reader, reader.parameters(), AVERAGE_DECAY)
    for step in range(steps):
        scenes, captions = _batch(rng, BATCH)
        logits, wanted = reader(tokens(tokenizer, captions)), targets(scenes, captions)
        added = penalties(scenes)
        losses = [F.cross_entropy(logits[n] + added[n], wanted[n], ignore_index=UNSAID) for n in VALUES]
        loss = torch.stack(losses).sum()
        loss.backward()
        weights.step(cosine_rate(step, steps, RATE, warmup=100))
        report("text", step, loss.item())
    trained = averaged(reader, weights)
    assert isinstance(trained, Reader)
    shares = examine(trained, tokenizer, seed + 1)
    return TextModel(tokenizer, trained.encoder, trained.pool), shares


@torch.no_grad()
def examine(reader: Reader, tokenizer: CLIPTokenizer, seed: int, captions: int = 512) -> dict[str, float]:
    """Accuracy by attribute on captions of held-out scenes."""
    rng = random.Random(seed)
    kinds = [rng.choice(["single", "position", "count", "relation"]) for _ in range(captions)]
    scenes = [sample_scene(rng, kind, held_out=True) for kind in kinds]
    texts = [caption(rng, scene) for scene in scenes]
    return accuracy(reader(tokens(tokenizer, texts)), targets(scenes, texts))
