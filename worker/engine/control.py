"""What ControlNets add to a pass: each runs on the rows it steers, and its residuals are added to those rows alone.

After `MultiControlNetModel` of diffusers and its pipelines, without guess mode: what the nets of a row find is scaled
and summed in the order of the request, for the row with the prompt and the one with the negative prompt alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from darkroom.contract.controlnet import PlannedControl
from darkroom.inputs.normal import Pixels
from worker.models.controlnet import Controlnet


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet and what it has read of a map, features 1 C h w; when it counts is in the `plan`."""

    net: Controlnet
    features_1CHW: Tensor
    plan: PlannedControl


class Told(NamedTuple):
    """What a network is told of R rows: latents R C H W, timesteps R, contexts R T C, added conditions."""

    latents_RCHW: Tensor
    timesteps_R: Tensor
    contexts_RTC: Tensor
    added: dict[str, Tensor] | None

    def of(self, rows: Sequence[int], channels: int) -> "Told":
        """Of these rows; a network for inpainting has channels that a ControlNet is not shown."""
        added = None if self.added is None else {name: tensor[rows] for name, tensor in self.added.items()}
        latents_RCHW = self.latents_RCHW[rows][:, :channels]
        return Told(latents_RCHW, self.timesteps_R[rows], self.contexts_RTC[rows], added)


def read_controls(
    controls: Sequence[PlannedControl], nets: Sequence[Controlnet], maps: Sequence[Pixels]
) -> tuple[Control, ...]:
    """The controls of a plan, their maps read. Raises: ValueError for maps of another plan; what the device raises."""
    return tuple(
        Control(net, net.read(_tensor(map_HW3)), control)
        for control, net, map_HW3 in zip(controls, nets, maps, strict=True)
    )


def residuals(told: Told, controls: Sequence[Sequence[Control]], *, fixed: bool) -> dict[str, Any]:
    """What the U-Net is to add in a pass, as its arguments; nothing where no row has controls.

    `controls` are those that count, by row. With `fixed` every net sees as many rows as there are in the pass, padded
    with copies: a row's bits then do not depend on how many others have the same net.
    """
    sums: list[Tensor] = []
    # Place by place, so that a row's own sum is taken in its own order, whoever its neighbours are.
    for place in zip_longest(*controls):
        for rows, found in _at(place, told, fixed=fixed):
            if not sums:
                sums = [tensor.new_zeros(len(controls), *tensor.shape[1:]) for tensor in found]
            for total, tensor in zip(sums, found, strict=True):
                total[rows] += tensor
    if not sums:
        return {}
    return {"down_block_additional_residuals": tuple(sums[:-1]), "mid_block_additional_residual": sums[-1]}


def _at(place: Sequence[Control | None], told: Told, *, fixed: bool) -> Iterator[tuple[list[int], list[Tensor]]]:
    """Rows that have the same net at this place, and their scaled residuals, the middle's last."""
    nets: dict[Controlnet, list[int]] = {}
    for row, control in enumerate(place):
        if control is not None:
            nets.setdefault(control.net, []).append(row)
    for net, rows in nets.items():
        padded = [*rows, *[rows[0]] * (len(place) - len(rows))] if fixed else rows
        chosen = [control for row in padded if (control := place[row]) is not None]
        yield rows, [tensor[: len(rows)] for tensor in _run(net, chosen, told, padded)]


def _run(net: Controlnet, controls: Sequence[Control], told: Told, rows: Sequence[int]) -> list[Tensor]:
    part = told.of(rows, int(net.network.config.in_channels))
    down, middle = net.network(
        part.latents_RCHW,
        part.timesteps_R,
        encoder_hidden_states=part.contexts_RTC,
        controlnet_cond=torch.cat([control.features_1CHW for control in controls]),
        added_cond_kwargs=part.added,
        return_dict=False,
    )
    scales_R111 = torch.tensor([control.plan.scale for control in controls], device=middle.device).view(-1, 1, 1, 1)
    # In float32, as a product with a Python number is.
    return [(tensor * scales_R111).to(tensor.dtype) for tensor in (*down, middle)]


def _tensor(map_HW3: Pixels) -> Tensor:
    """0..255 -> [0, 1], 1 3 H W, as the control image processor of diffusers' pipelines does."""
    return torch.from_numpy(map_HW3.astype(np.float32) / 255.0).permute(2, 0, 1)[None]
