"""What writing a lossless picture costs, against Pillow's default: `python -m benchmarks.encode [--side N]`.

CPU milliseconds of this thread, the median of some rounds in which the encoders take turns, on pictures with the
statistics of photographs and on a flat drawing. The target is an eighth of the time for at most a fifth more bytes on
every picture with grain, as all pictures of a network have it. The last line is the figures as JSON.
"""

import argparse
import io
import json
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
from PIL import Image

from darkroom.provenance.encoding import encode
from darkroom.provenance.watermark import RGB

SIDE = 1024
ROUNDS = 9
GRAIN = 2.0  # standard deviation of the noise in 0..255, about that of a sensor or of a VAE
LEAVES, SMALLEST, LARGEST = 4000, 4.0, 200.0  # discs, and their radii in pixels
SLOPE = 1.2  # amplitude falls with frequency^-SLOPE; natural scenes have 1 to 1.3
GRAINY = ("leaves", "clouds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=SIDE)
    side = parser.parse_args().side
    cv2.setNumThreads(1)
    pictures = {"leaves": leaves(side), "clouds": clouds(side), "drawing": drawing(side)}
    print(f"{side} x {side}, {'':10}{'CPU ms':>9}{'KiB':>8}{'time':>9}{'bytes':>8}")
    ratios = {name: compare(name, rgb_HWC) for name, rgb_HWC in pictures.items()}
    figures = {
        "encode_time_vs_pillow": round(max(ratios[name][0] for name in GRAINY), 4),
        "encode_bytes_vs_pillow": round(max(ratios[name][1] for name in GRAINY), 4),
        "drawing_time_vs_pillow": round(ratios["drawing"][0], 4),
        "drawing_bytes_vs_pillow": round(ratios["drawing"][1], 4),
    }
    print(json.dumps({"benchmark": "encode", "figures": figures}))


def leaves(side: int) -> RGB:
    """Discs that hide one another, radii by r^-3: "dead leaves", which have the edges and the scales of photographs.

    Lee, Mumford and Huang, Occlusion Models for Natural Images, IJCV 2001.
    """
    dice = np.random.default_rng(0)
    rgb_HWC = np.zeros((side, side, 3), np.uint8)
    radii = (dice.uniform(size=LEAVES) * (LARGEST**-2 - SMALLEST**-2) + SMALLEST**-2) ** -0.5
    for radius in radii:
        x, y = (int(place) for place in dice.integers(0, side, 2))
        colour = np.clip(dice.integers(0, 256) + dice.normal(0, 40, 3), 0, 255).tolist()
        cv2.circle(rgb_HWC, (x, y), int(radius), colour, cv2.FILLED, cv2.LINE_AA)
    shade_H11 = np.linspace(-20, 20, side)[:, None, None]
    return _grainy(cv2.GaussianBlur(rgb_HWC, (0, 0), 1.0) + shade_H11, dice)


def clouds(side: int) -> RGB:
    """Noise with the spectrum of photographs and none of their edges: little is left to compress."""
    dice = np.random.default_rng(1)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    amplitude = np.zeros_like(frequency)
    amplitude[frequency > 0] = frequency[frequency > 0] ** -SLOPE

    def plane() -> np.ndarray:
        field_HW = np.fft.irfft2(amplitude * np.exp(2j * np.pi * dice.uniform(size=frequency.shape)), (side, side))
        return field_HW / field_HW.std()

    light_HW = 128 + 50 * plane()
    return _grainy(np.stack([light_HW + 12 * plane() for _ in range(3)], axis=-1), dice)


def drawing(side: int) -> RGB:
    """Flat shapes without grain, as nobody photographs them."""
    rgb_HWC = np.full((side, side, 3), (240, 240, 230), np.uint8)
    cv2.circle(rgb_HWC, (side // 3, side // 2), side // 4, (200, 30, 40), cv2.FILLED, cv2.LINE_AA)
    cv2.rectangle(rgb_HWC, (side // 2, side // 8), (side - side // 8, side // 2), (30, 60, 200), cv2.FILLED)
    return rgb_HWC


def compare(name: str, rgb_HWC: RGB) -> tuple[float, float]:
    """(time, bytes) of the product's encoder, in those of Pillow's; prints both."""
    encoders: dict[str, Callable[[RGB], bytes]] = {
        "pillow": _pillow,
        "darkroom": lambda rgb: encode(rgb, "png", 100, b""),
    }
    times: dict[str, list[float]] = {encoder: [] for encoder in encoders}
    sizes = {encoder: len(run(rgb_HWC)) for encoder, run in encoders.items()}
    for _ in range(ROUNDS):
        for encoder, run in encoders.items():
            began = time.thread_time()
            run(rgb_HWC)
            times[encoder].append(time.thread_time() - began)
    slow, quick = (median(times[encoder]) for encoder in encoders)
    large, small = sizes.values()
    print(f"{name:11}{'pillow':10}{slow * 1e3:10.1f}{large / 1024:8.0f}")
    print(
        f"{name:11}{'darkroom':10}{quick * 1e3:10.1f}{small / 1024:8.0f}    1/{slow / quick:4.1f}{small / large:8.2f}"
    )
    return quick / slow, small / large


def _grainy(picture_HWC: np.ndarray, dice: np.random.Generator) -> RGB:
    return np.clip(picture_HWC + dice.normal(0, GRAIN, picture_HWC.shape), 0, 255).astype(np.uint8)


def _pillow(rgb_HWC: RGB) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb_HWC).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
