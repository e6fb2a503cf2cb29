"""What clients send, as they were seen to send it. Pictures are left to the tests."""

from typing import Any

Body = dict[str, Any]

# webuiapi 0.9.17, `WebUIApi().txt2img(prompt="a red circle", width=128, height=128)`.
_WEBUIAPI: Body = {
    "prompt": "a red circle",
    "styles": [],
    "seed": -1,
    "subseed": -1,
    "subseed_strength": 0.0,
    "seed_resize_from_h": 0,
    "seed_resize_from_w": 0,
    "batch_size": 1,
    "n_iter": 1,
    "steps": 20,
    "cfg_scale": 7.0,
    "width": 128,
    "height": 128,
    "restore_faces": False,
    "tiling": False,
    "do_not_save_samples": False,
    "do_not_save_grid": False,
    "negative_prompt": "",
    "eta": 1.0,
    "s_churn": 0,
    "s_tmax": 0,
    "s_tmin": 0,
    "s_noise": 1,
    "override_settings": {},
    "override_settings_restore_afterwards": True,
    "sampler_name": "Euler a",
    "scheduler": "automatic",
    "sampler_index": "Euler a",
    "script_name": None,
    "script_args": [],
    "send_images": True,
    "save_images": False,
    "alwayson_scripts": {"ControlNet": {"args": []}},
}
WEBUIAPI_TXT2IMG: Body = {
    **_WEBUIAPI,
    "enable_hr": False,
    "hr_scale": 2,
    "hr_upscaler": "Latent",
    "hr_second_pass_steps": 0,
    "hr_resize_x": 0,
    "hr_resize_y": 0,
    "hr_checkpoint_name": None,
    "hr_sampler_name": None,
    "hr_scheduler": None,
    "hr_prompt": "",
    "hr_negative_prompt": "",
    "denoising_strength": 0.7,
    "firstphase_width": 0,
    "firstphase_height": 0,
}
# The same client's `img2img`, with whatever there is for inpainting, also without a mask.
WEBUIAPI_IMG2IMG: Body = {
    **_WEBUIAPI,
    "resize_mode": 0,
    "denoising_strength": 0.75,
    "mask_blur": 4,
    "inpainting_fill": 0,
    "inpaint_full_res": True,
    "inpaint_full_res_padding": 0,
    "inpainting_mask_invert": 0,
    "initial_noise_multiplier": 1,
    "image_cfg_scale": 1.5,
    "include_init_images": False,
}
# The same client's unit of ControlNet.
WEBUIAPI_UNIT: Body = {
    "mask": None,
    "module": "canny",
    "model": "tiny-canny",
    "weight": 1.0,
    "resize_mode": "Resize and Fill",
    "low_vram": False,
    "processor_res": 512,
    "threshold_a": 64,
    "threshold_b": 64,
    "guidance_start": 0.0,
    "guidance_end": 1.0,
    "control_mode": "Balanced",
    "pixel_perfect": False,
    "hr_option": "Both",
    "enabled": True,
}
# As its documentation has it for LibreChat, which reads `infotexts` of the answer.
LIBRECHAT: Body = {
    "prompt": "a red circle",
    "negative_prompt": "blurry",
    "cfg_scale": 4.5,
    "steps": 22,
    "width": 128,
    "height": 128,
}
# Open WebUI's `routers/images.py`.
OPEN_WEBUI: Body = {
    "prompt": "a red circle",
    "batch_size": 2,
    "width": 128,
    "height": 128,
    "steps": 8,
    "negative_prompt": "blurry",
    "cfg_scale": 7.0,
    "sampler_name": "DPM++ 2M",
    "scheduler": "Karras",
}
