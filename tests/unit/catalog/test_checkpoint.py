"""What a folder says of itself, and what is refused in it."""

import os
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.catalog.digests import DigestCache
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import TASKS
from darkroom.errors import BrokenWeights, MissingWeights
from tests.unit.catalog.conftest import SAFETENSORS, Checkpoint, safetensors, tensor

UNET = SAFETENSORS["unet"]
ONE_TENSOR = safetensors({"weight": tensor([2, 3], 0)}, b"\0" * 24)


def read(checkpoint: Checkpoint) -> ModelSpec:
    return read_checkpoint("portrait", checkpoint.folder, DigestCache().sha256)


def test_a_checkpoint_is_described_by_its_configuration(checkpoint: Checkpoint) -> None:
    spec = read(checkpoint)
    assert (spec.family, spec.prediction_type, spec.default_scheduler) == ("sd1", "epsilon", "euler")
    assert (spec.native_width, spec.native_height) == (512, 512)
    assert (spec.min_size, spec.max_size, spec.size_multiple) == (256, 2048, 8)
    assert (spec.max_prompt_tokens, spec.default_steps, spec.default_guidance_scale) == (77, 30, 7.5)
    assert spec.max_clip_skip == 11
    assert set(spec.weights) == set(SAFETENSORS.values())


@pytest.mark.parametrize("component", ["text_encoder", "unet", "vae"])
def test_weights_that_a_library_would_lay_over_the_hashed_ones_are_refused(
    checkpoint: Checkpoint, component: str
) -> None:
    checkpoint.write_json(f"{component}/adapter_config.json", {})
    with pytest.raises(BrokenWeights, match=f"{component}/adapter_config.json: would lay other weights"):
        read(checkpoint)


@pytest.mark.parametrize("side", [0, -64, 10**30, [64, 0]])
def test_a_native_size_that_no_picture_has_is_refused(checkpoint: Checkpoint, side: object) -> None:
    checkpoint.change("unet/config.json", sample_size=side)
    with pytest.raises(BrokenWeights, match=r"unet/config\.json: sample_size"):
        read(checkpoint)


@pytest.mark.parametrize("index", ["safetensors.index.json", "safetensors.fp16.index.json"])
def test_shards_that_would_be_loaded_in_the_place_of_the_hashed_file_are_refused(
    checkpoint: Checkpoint, index: str
) -> None:
    name = f"unet/diffusion_pytorch_model.{index}"
    checkpoint.write_json(name, {"weight_map": {"weight": "other.safetensors"}})
    with pytest.raises(BrokenWeights, match=f"{name}: names shards beside a file that is whole"):
        read(checkpoint)


@pytest.mark.parametrize(
    "fields",
    [
        {"quantization_config": {"quant_method": "bitsandbytes"}},
        {"auto_map": {"AutoModel": "evil.M"}},
        {"transformers_weights": "other.safetensors"},
        {"attn_implementation": "kernels-community/flash"},
        {"text_config": {"_attn_implementation": "kernels-community/flash"}},
    ],
)
def test_a_configuration_that_asks_for_code_or_kernels_is_refused(
    checkpoint: Checkpoint, fields: dict[str, Any]
) -> None:
    checkpoint.change("text_encoder/config.json", **fields)
    with pytest.raises(BrokenWeights, match=r"text_encoder/config\.json: asks for"):
        read(checkpoint)


@pytest.mark.parametrize(("width", "family"), [(768, "sd1"), (1024, "sd2"), (128, "tiny")])
def test_the_family_follows_from_the_width_of_the_text(checkpoint: Checkpoint, width: int, family: str) -> None:
    checkpoint.change("unet/config.json", cross_attention_dim=width)
    assert read(checkpoint).family == family


def test_two_text_encoders_make_an_sdxl(checkpoint: Checkpoint) -> None:
    checkpoint.make_xl()
    spec = read(checkpoint)
    assert (spec.family, spec.native_width, spec.default_guidance_scale) == ("sdxl", 1024, 5.0)
    assert "text_encoder_2/model.safetensors" in spec.weights
    assert (spec.text_widths, spec.max_clip_skip, spec.tasks) == ((768, 1280), 10, TASKS)
    assert spec.force_zeros_for_empty_prompt
    checkpoint.change("model_index.json", force_zeros_for_empty_prompt=False)
    assert not read(checkpoint).force_zeros_for_empty_prompt


def test_the_second_text_encoder_alone_makes_a_refiner(checkpoint: Checkpoint) -> None:
    checkpoint.make_xl(refiner=True)
    for name in ("text_encoder/model.safetensors", "text_encoder/config.json", "tokenizer/tokenizer_config.json"):
        checkpoint.remove(name)
    spec = read(checkpoint)
    assert (spec.family, spec.tasks, spec.text_widths) == ("sdxl_refiner", ("image_to_image",), (1280,))
    assert "text_encoder/model.safetensors" not in spec.weights


@pytest.mark.parametrize("refiner", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"addition_embed_type": None},
        {"addition_embed_type": "image_hint"},
        {"projection_class_embeddings_input_dim": 2561},
        {"class_embed_type": "projection"},
        {"time_cond_proj_dim": 256},
    ],
)
def test_a_network_that_asks_for_more_than_it_is_told_is_refused(
    checkpoint: Checkpoint, fields: dict[str, Any], refiner: bool
) -> None:
    checkpoint.make_xl(refiner=refiner)
    checkpoint.change("unet/config.json", **fields)
    with pytest.raises(BrokenWeights) as raised:
        read(checkpoint)
    assert raised.value.path == "unet/config.json"


