"""One picture for every task, laid out on one sheet, each above how it was asked for.

    python examples/contact_sheet.py sheet.png

What needs no other picture first is asked for together: the worker takes it into one batch, and each leaves it when its
own steps are done. The sheet in the README was made by this program. A sheet is a new picture, so it carries no
credential of its own.
"""

import argparse
import asyncio
import io
from pathlib import Path
from typing import Unpack

from PIL import Image, ImageDraw, ImageFont

from darkroom import AsyncClient
from darkroom.client import Fields

SEED = 7

STAR = "a blue star on a yellow background"
RED = "a red star on a yellow background"
FOLLOWED = "a pink star on a black background"
PAINTED = "a green circle on a yellow background"

COLUMNS = 4
SIDE, MARGIN, CAPTION = 256, 16, 46  # px

Cell = tuple[str, str, Image.Image]  # task, how it was asked for, picture


async def draw(client: AsyncClient, prompt: str, **fields: Unpack[Fields]) -> Image.Image:
    """One picture, once it is made."""
    made = await client.generate(prompt, seed=SEED, **fields)
    return opened(await client.image(made))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def middle(picture: Image.Image) -> Image.Image:
    """A mask: white, which is made anew, in the middle."""
    mask = Image.new("L", picture.size, 0)
    wide, high = picture.size
    mask.paste(255, (wide // 8, high // 8, wide - wide // 8, high - high // 8))
    return mask


async def from_words(client: AsyncClient) -> list[Cell]:
    """Tasks that begin with nothing but a prompt, all in one batch."""
    star, large, styled = await asyncio.gather(
        draw(client, STAR),
        draw(client, STAR, hires={"scale": 1.5, "strength": 0.4}),
        draw(client, STAR, loras=[{"model": "outline"}]),
    )
    return [
        ("text to image", STAR, star),
        (f"hires-fix, {large.width} x {large.height}", "the same, made large in two stages", large),
        ("LoRA", "the same, in the style of outline", styled),
    ]


async def from_pictures(client: AsyncClient, star: Image.Image) -> list[Cell]:
    """Tasks that begin with a picture, all in one batch; the last with the outlines of one, kept by the service."""
    outlines = await client.preprocess("canny", star)
    red, painted, wide, followed = await asyncio.gather(
        draw(client, RED, image=star, strength=0.7),
        draw(client, PAINTED, image=star, mask=middle(star)),
        draw(client, STAR, image=star, expand={"left": 32, "right": 32}),
        draw(client, FOLLOWED, controlnets=[{"type": "canny", "image": outlines.id, "preprocess": False}]),
    )
    return [
        ("image to image, strength 0.7", RED, red),
        ("inpainting, the middle", PAINTED, painted),
        (f"outpainting, {wide.width} x {wide.height}", "32 pixels more on both sides", wide),
        ("preprocessing", "canny outlines of the first", opened(await client.asset(outlines.id))),
        ("ControlNet, along them", FOLLOWED, followed),
    ]


def lay_out(cells: list[Cell]) -> Image.Image:
    """The sheet: rows of `COLUMNS` pictures with room for two lines of words under each."""
    rows = -(-len(cells) // COLUMNS)
    step_x, step_y = SIDE + MARGIN, SIDE + CAPTION + MARGIN
    sheet = Image.new("RGB", (COLUMNS * step_x + MARGIN, rows * step_y + MARGIN), "white")
    pen, task_font, font = ImageDraw.Draw(sheet), ImageFont.load_default(15), ImageFont.load_default(12)
    for index, (task, asked, picture) in enumerate(cells):
        x, y = MARGIN + index % COLUMNS * step_x, MARGIN + index // COLUMNS * step_y
        shown = picture.convert("RGB")
        scale = SIDE / max(shown.size)
        shown = shown.resize((round(shown.width * scale), round(shown.height * scale)), Image.Resampling.LANCZOS)
        sheet.paste(shown, (x + (SIDE - shown.width) // 2, y + (SIDE - shown.height) // 2))
        pen.text((x + SIDE / 2, y + SIDE + 6), task, "#111111", task_font, anchor="mt")
        pen.text((x + SIDE / 2, y + SIDE + 27), asked, "#555555", font, anchor="mt")
    return sheet


async def main(output: Path, url: str | None) -> None:
    async with AsyncClient(url) as client:
        words = await from_words(client)
        pictures = await from_pictures(client, words[0][2])
    lay_out([*words, *pictures]).save(output)
    print(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Lay one picture for every task out on one sheet.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--url", help="the gateway; DARKROOM_URL, or the one on this machine, if left out")
    options = parser.parse_args()
    asyncio.run(main(options.output, options.url))
