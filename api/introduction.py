"""What the document of the API says before its paths: what this is, where it is, and what its parts are for."""

from typing import Any

import darkroom
from darkroom.settings import Settings

DESCRIPTION = """\
A generation is a job: `POST /api/v1/generations` answers 202 with where to look, or, with `Prefer: wait=30`, 200 with
the finished pictures. Every picture leaves watermarked and with a C2PA credential. Errors are problem documents
(RFC 9457) with a stable `code`; [each is explained](/docs/errors).
"""
LICENSE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
# In the order of the document.
TAGS = {
    "generations": "Ask for pictures, follow how they are made, fetch, cancel or repeat them.",
    "assets": "Pictures to begin with, uploaded once and named by their id.",
    "control maps": "Outlines, depth and the like of a picture, as ControlNets follow them.",
    "what can be asked for": "Models, LoRAs, VAEs, ControlNets, schedulers, and the limits of this service.",
    "provenance": "Whether a picture is from here, and what is known of it.",
    "soft bindings": "From a watermark to a manifest: C2PA's Soft Binding Resolution API, in its own form.",
    "webhooks": "What was sent to receivers, and sending it again.",
    "operations": "Whether the service is alive and ready, and its metrics.",
    "OpenAI": "OpenAI's Images API, in its own form.",
    "A1111": "AUTOMATIC1111's API, in its own form.",
    "Hugging Face": "Hugging Face's Inference API, in its own form.",
    "Replicate": "Replicate's predictions, in their own form.",
}

Schema = dict[str, Any]


def introduced(document: Schema, settings: Settings) -> Schema:
    """The document with its introduction. Of the tags, those that some operation has."""
    used = {tag for path in document["paths"].values() for operation in path.values() for tag in operation["tags"]}
    information = {**document["info"], "description": DESCRIPTION, "license": LICENSE, "version": darkroom.__version__}
    return {
        **document,
        "info": information,
        "servers": [{"url": settings.public_url or "/", "description": "this service"}],
        "tags": [{"name": tag, "description": words} for tag, words in TAGS.items() if tag in used],
    }
