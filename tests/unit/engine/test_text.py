"""Words become what diffusers' pipeline makes of them."""

import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from darkroom.contract.plan import PlannedEmbedding
from tests.unit.engine.latents import relative
from tests.unit.engine.networks import Mute
from worker.models.checkpoint import Checkpoint
from worker.models.chunks import MOST_CHUNKS
from worker.models.clip import ClipEncoder, emphasized
from worker.models.conditioning import Conditioning
from worker.models.text import ClipText, RememberedText

RED, BLUE = "a red circle", "two blue stars"


def hidden(checkpoint: Checkpoint, words: str, *, layers: int | None = None) -> Tensor:
    """What the encoder makes of `words` alone, written out; with `layers` of its layers only."""
    tokenizer = CLIPTokenizer.from_pretrained(f"{checkpoint.spec.path}/tokenizer")
    encoder = CLIPTextModel.from_pretrained(f"{checkpoint.spec.path}/text_encoder").eval()
    if layers is not None:
        encoder.encoder.layers = encoder.encoder.layers[:layers]
    tokens = tokenizer(words, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt")
    with torch.inference_mode():
        return encoder(tokens.input_ids).last_hidden_state


@pytest.mark.parametrize("text", ["", RED, "two blue stars, on a green background " * 9])
def test_embeddings_equal_those_of_the_pipeline(epsilon: Checkpoint, text: str) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(epsilon.spec.path)
    expected, _ = pipe.encode_prompt(text, torch.device("cpu"), 1, do_classifier_free_guidance=False)

    assert torch.equal(epsilon.text.encode(text).context_1TC, expected)


@pytest.mark.parametrize("text", ["(a red circle:1.0)", "a (red:1) circle", r"[(a red circle)]"])
def test_weights_of_one_change_no_bit(epsilon: Checkpoint, text: str) -> None:
    found = epsilon.text.encode(text).context_1TC

    assert torch.equal(found, epsilon.text.encode(RED).context_1TC) or relative(found, hidden(epsilon, RED)) < 1e-6


def test_a_weight_multiplies_its_tokens_and_the_mean_is_restored(embedded: Checkpoint) -> None:
    plain_1TC = hidden(embedded, RED)
    weights_1T1 = torch.ones(1, plain_1TC.shape[1], 1)
    weights_1T1[0, 2] = 1.3  # start, "a", "red"
    expected_1TC = plain_1TC * weights_1T1
    expected_1TC *= plain_1TC.mean() / expected_1TC.mean()

    found_1TC = embedded.text.encode("a (red:1.3) circle").context_1TC

    torch.testing.assert_close(found_1TC, expected_1TC)
    assert float(found_1TC.mean()) == pytest.approx(float(plain_1TC.mean()), rel=1e-4)


def test_weights_that_leave_no_mean_leave_numbers() -> None:
    states_1TC = torch.tensor([[[1.0, 2.0], [1.0, 2.0]]])

    assert emphasized(states_1TC, [1.0, -1.0]).tolist() == [[[1.0, 2.0], [-1.0, -2.0]]]
    assert emphasized(states_1TC, [0.0, 0.0]).tolist() == [[[0.0, 0.0], [0.0, 0.0]]]


@pytest.mark.parametrize(
    "text", ["(" * 1_000 + RED + ")" * 1_000, "(a red circle:99999999)", "[" * 1_000 + RED, "(a:0)"]
)
def test_no_weight_makes_anything_but_numbers(epsilon: Checkpoint, text: str) -> None:
    assert torch.isfinite(epsilon.text.encode(text).context_1TC).all()


def test_break_sets_two_windows_one_after_the_other(epsilon: Checkpoint) -> None:
    found_1TC = epsilon.text.encode(f"{RED} BREAK {BLUE}").context_1TC

    assert torch.equal(found_1TC, torch.cat([hidden(epsilon, RED), hidden(epsilon, BLUE)], dim=1))


def test_words_beyond_the_window_fill_another_one(epsilon: Checkpoint) -> None:
    words = ["red", "blue", "green"] * 33
    room = epsilon.spec.max_prompt_tokens - 2

    encoded = epsilon.text.encode(" ".join(words))

    expected = [hidden(epsilon, " ".join(part)) for part in (words[:room], words[room:])]
    assert torch.equal(encoded.context_1TC, torch.cat(expected, dim=1))
    assert encoded.dropped_tokens == 0


def test_tokens_beyond_the_last_chunk_are_counted(epsilon: Checkpoint) -> None:
    room = (epsilon.spec.max_prompt_tokens - 2) * MOST_CHUNKS

    assert epsilon.text.encode("red " * room).dropped_tokens == 0
    encoded = epsilon.text.encode("red " * room + "circle circle")
    assert encoded.dropped_tokens == 2
    assert encoded.context_1TC.shape[1] == MOST_CHUNKS * epsilon.spec.max_prompt_tokens


def test_clip_skip_leaves_the_last_layers_out(epsilon: Checkpoint) -> None:
    assert torch.equal(epsilon.text.encode(RED, 0).context_1TC, hidden(epsilon, RED))
    assert torch.equal(epsilon.text.encode(RED, 1).context_1TC, hidden(epsilon, RED, layers=1))
    assert not torch.equal(epsilon.text.encode(RED, 1).context_1TC, hidden(epsilon, RED))


def test_after_the_end_there_is_the_models_own_padding(epsilon: Checkpoint) -> None:
    encoder = Recording(epsilon.text)
    tokenizer = CLIPTokenizer.from_pretrained(f"{epsilon.spec.path}/tokenizer", pad_token="!")

    ClipText([ClipEncoder(tokenizer, encoder)]).encode("red")

    ids = encoder.seen[0][0].tolist()
    expected = tokenizer("red", padding="max_length", max_length=len(ids)).input_ids
    assert ids == expected
    assert ids[3] == tokenizer.pad_token_id != tokenizer.eos_token_id


class Recording:
    """An encoder that remembers the tokens it was given."""

    device = torch.device("cpu")
    config = None

    def __init__(self, _: object) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, ids_1T: Tensor, **_: object) -> tuple[Tensor]:
        self.seen.append(ids_1T)
        return (torch.zeros(1, ids_1T.shape[1], 4),)


class Counting(Mute):
    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, text: str, clip_skip: int = 0, embeddings: tuple[PlannedEmbedding, ...] = ()) -> Conditioning:
        self.encoded.append(text)
        return super().encode(text)


def test_a_text_is_encoded_once_while_it_is_remembered() -> None:
    counting = Counting()
    text = RememberedText(counting, size=2)

    for word in ("a", "b", "a", "c", "a", "b"):
        text.encode(word)

    assert counting.encoded == ["a", "b", "c", "b"]


def test_what_is_remembered_is_kept_apart_by_the_layers_left_out() -> None:
    counting = Counting()
    text = RememberedText(counting)

    for clip_skip in (0, 1, 0, 1):
        text.encode("a", clip_skip)

    assert counting.encoded == ["a", "a"]
