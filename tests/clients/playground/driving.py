"""What a person does on the playground, by the names that a screen reader would say."""

import base64
import io
from typing import Any, Self

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.clients.flavours import Running
from training import checker
from training.checker import Reading

RGB = NDArray[np.uint8]  # H W 3
# What the mark that every picture carries may change in a pixel; a repainted one changes by far more.
MARK = 32
# What does not end by itself while a test looks at it.
LONG = {"steps": 150, "width": 256, "height": 256}

# A drop as a browser makes it: a file in a DataTransfer.
DROP = """(target, [name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
  }
}"""


class Playground:
    """The page, and the service behind it."""

    def __init__(self, page: Page, service: Running) -> None:
        self.page, self.service = page, service

    def open(self, *, ready: bool = True) -> Self:
        self.page.goto(self.service.url)
        if ready:
            expect(self.page.locator("body.ready")).to_be_attached()
        return self

    def field(self, name: str) -> Locator:
        return self.page.get_by_label(name, exact=True)

    def fill(self, **fields: str | int) -> None:
        """By the names of the API: they are the ids of the controls."""
        for name, value in fields.items():
            control = self.page.locator(f"#{name}")
            if control.evaluate("control => control.tagName") == "SELECT":
                control.select_option(str(value))
            else:
                control.fill(str(value))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def cancel(self) -> None:
        """What is developing on the stage, until the service has heard of it: it would be there in the next test."""
        with self.page.expect_response(lambda answer: answer.request.method == "DELETE"):
            self.press("Cancel")

    def generate(self, **fields: str | int) -> dict[str, Any]:
        """Fill the form, press Generate, wait for the picture, and give the generation."""
        self.fill(**fields)
        # The page hears of the answer after we do: until then the picture of before is still there.
        self.page.evaluate("document.querySelector('#easel .fresh')?.classList.remove('fresh')")
        with self.page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 202) as sent:
            self.press("Generate")
        asked: dict[str, Any] = sent.value.json()
        expect(self.page.locator("#easel .paper.fresh img")).to_be_visible(timeout=60_000)
        return self.generation(asked["id"])

    def generation(self, generation_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"generations/{generation_id}").json()
        return found

    def newest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("generations?limit=1").json()["generations"][0]
        return found

    def get(self, path: str) -> httpx.Response:
        url = f"{self.service.url}/api/v1/{path}"
        return httpx.get(url, headers=self.service.headers(), timeout=30).raise_for_status()

    def picture(self, generation: dict[str, Any], index: int = 0) -> bytes:
        return self.get(f"generations/{generation['id']}/images/{index}").content

    def drop(self, content: bytes, selector: str = "main", name: str = "dropped.png", media: str = "image/png") -> None:
        given = [name, media, base64.b64encode(content).decode()]
        self.page.locator(selector).evaluate(DROP, given)

    def choose(self, selector: str, content: bytes) -> None:
        given = {"name": "chosen.png", "mimeType": "image/png", "buffer": content}
        self.page.locator(selector).set_input_files([given])  # type: ignore[list-item]

    def paint(self, *points: tuple[float, float]) -> None:
        """One stroke over the mask, through these shares of its width and height."""
        canvas = self.page.locator("#painter-canvas")
        expect(canvas).to_be_visible()
        box = canvas.bounding_box()
        assert box
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def read_form(self) -> dict[str, str]:
        """id -> what is in it, of every control that a person can change."""
        found: dict[str, str] = self.page.locator("#form").evaluate(
            """form => Object.fromEntries([...form.elements]
              .filter((control) => control.id && control.type !== "file" && control.tagName !== "BUTTON")
              .map((control) => [control.id, control.type === "checkbox" ? String(control.checked) : control.value]))"""
        )
        return found


def pixels(picture: bytes) -> RGB:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def seen_in(picture: bytes) -> Reading:
    """What the checker of the embedded model sees."""
    return checker.read(pixels(picture))


def png_of(image: RGB) -> bytes:
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()
