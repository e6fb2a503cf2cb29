"""What a single-file checkpoint does not say of itself: the configurations of its networks, from their shapes.

They are those of the folders that Stability and Runway published. What shapes cannot tell, numbers of heads and groups,
activations and scaling factors, is the same in all checkpoints of a family; a sidecar may say otherwise.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from darkroom.catalog.configs import MAX_BLOCKS
from darkroom.catalog.original_names import Networks, Source

HEAD_WIDTH = 64
# Stable Diffusion 1 divides its layers into as many heads, whatever their width.
SD1_HEADS = 8
SCALING, XL_SCALING = 0.18215, 0.13025
# In latents.
SIDE, VELOCITY_SIDE, XL_SIDE = 64, 96, 128

Network = Mapping[str, Source]
Config = dict[str, Any]

_BETAS: Config = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "skip_prk_steps": True,
    "clip_sample": False,
    "trained_betas": None,
}


class Incomplete(ValueError):
    """Why networks have no configuration: a tensor is not there, or is not shaped like one of Stable Diffusion."""


def configs_of(networks: Networks, *, velocity: bool, zero_snr: bool) -> dict[str, Config]:
    """Component -> configuration, with that of the scheduler. `velocity`: the U-Net predicts velocity, not noise.

    Raises: Incomplete.
    """
    configs = {name: text_config(name, network) for name, network in networks.items() if name.startswith("text_")}
    xl = "text_encoder_2" in networks
    side = XL_SIDE if xl else VELOCITY_SIDE if velocity and _is_linear(networks["unet"]) else SIDE
    configs["unet"] = unet_config(networks["unet"], side)
    # In half precision that of Stable Diffusion XL overflows.
    configs["vae"] = vae_config(networks["vae"], XL_SCALING if xl else SCALING) | {"force_upcast": xl}
    configs["scheduler"] = scheduler_config(xl=xl, velocity=velocity, zero_snr=zero_snr, sd1=_is_sd1(networks))
    return configs


def unet_config(unet: Network, side: int) -> Config:
    """`side` is the native one, in latents."""
    channels = [shape(unet, f"down_blocks.{level}.resnets.0.conv1.weight")[0] for level in _levels(unet, "down_blocks")]
    attending = [f"down_blocks.{level}.attentions.0" for level in range(len(channels))]
    depths = [_count(unet, f"{attention}.transformer_blocks.") for attention in attending]
    middle = _count(unet, "mid_block.attentions.0.transformer_blocks.")
    linear = _is_linear(unet)
    config: Config = {
        "_class_name": "UNet2DConditionModel",
        "sample_size": side,
        "in_channels": shape(unet, "conv_in.weight")[1],
        "out_channels": shape(unet, "conv_out.weight")[0],
        "layers_per_block": _count(unet, "down_blocks.0.resnets."),
        "block_out_channels": channels,
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)],
        # The last of them is also that of the block in the middle.
        "transformer_layers_per_block": [*(depth or 1 for depth in depths[:-1]), middle or 1],
        "cross_attention_dim": shape(unet, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight")[1],
        "attention_head_dim": [max(1, width // HEAD_WIDTH) for width in channels] if linear else SD1_HEADS,
        "use_linear_projection": linear,
    }
    if "add_embedding.linear_1.weight" in unet:
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": shape(unet, "add_embedding.linear_1.weight")[1],
        }
    return config


def vae_config(vae: Network, scaling: float) -> Config:
    """A KL autoencoder that attends in its middle alone, as all of Stable Diffusion's."""
    channels = [
        shape(vae, f"encoder.down_blocks.{level}.resnets.0.conv1.weight")[0]
        for level in _levels(vae, "encoder.down_blocks")
    ]
    return {
        "_class_name": "AutoencoderKL",
        "in_channels": shape(vae, "encoder.conv_in.weight")[1],
        "out_channels": shape(vae, "decoder.conv_out.weight")[0],
        "latent_channels": shape(vae, "decoder.conv_in.weight")[1],
        "block_out_channels": channels,
        "down_block_types": ["DownEncoderBlock2D"] * len(channels),
        "up_block_types": ["UpDecoderBlock2D"] * len(channels),
        "layers_per_block": _count(vae, "encoder.down_blocks.0.resnets."),
        "mid_block_add_attention": "encoder.mid_block.attentions.0.to_q.weight" in vae,
        "use_quant_conv": "quant_conv.weight" in vae,
        "use_post_quant_conv": "post_quant_conv.weight" in vae,
        "scaling_factor": scaling,
    }


def text_config(component: str, encoder: Network) -> Config:
    """CLIP of OpenAI, or OpenCLIP where its layers are fused in the file."""
    vocabulary, width = shape(encoder, "embeddings.token_embedding.weight", (2,))
    open_clip = any(source.change == "query" for source in encoder.values())
    config: Config = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shape(encoder, "encoder.layers.0.mlp.fc1.weight")[0],
        "num_hidden_layers": _count(encoder, "encoder.layers."),
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "max_position_embeddings": shape(encoder, "embeddings.position_embedding.weight")[0],
        "hidden_act": "gelu" if open_clip else "quick_gelu",
        # By 2 transformers knows encoders whose end of text is the largest token.
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
    }
    if component == "text_encoder_2":
        config["projection_dim"] = shape(encoder, "text_projection.weight")[0]
    return config


def scheduler_config(*, xl: bool, velocity: bool, zero_snr: bool, sd1: bool) -> Config:
    config = {**_BETAS, "prediction_type": "v_prediction" if velocity else "epsilon"}
    if zero_snr:
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    if xl:
        leading = {"timestep_spacing": "leading", "interpolation_type": "linear"}
        return {"_class_name": "EulerDiscreteScheduler", **leading, **config}
    return {"_class_name": "PNDMScheduler" if sd1 else "DDIMScheduler", **config}


def shape(network: Network, name: str, ranks: tuple[int, ...] = (2, 4)) -> tuple[int, ...]:
    """Raises: Incomplete for a tensor that is not there, or is no weight of a layer."""
    if name not in network:
        raise Incomplete(f"lacks what diffusers calls {name}")
    found = network[name].shape
    if len(found) not in ranks or not all(found):
        raise Incomplete(f"has {network[name].key} in no shape that a layer has: {list(found)}")
    return found


def _is_sd1(networks: Networks) -> bool:
    return not _is_linear(networks["unet"])


def _is_linear(unet: Network) -> bool:
    """Whether attention is wrapped in linear layers, as from Stable Diffusion 2 on, or in convolutions."""
    return len(shape(unet, "mid_block.attentions.0.proj_in.weight")) == 2


def _levels(network: Network, of: str) -> range:
    found = _count(network, f"{of}.")
    if found > MAX_BLOCKS:  # each is looked for among all names: thousands of both would take minutes
        raise Incomplete(f"has {found} levels of {of}, more than {MAX_BLOCKS}")
    return range(found)


def _count(network: Iterable[str], prefix: str) -> int:
    """How many numbers stand after `prefix`."""
    return len({name.removeprefix(prefix).partition(".")[0] for name in network if name.startswith(prefix)})
