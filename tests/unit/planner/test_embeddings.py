"""Embeddings that a prompt names are settled by their content; what cannot be used is said."""

from darkroom.catalog import Catalog
from darkroom.catalog.embeddings import Embeddings
from darkroom.catalog.unavailable import Unavailable
from darkroom.contract.embedding import EmbeddingSpec
from darkroom.contract.generation import TextToImage
from darkroom.contract.plan import GenerationPlan, PlannedEmbedding
from darkroom.errors import BrokenWeights
from darkroom.planner import plan
from tests.unit.planner.test_plan import SPEC

NEON = EmbeddingSpec(name="neon", path="/neon", sha256="ab" * 32, vectors=2, widths=(768,), models=("portrait",))
LARGE = EmbeddingSpec(name="large", path="/large", sha256="cd" * 32, vectors=1, widths=(768, 1280), models=())
BROKEN = Unavailable("broken", BrokenWeights("broken.safetensors", "truncated"))
CATALOG = Catalog([SPEC], default="portrait", embeddings=Embeddings([NEON, LARGE], [BROKEN]))


def planned(prompt: str, negative_prompt: str = "") -> GenerationPlan:
    return plan(TextToImage(prompt=prompt, negative_prompt=negative_prompt), CATALOG, now=0.0)


def test_an_embedding_is_used_where_either_prompt_names_it() -> None:
    expected = (PlannedEmbedding(name="neon", sha256="ab" * 32),)

    assert planned("a (neon:1.2) street").embeddings == expected
    assert planned("a street", "Neon").embeddings == expected
    assert planned("neon", "neon").embeddings == expected
    assert planned("a street").embeddings == ()


def test_what_cannot_be_used_is_noticed_and_read_as_words() -> None:
    settled = planned("large neon", "broken")

    assert [embedding.name for embedding in settled.embeddings] == ["neon"]
    assert [(notice.field, notice.reason.split("'")[1]) for notice in settled.warnings] == [
        ("prompt", "large"),
        ("negative_prompt", "broken"),
    ]
