"""Bodies as the packages themselves were seen to send them to a server that records: openai-python 3.57, openai-node
6.49, AI SDK 6 with @ai-sdk/openai 3 and @ai-sdk/openai-compatible 2, litellm 1.110, and what Open WebUI documents.
"""

from typing import Any

JSON: dict[str, dict[str, Any]] = {
    "openai-python": {
        "model": "gpt-image-1",
        "prompt": "a red circle",
        "n": 2,
        "quality": "auto",
        "size": "128x128",
        "seed": 7,
        "loras": [],
    },
    "openai-node": {"prompt": "a red circle", "size": "128x128", "seed": 7},
    "AI SDK, a model of OpenAI": {
        "model": "gpt-image-1",
        "prompt": "a red circle",
        "n": 2,
        "size": "128x128",
        "quality": "low",
    },
    "AI SDK, a model of ours": {
        "model": "tiny",
        "prompt": "a red circle",
        "n": 1,
        "size": "128x128",
        "quality": "low",
        "steps": 4,
        "response_format": "b64_json",
    },
    "AI SDK, without a size": {"model": "tiny", "prompt": "x", "n": 1, "response_format": "b64_json"},
    "litellm": {"model": "tiny", "prompt": "a red circle", "n": 1, "size": "128x128"},
    "Open WebUI": {
        "model": "dall-e-2",
        "prompt": "a red circle",
        "n": 1,
        "size": "128x128",
        "response_format": "b64_json",
    },
}

PNG = b"\x89PNG\r\n\x1a\n"


def _part(name: str, value: bytes, more: str = "", kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}\r\n'
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return b"--BOUNDARY\r\n" + head.encode() + b"\r\n" + value + b"\r\n"


def _form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--BOUNDARY--\r\n"


def openai_python(image: bytes, mask: bytes) -> bytes:
    """`edit` of one picture with a mask, a stream, and fields of `extra_body`."""
    return _form(
        _part("prompt", b"a red circle"),
        _part("n", b"1"),
        _part("partial_images", b"2"),
        _part("stream", b"true"),
        _part("seed", b"7"),
        _part("guidance_scale", b"3.5"),
        _part("loras[][model]", b"x"),
        _part("darkroom", b'{"steps": 5}'),
        _part("image", image, '; filename="upload"', "application/octet-stream"),
        _part("mask", mask, '; filename="m.png"', "image/png"),
    )


def openai_python_list(*images: bytes) -> bytes:
    """`edit` of several."""
    return _form(
        _part("prompt", b"p"),
        *(_part("image[]", image, f'; filename="{at}.png"', "image/png") for at, image in enumerate(images)),
    )


def ai_sdk(image: bytes, mask: bytes) -> bytes:
    """`generateImage` with a picture."""
    return _form(
        _part("model", b"gpt-image-1"),
        _part("prompt", b"a red circle"),
        _part("image", image, '; filename="blob"', "image/png"),
        _part("mask", mask, '; filename="blob"', "image/png"),
        _part("n", b"1"),
    )


def openai_python_variation(image: bytes) -> bytes:
    return _form(
        _part("n", b"1"),
        _part("response_format", b"url"),
        _part("size", b"128x128"),
        _part("image", image, '; filename="upload"', "application/octet-stream"),
    )


FORM = {"Content-Type": "multipart/form-data; boundary=BOUNDARY"}
