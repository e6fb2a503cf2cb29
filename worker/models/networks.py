"""One component of a folder in diffusers layout -> a network in eval mode, complete or not at all.

Both libraries fill tensors that a file lacks with random numbers and go on, with a log line. Here that is an error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from darkroom.catalog.configs import read_json
from darkroom.catalog.foreign import refuse_foreign
from darkroom.errors import BrokenWeights, DarkroomError

_LIBRARY_LOGS: tuple[Any, ...] = (diffusers_logging, transformers_logging)

# Both print tables and progress bars to stderr; what matters is raised here instead.
for _log in _LIBRARY_LOGS:
    _log.set_verbosity_error()
    _log.disable_progress_bar()


def load_network(kind: Any, folder: Path, file: str, dtype: torch.dtype) -> Any:
    """The network of class `kind` whose weights lie in `file`, relative to the checkpoint's `folder`.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    component = file.split("/")[0]
    refuse_foreign(folder, component)
    # Which kernel computes attention is ours to say; diffusers has no such setting.
    attention = {"attn_implementation": "sdpa"} if issubclass(kind, PreTrainedModel) else {}
    with broken(file):
        network, report = kind.from_pretrained(
            folder / component,
            local_files_only=True,
            use_safetensors=True,
            variant="fp16" if ".fp16." in file else None,
            dtype=dtype,
            output_loading_info=True,
            **attention,
        )
    check_complete(file, report)
    return network.eval().requires_grad_(False)


def load_tokenizer(folder: Path, component: str) -> Any:
    """Raises: MissingWeights, BrokenWeights, naming the file."""
    read_json(folder, f"{component}/tokenizer_config.json")
    with broken(f"{component}/tokenizer.json"):
        return CLIPTokenizer.from_pretrained(folder / component, local_files_only=True)


def placed(network: Any, device: torch.device) -> Any:
    """`network` on `device`, weights of convolutions channels last.

    That is what cuDNN's tensor cores and oneDNN compute with. On one CPU core a pass of 16 rows of the embedded model
    took about a tenth less time so, and one of 2 rows some percent more.
    """
    return network.to(device=device, memory_format=torch.channels_last)


@contextmanager
def broken(file: str) -> Iterator[None]:
    """Say that `file` is at fault for whatever a library raises about its content. Its words may hold paths: unsaid.

    Libraries raise what they like, from ImportError to ZeroDivisionError. Memory that is lacking is no file's fault.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, DarkroomError):
        raise
    except Exception as error:
        raise BrokenWeights(file, f"does not fit its configuration ({type(error).__name__})") from error


def check_complete(file: str, report: dict[str, Any]) -> None:
    """Raises: BrokenWeights for tensors that were missing or of other shapes."""
    for fault in ("missing_keys", "mismatched_keys"):
        keys = sorted(str(key) for key in report[fault])
        if keys:
            raise BrokenWeights(file, f"{len(keys)} {fault.replace('_', ' ')}, the first is {keys[0][:120]}")
