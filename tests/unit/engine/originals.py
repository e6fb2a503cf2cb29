"""Checkpoints of each family, as a folder of diffusers and as one file in Stability's layout, with the same weights.

The names are written out after `convert_diffusers_to_original_stable_diffusion.py` of diffusers, the way back from what
is under test.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from darkroom.catalog import embedded_model_folder

WIDTH = 32
POOLED = 16


@dataclass(frozen=True)
class Kind:
    """A family. `encoders` are by component: whether each is of OpenCLIP; `prefixes` where they stand in a file."""

    encoders: Mapping[str, bool]
    prefixes: Mapping[str, str]
    channels: int = 4
    velocity: bool = False
    xl: bool = False
    sizes: int = 6


SD1 = Kind({"text_encoder": False}, {"text_encoder": "cond_stage_model.transformer.text_model."})
SD1_INPAINT = Kind(SD1.encoders, SD1.prefixes, channels=9)
SD2 = Kind({"text_encoder": True}, {"text_encoder": "cond_stage_model.model."})
SD2_V = Kind(SD2.encoders, SD2.prefixes, velocity=True)
XL = Kind(
    {"text_encoder": False, "text_encoder_2": True},
    {
        "text_encoder": "conditioner.embedders.0.transformer.text_model.",
        "text_encoder_2": "conditioner.embedders.1.model.",
    },
    xl=True,
)
XL_INPAINT = Kind(XL.encoders, XL.prefixes, channels=9, xl=True)
REFINER = Kind({"text_encoder_2": True}, {"text_encoder_2": "conditioner.embedders.0.model."}, xl=True, sizes=5)

Networks = dict[str, Any]


def make_networks(kind: Kind, seed: int = 0) -> Networks:
    """Random networks of the family, small but of its structure."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoders = {name: _encoder(name, open_clip) for name, open_clip in kind.encoders.items()}
        return {**encoders, "unet": _unet(kind), "vae": _vae(kind)}


def save_folder(kind: Kind, networks: Networks, folder: Path) -> Path:
    """As diffusers saves the family."""
    first, second = (_tokenizer(pads) for pads in ({}, {"pad_token": "!"}))
    parts = {"scheduler": _scheduler(kind), "unet": networks["unet"], "vae": networks["vae"]}
    if kind is REFINER:
        pipeline = diffusers.StableDiffusionXLImg2ImgPipeline
        own = {"text_encoder": None, "tokenizer": None, "text_encoder_2": networks["text_encoder_2"]}
        parts |= own | {"tokenizer_2": second, "force_zeros_for_empty_prompt": False, "add_watermarker": False}
    elif kind.xl:
        pipeline = diffusers.StableDiffusionXLPipeline
        parts |= {name: networks[name] for name in kind.encoders} | {"tokenizer": first, "tokenizer_2": second}
        parts |= {"add_watermarker": False}
    else:
        pipeline = diffusers.StableDiffusionPipeline
        tokenizer = second if kind.encoders["text_encoder"] else first
        parts |= {"text_encoder": networks["text_encoder"], "tokenizer": tokenizer, "safety_checker": None}
        parts |= {"feature_extractor": None, "requires_safety_checker": False}
    pipeline(**parts).save_pretrained(folder)
    return folder


def original(kind: Kind, networks: Networks) -> dict[str, Tensor]:
    """The same weights by the names of Stability's layout, with what such files hold besides."""
    tensors = {f"model.diffusion_model.{name}": tensor for name, tensor in unet_tensors(networks["unet"])}
    tensors |= {f"first_stage_model.{name}": tensor for name, tensor in vae_tensors(networks["vae"])}
    for component, open_clip in kind.encoders.items():
        state = {name.removeprefix("text_model."): tensor for name, tensor in networks[component].state_dict().items()}
        named = _open_clip(state, trimmed=not kind.xl) if open_clip else state
        tensors |= {f"{kind.prefixes[component]}{name}": tensor for name, tensor in named.items()}
    besides = {"alphas_cumprod": torch.zeros(1000), "model_ema.decay": torch.zeros(())}
    return {name: tensor.contiguous().clone() for name, tensor in (tensors | besides).items()}


