"""What to say of a field that a request does not have: the one that was meant, where that can be told."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from darkroom.errors.near import nearest

Schema = dict[str, Any]
Location = tuple[str | int, ...]

# ours -> what other services and libraries call it. A name may stand for several of ours: the first that fits is meant.
_OTHERS_SAY: dict[str, tuple[str, ...]] = {
    "guidance_scale": ("cfg_scale", "cfg", "guidance", "cfgscale"),
    "scheduler": ("sampler", "sampler_name", "sampler_index", "sample_method"),
    "n": ("num_images", "num_outputs", "num_images_per_prompt", "batch_size", "n_iter", "samples", "count"),
    "steps": ("num_inference_steps", "inference_steps", "ddim_steps", "sampling_steps", "num_steps"),
    "strength": ("denoising_strength", "prompt_strength", "image_strength", "denoise"),
    "prompt": ("text", "inputs", "text_prompts", "positive_prompt"),
    "negative_prompt": ("negative", "negativeprompt"),
    "model": ("checkpoint", "sd_model_checkpoint", "model_id", "model_name", "name", "path", "lora", "lora_name"),
    "image": ("init_image", "init_images", "input_image", "source_image", "image_url", "control_image", "images"),
    "mask": ("mask_image", "mask_url"),
    "masked_content": ("inpainting_fill", "inpaint_fill"),
    "only_masked": ("inpaint_full_res", "only_masked_area"),
    "mask_padding": ("inpaint_full_res_padding", "padding", "padding_mask_crop"),
    "width` and `height": ("size", "image_size", "aspect_ratio", "resolution"),
    "expand": ("outpaint", "padding_sides", "extend"),
    "loras": ("lora", "lora_weights", "adapters"),
    "controlnets": ("controlnet", "control_net", "controlnet_units", "alwayson_scripts"),
    "hires": ("enable_hr", "hires_fix", "hr_scale", "hr_upscaler", "upscale"),
    "refiner": ("refiner_checkpoint", "refiner_switch_at", "high_noise_frac"),
    "vae": ("sd_vae", "vae_name"),
    "clip_skip": ("clip_stop_at_last_layers", "clipskip"),
    "output_format": ("format", "response_format", "image_format", "file_type"),
    "output_compression": ("quality", "output_quality", "jpeg_quality"),
    "deadline": ("timeout", "ttl", "expires_in"),
    "webhook_url": ("webhook", "callback_url", "callback"),
    "webhook_events": ("webhook_events_filter", "events"),
    "metadata": ("user", "tags", "labels", "extra"),
    "weight": ("scale", "strength", "multiplier", "lora_scale", "alpha"),
    "scale": ("weight", "strength", "conditioning_scale", "controlnet_conditioning_scale"),
    "type": ("module", "preprocessor", "processor", "control_type", "control_mode"),
    "start": ("guidance_start", "control_guidance_start"),
    "end": ("guidance_end", "control_guidance_end"),
    "switch_at": ("denoising_end", "switch"),
    "upscaler": ("hr_upscaler", "method"),
}
# What makes a request one for this task.
_MADE_BY = {"image_to_image": "image", "inpaint": "image` and `mask", "outpaint": "image` and `expand"}
MOST_LISTED = 12


def words(asked: TypeAdapter[Any], location: Location) -> str:
    """What to say of the field at this place, whose name is the last of it."""
    schema, name = _schema(asked), str(location[-1])
    nodes = list(_objects(schema, schema))
    for piece in location[:-1]:
        nodes = _inside(schema, nodes, piece)
    names = sorted({field for node in nodes for field in node["properties"]})
    if meant := _other_name(name, names) or nearest(name, names):
        return f"there is no such field; did you mean `{meant}`?"
    if tasks := [task for task, fields in _tasks(schema) if name in fields]:
        return f"only for {' or '.join(tasks)}: needs `{_MADE_BY.get(tasks[0], 'task')}`"
    return (
        f"there is no such field; known: {', '.join(names)}" if len(names) <= MOST_LISTED else "there is no such field"
    )


@cache
def _schema(asked: TypeAdapter[Any]) -> Schema:
    return asked.json_schema()


def _objects(schema: Schema, node: Schema) -> Iterator[Schema]:
    """The objects that a part of a schema may be, or hold as an array."""
    if "$ref" in node:
        yield from _objects(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    elif "properties" in node:
        yield node
    for option in (*node.get("anyOf", ()), *node.get("oneOf", ()), *filter(None, [node.get("items")])):
        yield from _objects(schema, option)


def _inside(schema: Schema, nodes: Iterable[Schema], piece: str | int) -> list[Schema]:
    """The objects one step further in: a place in an array, the task by which pydantic told them apart, or a field."""
    if isinstance(piece, int):
        return list(nodes)
    if tagged := [node for node in nodes if _task(node) == piece]:
        return tagged
    fields = (node["properties"].get(piece, {}) for node in nodes)
    return [found for field in fields for found in _objects(schema, field)]


def _tasks(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for node in _objects(schema, schema):
        if task := _task(node):
            yield task, node["properties"]


def _task(node: Schema) -> str | None:
    task: str | None = node["properties"].get("task", {}).get("const")
    return task


def _other_name(name: str, names: list[str]) -> str | None:
    for ours, theirs in _OTHERS_SAY.items():
        if name.lower() in theirs and ours.partition("`")[0] in names:
            return ours
    return None
