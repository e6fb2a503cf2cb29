"""Families with pooled text and size conditions fit through the same pass."""

from dataclasses import replace

import torch
from diffusers import UNet2DConditionModel

from tests.unit.engine.networks import still_checkpoint
from worker.engine.forward import denoise
from worker.engine.sample import Row
from worker.models.conditioning import Conditioning


def unet_with_added_conditions() -> UNet2DConditionModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return UNet2DConditionModel(
            sample_size=8,
            layers_per_block=1,
            block_out_channels=(8, 16),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=8,
            attention_head_dim=2,
            norm_num_groups=4,
            addition_embed_type="text_time",
            addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=6 * 4 + 5,
        ).eval()


def row(seed: int) -> Row:
    dice = torch.Generator().manual_seed(seed)
    conditioning = Conditioning(
        torch.randn(1, 7, 8, generator=dice),
        pooled_1P=torch.randn(1, 5, generator=dice),
        time_ids_1K=torch.randint(8, 1024, (1, 6), generator=dice).float(),
    )
    return Row(torch.randn(1, 4, 8, 8, generator=dice), 100.0 * seed, conditioning)


def test_rows_with_added_conditions_share_a_pass() -> None:
    checkpoint = replace(still_checkpoint(), unet=unet_with_added_conditions())
    rows = [row(1), row(2), row(3)]

    together_RCHW = denoise(checkpoint, rows)

    for index, one in enumerate(rows):
        torch.testing.assert_close(together_RCHW[index : index + 1], denoise(checkpoint, [one]))