def save_original(kind: Kind, networks: Networks, file: Path, **changed: Tensor) -> Path:
    save_file(original(kind, networks) | changed, file)
    return file


def unet_tensors(unet: Any) -> Iterator[tuple[str, Tensor]]:
    """Two layers a block."""
    levels = len(unet.config.block_out_channels)
    renamed = {"conv_in.": "input_blocks.0.0.", "conv_norm_out.": "out.0.", "conv_out.": "out.2."}
    renamed |= {"time_embedding.linear_1.": "time_embed.0.", "time_embedding.linear_2.": "time_embed.2."}
    renamed |= {"add_embedding.linear_1.": "label_emb.0.0.", "add_embedding.linear_2.": "label_emb.0.2."}
    renamed |= {"mid_block.attentions.0.": "middle_block.1."}
    renamed |= {f"mid_block.resnets.{j}.": f"middle_block.{2 * j}." for j in range(2)}
    attending = [kind.startswith("Cross") for kind in unet.config.up_block_types]
    for i in range(levels):
        for j in range(3):
            renamed[f"up_blocks.{i}.resnets.{j}."] = f"output_blocks.{3 * i + j}.0."
            renamed[f"up_blocks.{i}.attentions.{j}."] = f"output_blocks.{3 * i + j}.1."
        for j in range(2):
            renamed[f"down_blocks.{i}.resnets.{j}."] = f"input_blocks.{3 * i + j + 1}.0."
            renamed[f"down_blocks.{i}.attentions.{j}."] = f"input_blocks.{3 * i + j + 1}.1."
        renamed[f"down_blocks.{i}.downsamplers.0.conv."] = f"input_blocks.{3 * (i + 1)}.0.op."
        renamed[f"up_blocks.{i}.upsamplers.0."] = f"output_blocks.{3 * i + 2}.{2 if attending[i] else 1}."
    inside = {"norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3"}
    inside |= {"time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection"}
    for name, tensor in unet.state_dict().items():
        start = next(start for start in renamed if name.startswith(start))
        rest = name.removeprefix(start)
        if "resnets" in start:
            layer, _, kind = rest.rpartition(".")
            rest = f"{inside[layer]}.{kind}"
        yield renamed[start] + rest, tensor


def vae_tensors(vae: Any) -> Iterator[tuple[str, Tensor]]:
    levels = len(vae.config.block_out_channels)
    renamed = {"conv_shortcut": "nin_shortcut", "conv_norm_out": "norm_out", "mid_block.attentions.0.": "mid.attn_1."}
    renamed |= {f"mid_block.resnets.{j}.": f"mid.block_{j + 1}." for j in range(2)}
    for i in range(levels):
        renamed |= {f"encoder.down_blocks.{i}.resnets.": f"encoder.down.{i}.block."}
        renamed |= {f"down_blocks.{i}.downsamplers.0.": f"down.{i}.downsample."}
        renamed |= {f"up_blocks.{i}.upsamplers.0.": f"up.{levels - 1 - i}.upsample."}
        renamed |= {f"decoder.up_blocks.{i}.resnets.": f"decoder.up.{levels - 1 - i}.block."}
    attention = {"group_norm.": "norm.", "to_q.": "q.", "to_k.": "k.", "to_v.": "v.", "to_out.0.": "proj_out."}
    for name, tensor in vae.state_dict().items():
        for old, new in (renamed | (attention if "attentions" in name else {})).items():
            name = name.replace(old, new)
        convolution = "attn_1" in name and name.endswith("weight") and "norm" not in name
        yield name, tensor[:, :, None, None] if convolution else tensor


