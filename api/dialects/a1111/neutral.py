"""Fields that have no effect here, with the values by which they say nothing.

Those are the defaults of A1111's API, and what clients send with every call (webuiapi sends 45 fields). A field of the
original that is not in any table of ours neither has an effect here nor changes what a picture shows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.dialects.a1111.typed import Body, object_of
from api.dialects.remarks import Remarks

NO_EFFECT = "has no effect here"

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "styles": ([],),
    "subseed_strength": (0,),  # without which `subseed` says nothing, whatever it is
    "seed_resize_from_h": (0, -1),
    "seed_resize_from_w": (0, -1),
    "restore_faces": (False,),
    "tiling": (False,),
    "eta": (0, 1),
    "s_min_uncond": (0,),
    "s_churn": (0,),
    "s_tmax": (0,),
    "s_tmin": (0,),
    "s_noise": (1,),
    "override_settings_restore_afterwards": (True,),
    "infotext": (),
    "comments": ({},),
    "controlnet_units": (),  # of the extension's first version, whose routes are gone
}
OF_TXT2IMG: Mapping[str, tuple[Any, ...]] = {"firstphase_width": (0,), "firstphase_height": (0,)}
OF_IMG2IMG: Mapping[str, tuple[Any, ...]] = {
    "image_cfg_scale": (0, 1, 1.5),
    "initial_noise_multiplier": (0, 1),
    "latent_mask": (),
    "mask_round": (True,),
}
OF_HIRES: Mapping[str, tuple[Any, ...]] = {
    "hr_checkpoint_name": ("Use same checkpoint",),
    "hr_sampler_name": ("Use same sampler",),
    "hr_scheduler": ("Use same scheduler",),
}

CONTROLNET = "controlnet"


def ignore_scripts(body: Body, remarks: Remarks) -> None:
    """Scripts that always run, but for ControlNet's. Raises: InvalidField."""
    if next(_working(object_of(body, "alwayson_scripts")), None):
        remarks.note("alwayson_scripts", "holds scripts besides ControlNet, which have no effect here")


def _working(scripts: Body) -> Iterator[str]:
    """Names of those that are not turned off: clients turn one off by `false` in front, or by nothing at all."""
    for name, said in scripts.items():
        args = said.get("args") if isinstance(said, dict) else said
        first = args[0] if isinstance(args, list) and args else args
        if name.strip().lower() != CONTROLNET and first not in (None, False, [], {}):
            yield name
