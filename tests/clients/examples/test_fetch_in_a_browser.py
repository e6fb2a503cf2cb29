"""`fetch.mjs` in a page, as it stands."""

from typing import Any

from playwright.async_api import async_playwright

from tests.clients.conftest import CHROMIUM_FLAGS
from tests.clients.flavours import Running
from tests.docs.pages import ROOT

ASKED = """
async ({ source, url }) => {
  const { generate, picture } = await import('data:text/javascript,' + encodeURIComponent(source))
  const generation = await generate(url, { prompt: 'a red circle', steps: 4, seed: 1 })
  const refused = await generate(url, { prompt: 'a red circle', cfg_scale: 7 }).catch((error) => error.problem.code)
  const { type, size } = await picture(generation)
  return { state: generation.state, type, size, refused }
}
"""


async def test_a_page_asks_for_a_picture_and_reads_refusals(service: Running, chromium: str) -> None:
    source = (ROOT / "examples" / "fetch.mjs").read_text()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        # Our own pages let no module in from elsewhere; a page of one's own decides that for itself.
        page = await browser.new_page(bypass_csp=True)
        await page.goto(f"{service.url}/docs/errors")
        made: dict[str, Any] = await page.evaluate(ASKED, {"source": source, "url": service.url})
        await browser.close()
    assert (made["state"], made["type"], made["refused"]) == ("succeeded", "image/png", "invalid_field")
    assert made["size"] > 1000
