"""Trains the embedded model from nothing: `python -m training.train --out worker/tiny/model`.

Stages, each written to the work folder and skipped where it already is: tokenizer, text encoder, autoencoder,
latents, diffusion, decoder. The same seed on the same machine with the same `THREADS` and `PROCESSES` gives the same
weights.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTokenizer

from training import autoencoder, diffusion, parallel, text
from training.evaluate import FIGURES, load, megabytes, score
from training.latents import Drawings, buckets, encode_all
from training.parallel import Team
from training.text import TextModel
from training.tokenizer import train_tokenizer

SEED = 1
THREADS = 1  # results depend on it: sums are taken in another order
PROCESSES = 2  # that train the U-Net together; results depend on it, too
MEETING = "meeting"  # file over which they find one another
REPORT_EVERY = 100  # steps
PROMPTS = 100  # a kind, in the evaluation at the end

log = logging.getLogger("training")


@dataclass
class Journal:
    """Mean loss of every hundred steps, to the log and to a small csv file; nothing without a file."""

    file: Path | None
    started: float = field(default_factory=time.monotonic)
    losses: list[float] = field(default_factory=list)

    def report(self, stage: str, step: int, loss: float) -> None:
        self.losses.append(loss)
        if (step + 1) % REPORT_EVERY:
            return
        mean = sum(self.losses) / len(self.losses)
        self.losses.clear()
        log.info("%s step %d loss %.4f after %.0f s", stage, step + 1, mean, time.monotonic() - self.started)
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(f"{stage},{step + 1},{mean:.5f}\n")


@dataclass
class Workshop:
    """The stages and the folder that keeps what they made; a stage that is there is not made again."""

    folder: Path
    journal: Journal
    seed: int = SEED

    def _tensors(self, name: str, make: Callable[[], Any]) -> Any:
        file = self.folder / f"{name}.pt"
        if not file.exists():
            log.info("stage %s", name)
            torch.save(make(), file)
        return torch.load(file, weights_only=True)

    def _autoencoder(self, name: str, make: Callable[[], AutoencoderKL]) -> AutoencoderKL:
        folder = self.folder / name
        if not folder.exists():
            log.info("stage %s", name)
            make().save_pretrained(folder)
        return AutoencoderKL.from_pretrained(folder).eval()

    def tokenizer(self) -> CLIPTokenizer:
        """Learned from captions alone."""
        folder = self.folder / "tokenizer"
        if not (folder / "tokenizer_config.json").exists():
            return train_tokenizer(self.seed, folder)
        return CLIPTokenizer.from_pretrained(folder)

    def text(self) -> TextModel:
        """The tokenizer, the text encoder and the layer that takes captions into the U-Net."""
        tokenizer = self.tokenizer()
        encoder, pool = self._tensors("text", lambda: self._train_text(tokenizer))
        reader = text.Reader(tokenizer).eval()
        reader.encoder.load_state_dict(encoder)
        reader.pool.load_state_dict(pool)
        return TextModel(tokenizer, reader.encoder, reader.pool)

    def _train_text(self, tokenizer: CLIPTokenizer) -> tuple[dict[str, Any], dict[str, Any]]:
        model, shares = text.train_text(tokenizer, self.seed, self.journal.report)
        log.info("captions read right: %s", {name: round(share, 3) for name, share in shares.items()})
        return model.encoder.state_dict(), model.pool.state_dict()

    def vae(self) -> AutoencoderKL:
        """The autoencoder whose latents the U-Net learns."""
        return self._autoencoder("vae", lambda: autoencoder.train_joint(self.seed, self.journal.report))

    def finished_vae(self) -> AutoencoderKL:
        """The same with its decoder finished."""
        vae = self.vae()
        return self._autoencoder("decoder", lambda: autoencoder.train_decoder(vae, self.seed, self.journal.report))

    def drawings(self) -> list[Drawings]:
        """Encoded pictures and their captions."""
        vae = self.vae()
        stored = self._tensors("latents", lambda: [(d.latents_NCHW, d.captions) for d in encode_all(vae, self.seed)])
        return [Drawings(latents_NCHW, captions) for latents_NCHW, captions in stored]

    def unet(self) -> UNet2DConditionModel:
        """The U-Net; a run that was cut off goes on from its checkpoint."""
        unet = diffusion.build()
        unet.load_state_dict(self._tensors("unet", self._train_unet))
        return unet.eval()

    def _train_unet(self) -> dict[str, Any]:
        self.text(), self.drawings()  # before the others look for them
        peer = [sys.executable, "-m", "training.peer", str(self.folder)]
        with parallel.gathered(self.folder / MEETING, peer, PROCESSES) as team:
            return self.train_unet(team).state_dict()

    def train_unet(self, team: Team) -> UNet2DConditionModel:
        """The U-Net, trained as one process of `team`."""
        words = self.text()
        data = buckets(words, self.drawings())
        checkpoint = self.folder / "checkpoint.pt"
        return diffusion.train_unet(words, data, self.seed, self.journal.report, checkpoint=checkpoint, team=team)


def assemble(words: TextModel, vae: AutoencoderKL, unet: UNet2DConditionModel, out: Path) -> None:
    """Write the pipeline: float16 weights that load as float32 unless another dtype is asked for.

    transformers loads an encoder in the dtype that its configuration names, diffusers a U-Net in float32: so the
    text encoder's configuration must name float32, whatever its file holds.
    """
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=words.encoder,
        tokenizer=words.tokenizer,
        unet=unet,
        scheduler=diffusion.scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(torch.float16)
    pipeline.save_pretrained(out, safe_serialization=True)
    pipeline.to(torch.float32)
    for file in out.glob("*/config.json"):
        _settle_config(file)


def _settle_config(file: Path) -> None:
    """Load as float32, and tell nobody where on this machine the stage lay."""
    config = json.loads(file.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    if "dtype" in config:
        config["dtype"] = "float32"
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def evaluate(out: Path, prompts: int = PROMPTS) -> dict[str, float]:
    """The checker's figures of a finished model."""
    pipeline = load(out)
    figures = {name: sum(score(pipeline, kind, prompts)[0]) / prompts for name, kind in FIGURES.items()}
    return {**figures, "megabytes": megabytes(out)}


def main() -> None:
    """Command line: the out and work folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("worker/tiny/model"))
    parser.add_argument("--work", type=Path, default=Path("build/training"), help="keeps finished stages")
    parser.add_argument("--log", type=Path, default=Path("worker/tiny/training.csv"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    options.work.mkdir(parents=True, exist_ok=True)
    shop = Workshop(options.work, Journal(options.log))
    unet = shop.unet()
    assemble(shop.text(), shop.finished_vae(), unet, options.out)
    log.info("%s", evaluate(options.out))


if __name__ == "__main__":
    main()