@pytest.mark.parametrize("origin", [[None, None], "none", {}, 7])
def test_a_pipeline_without_text_encoders_is_refused(checkpoint: Checkpoint, origin: object) -> None:
    checkpoint.change("model_index.json", text_encoder=origin)
    with pytest.raises(BrokenWeights, match="no text encoder"):
        read(checkpoint)


def test_a_sample_size_may_have_two_sides_height_first(checkpoint: Checkpoint) -> None:
    checkpoint.change("unet/config.json", sample_size=[64, 96])
    spec = read(checkpoint)
    assert (spec.native_width, spec.native_height) == (768, 512)


def test_a_scheduler_we_do_not_have_is_replaced_by_one_we_do(checkpoint: Checkpoint) -> None:
    checkpoint.change("scheduler/scheduler_config.json", _class_name="SASolverScheduler")
    assert read(checkpoint).default_scheduler == "dpmpp_2m"


def test_half_precision_weights_are_taken_where_there_are_no_others(checkpoint: Checkpoint) -> None:
    half = UNET.replace(".safetensors", ".fp16.safetensors")
    checkpoint.write(half, ONE_TENSOR)
    assert half not in read(checkpoint).weights
    checkpoint.remove(UNET)
    assert half in read(checkpoint).weights


def test_shards_are_all_hashed(checkpoint: Checkpoint) -> None:
    checkpoint.remove(UNET)
    shards = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    checkpoint.write_json(f"{UNET}.index.json", {"weight_map": {"a": shards[0], "b": shards[1], "c": shards[1]}})
    for shard in shards:
        checkpoint.write(f"unet/{shard}", ONE_TENSOR)
    assert {f"unet/{shard}" for shard in shards} < set(read(checkpoint).weights)


@pytest.mark.parametrize(
    "shard", ["../vae/diffusion_pytorch_model.safetensors", "/etc/passwd", "a/b.safetensors", "x.bin"]
)
def test_a_shard_index_does_not_lead_out_of_its_folder(checkpoint: Checkpoint, shard: str) -> None:
    checkpoint.remove(UNET)
    checkpoint.write_json(f"{UNET}.index.json", {"weight_map": {"a": shard}})
    with pytest.raises(BrokenWeights) as raised:
        read(checkpoint)
    assert raised.value.path == f"{UNET}.index.json"


@pytest.mark.parametrize(
    "name",
    [
        "model_index.json",
        "unet/config.json",
        "vae/config.json",
        "scheduler/scheduler_config.json",
        "tokenizer/tokenizer_config.json",
        *SAFETENSORS.values(),
    ],
)
def test_a_missing_file_is_named(checkpoint: Checkpoint, name: str) -> None:
    checkpoint.remove(name)
    with pytest.raises(MissingWeights) as raised:
        read(checkpoint)
    assert raised.value.path == name


def test_a_missing_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        read_checkpoint("portrait", tmp_path / "nowhere", DigestCache().sha256)


@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json", "vae/config.json"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"x": 1}'])
def test_a_broken_configuration_is_named(checkpoint: Checkpoint, name: str, data: bytes) -> None:
    checkpoint.write(name, data)
    with pytest.raises(BrokenWeights) as raised:
        read(checkpoint)
    assert raised.value.path == name


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("model_index.json", {"_class_name": "FluxPipeline"}),
        ("model_index.json", {"unet": ["my_code", "Unet"]}),
        ("unet/config.json", {"_class_name": "UNet3DConditionModel"}),
        ("unet/config.json", {"in_channels": 8}),
        ("unet/config.json", {"sample_size": None}),
        ("unet/config.json", {"addition_embed_type": "text_time"}),
        ("vae/config.json", {"block_out_channels": []}),
        ("vae/config.json", {"latents_mean": [0.0, 0.1, 0.2, 0.3]}),
        ("scheduler/scheduler_config.json", {"prediction_type": "sample"}),
    ],
)
def test_what_we_could_not_serve_is_refused(checkpoint: Checkpoint, name: str, fields: dict[str, Any]) -> None:
    checkpoint.change(name, **fields)
    with pytest.raises(BrokenWeights) as raised:
        read(checkpoint)
    assert raised.value.path == name


def test_a_network_that_also_takes_a_mask_and_the_rest_is_for_inpainting_alone(checkpoint: Checkpoint) -> None:
    assert read(checkpoint).tasks == TASKS
    checkpoint.change("unet/config.json", in_channels=9)
    checkpoint.change("model_index.json", _class_name="StableDiffusionInpaintPipeline")
    assert read(checkpoint).tasks == ("inpaint", "outpaint")


def test_broken_weights_are_named(checkpoint: Checkpoint) -> None:
    checkpoint.write(UNET, b"PK\x03\x04 a pickle")
    with pytest.raises(BrokenWeights) as raised:
        read(checkpoint)
    assert raised.value.path == UNET


def test_a_pickle_beside_missing_safetensors_is_not_taken(checkpoint: Checkpoint) -> None:
    checkpoint.remove(UNET)
    checkpoint.write("unet/diffusion_pytorch_model.bin", b"pickle")
    with pytest.raises(MissingWeights):
        read(checkpoint)


def test_a_fifo_in_the_place_of_weights_does_not_hang(checkpoint: Checkpoint) -> None:
    checkpoint.remove(UNET)
    os.mkfifo(checkpoint.folder / UNET)
    with pytest.raises(BrokenWeights):
        read(checkpoint)
