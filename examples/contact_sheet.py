"""Ask for several pictures at once and lay them out on one sheet, each above its prompt.

    python examples/contact_sheet.py sheet.png

All requests are sent together: the worker takes them into one batch, and each leaves it when its own steps are done.
The sheet in the README was made by this program. A sheet is a new picture, so it carries no credential of its own.
"""

import argparse
import asyncio
import io
from pathlib import Path

import httpx
from PIL import Image, ImageDraw, ImageFont

URL = "http://127.0.0.1:8000"
SEED = 7
PROMPTS = (
    "a red circle on a white background",
    "a blue star on a yellow background",
    "a green heart on a black background",
    "a purple cross on a pink background",
    "a yellow ring on a blue background",
    "a white triangle on a green background",
    "an orange diamond on a white background",
    "a pink square on a black background",
)

COLUMNS = 4
SIDE, MARGIN, CAPTION = 256, 16, 28  # px


async def draw(client: httpx.AsyncClient, prompt: str) -> Image.Image:
    """One picture. `Prefer: wait` keeps the request open until it is made."""
    asked = {"prompt": prompt, "seed": SEED}
    answer = await client.post("/api/v1/generations", json=asked, headers={"Prefer": "wait=60"})
    answer.raise_for_status()
    (made,) = answer.json()["images"]
    picture = await client.get(made["url"])
    picture.raise_for_status()
    return Image.open(io.BytesIO(picture.content))


def lay_out(pictures: list[Image.Image], captions: tuple[str, ...]) -> Image.Image:
    """The sheet: rows of `COLUMNS` pictures with room for a line of words under each."""
    rows = -(-len(pictures) // COLUMNS)
    step_x, step_y = SIDE + MARGIN, SIDE + CAPTION + MARGIN
    sheet = Image.new("RGB", (COLUMNS * step_x + MARGIN, rows * step_y + MARGIN), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x, y = MARGIN + index % COLUMNS * step_x, MARGIN + index // COLUMNS * step_y
        sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x, y))
        pen.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), outline="#d0d0d0")
        pen.text((x + SIDE / 2, y + SIDE + 8), caption, "#333333", font, anchor="mt")
    return sheet


async def main(output: Path, url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=90) as client:
        pictures = await asyncio.gather(*(draw(client, prompt) for prompt in PROMPTS))
    lay_out(pictures, PROMPTS).save(output)
    print(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Lay several generations out on one sheet.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--url", default=URL)
    options = parser.parse_args()
    asyncio.run(main(options.output, options.url))