def _open_clip(state: Mapping[str, Tensor], *, trimmed: bool) -> dict[str, Tensor]:
    """Fused projections; where diffusers leaves the last block out, one more that nobody is to read."""
    renamed = {"encoder.layers.": "transformer.resblocks.", "layer_norm": "ln_", "mlp.fc1": "mlp.c_fc"}
    renamed |= {"mlp.fc2": "mlp.c_proj", "self_attn": "attn", "final_layer_norm": "ln_final"}
    renamed |= {"embeddings.token_embedding": "token_embedding"}
    renamed |= {
        "embeddings.position_embedding.weight": "positional_embedding",
        "text_projection.weight": "text_projection",
    }
    tensors: dict[str, Tensor] = {"logit_scale": torch.zeros(())}
    for name, tensor in state.items():
        for old, new in {"final_layer_norm": "ln_final", **renamed}.items():
            name = name.replace(old, new)
        if "q_proj" in name:
            parts = [tensor, *(state[_sibling(state, name, tensor, part)] for part in ("k_proj", "v_proj"))]
            tensors[name.replace("q_proj.", "in_proj_")] = torch.cat(parts)
        elif "k_proj" not in name and "v_proj" not in name:
            tensors[name] = tensor.T if name == "text_projection" else tensor
    if trimmed:
        blocks = {int(name.split(".")[2]) for name in tensors if name.startswith("transformer.")}
        last = f"transformer.resblocks.{max(blocks)}."
        beyond = f"transformer.resblocks.{max(blocks) + 1}."
        tensors |= {n.replace(last, beyond): torch.full_like(t, 9.0) for n, t in tensors.items() if n.startswith(last)}
    return tensors


def _sibling(state: Mapping[str, Tensor], name: str, tensor: Tensor, part: str) -> str:
    mine = next(key for key, value in state.items() if value is tensor)
    return mine.replace("q_proj", part)


def _tokenizer(options: dict[str, str]) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(embedded_model_folder() / "tokenizer", **options)


def _encoder(component: str, open_clip: bool) -> Any:
    kind = CLIPTextModelWithProjection if component == "text_encoder_2" else CLIPTextModel
    tokenizer = _tokenizer({})
    return kind(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            projection_dim=POOLED,
            num_hidden_layers=2,
            num_attention_heads=1,
            max_position_embeddings=tokenizer.model_max_length,
            hidden_act="gelu" if open_clip else "quick_gelu",
            bos_token_id=0,
            eos_token_id=2,
            pad_token_id=1,
        )
    )


def _unet(kind: Kind) -> Any:
    context = WIDTH * len(kind.encoders)
    linear = any(kind.encoders.values())
    told: dict[str, Any] = {}
    if kind.xl:
        told = {"addition_embed_type": "text_time", "addition_time_embed_dim": 256}
        told |= {"projection_class_embeddings_input_dim": kind.sizes * 256 + POOLED}
    return diffusers.UNet2DConditionModel(
        sample_size=128 if kind.xl else 96 if kind.velocity else 64,
        in_channels=kind.channels,
        layers_per_block=2,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D")
        if kind.xl
        else ("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D") if kind.xl else ("UpBlock2D", "CrossAttnUpBlock2D"),
        transformer_layers_per_block=(1, 2) if kind.xl else 1,
        cross_attention_dim=context,
        attention_head_dim=(1, 1) if linear else 8,
        use_linear_projection=linear,
        **told,
    )


def _vae(kind: Kind) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(32, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        scaling_factor=0.13025 if kind.xl else 0.18215,
        force_upcast=kind.xl,
    )


def _scheduler(kind: Kind) -> Any:
    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    if kind.xl:
        # As the published one: its configuration has what other schedulers need.
        others = {"set_alpha_to_one": False, "skip_prk_steps": True, "clip_sample": False}
        return diffusers.EulerDiscreteScheduler.from_config({**betas, **others, "timestep_spacing": "leading"})
    prediction = "v_prediction" if kind.velocity else "epsilon"
    if any(kind.encoders.values()):
        return diffusers.DDIMScheduler(**betas, prediction_type=prediction, clip_sample=False, set_alpha_to_one=False)
    return diffusers.PNDMScheduler(**betas, prediction_type=prediction, skip_prk_steps=True)
