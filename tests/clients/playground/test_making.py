"""Making pictures on the page, and what is refused."""

import re

import boto3
import httpx
from playwright.sync_api import expect

from tests.clients.flavours import Running
from tests.clients.playground.conftest import Open
from tests.clients.playground.driving import LONG, Playground, seen_in
from tests.servers.seaweedfs import S3Server

RED_CIRCLE = "a red circle on a white background"


def test_a_prompt_becomes_its_picture(playground: Playground) -> None:
    made = playground.generate(prompt=RED_CIRCLE, seed=7)
    assert [found.pair for found in seen_in(playground.picture(made)).objects] == [("red", "circle")]
    shown = playground.page.locator("#easel img")
    assert shown.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [128, 128]
    expect(shown).to_have_attribute("alt", f"{RED_CIRCLE}, seed 7")
    caption = playground.page.locator("#caption")
    expect(caption).to_contain_text("tiny · 128 × 128 · seed 7 · 20 steps")
    expect(playground.page.locator("#said")).to_have_text(f"Done. {RED_CIRCLE}")
    first_tile = playground.page.locator("#history .tile").first
    expect(first_tile).to_have_attribute("aria-current", "true")


def test_what_it_will_look_like_is_seen_before_it_is_done(playground: Playground) -> None:
    playground.fill(prompt=RED_CIRCLE, **LONG)
    playground.press("Generate")
    frame = playground.page.get_by_alt_text("What it looks like so far")
    expect(frame).to_be_visible(timeout=30_000)
    expect(frame).not_to_have_js_property("naturalWidth", 0)
    assert int(playground.newest()["progress"]["step"]) < 150
    playground.cancel()


def test_of_several_pictures_each_is_seen_on_its_way(playground: Playground) -> None:
    playground.fill(prompt=RED_CIRCLE, n=2, **LONG)
    playground.press("Generate")
    for number in (1, 2):
        frame = playground.page.get_by_alt_text(f"Picture {number} so far")
        expect(frame).to_be_visible()
        expect(frame).not_to_have_js_property("naturalWidth", 0)
    playground.cancel()


def test_a_generation_can_be_canceled_while_it_develops(playground: Playground) -> None:
    playground.fill(prompt=RED_CIRCLE, n=4, **LONG)
    playground.press("Generate")
    expect(playground.page.locator("#caption")).to_contain_text(re.compile(r"step \d+ of 600"))
    playground.cancel()
    expect(playground.page.locator("#easel")).to_contain_text("Canceled.")
    assert playground.newest()["state"] == "canceled"
    expect(playground.page.locator("#history .tile").first).to_contain_text("Canceled.")


def test_several_are_under_way_at_once_and_one_can_be_looked_at(playground: Playground) -> None:
    for words in ("a blue star on a yellow background", "a green heart on a black background"):
        playground.fill(prompt=words, n=2, **LONG)
        playground.press("Generate")
        expect(playground.page.locator("#caption .words")).to_have_text(words)
    tray = playground.page.get_by_role("region", name="Developing")
    expect(tray.get_by_role("listitem")).to_have_count(2)
    expect(tray.get_by_role("progressbar")).to_have_count(2)
    tray.get_by_role("button", name="a blue star").first.click()
    expect(playground.page.locator("#caption .words")).to_have_text("a blue star on a yellow background")
    for name in ("a blue star", "a green heart"):
        tray.get_by_role("button", name=re.compile(f"Cancel “{name}")).click()
    expect(tray).to_be_hidden()


def test_a_page_that_is_loaded_again_goes_on_watching(playground: Playground) -> None:
    playground.fill(prompt=RED_CIRCLE, steps=120, width=256, height=256)
    playground.press("Generate")
    expect(playground.page.locator("#caption")).to_contain_text("Developing")
    playground.open()
    expect(playground.page.locator("#caption")).to_contain_text("Developing")
    expect(playground.page.locator("#easel .paper.fresh")).to_be_visible(timeout=60_000)


def test_a_refusal_is_shown_at_the_field_it_names(open_page: Open, service: Running) -> None:
    playground = open_page(service, said=("422",))
    playground.fill(prompt=RED_CIRCLE, width=100, steps=0)
    playground.press("Generate")
    steps = playground.page.locator("#steps")
    expect(steps).to_have_attribute("aria-invalid", "true")
    expect(steps).to_be_focused()
    expect(steps).to_have_accessible_description("Input should be greater than or equal to 1")
    expect(playground.page.get_by_role("alert")).to_contain_text("Steps: Input should be greater than or equal to 1")
    playground.fill(steps=5)
    playground.press("Generate")
    expect(playground.page.locator("#width")).to_have_accessible_description("must be from 128 to 512 for tiny")
    expect(steps).not_to_have_attribute("aria-invalid", "true")


def test_a_refusal_opens_the_part_it_lies_in(open_page: Open, service: Running) -> None:
    playground = open_page(service, said=("422",))
    playground.page.get_by_text("LoRAs", exact=False).first.click()
    playground.press("Add a LoRA")
    playground.page.get_by_label("Weight").fill("9")
    playground.page.locator("#loras-group").evaluate("group => { group.open = false }")
    playground.press("Generate")
    expect(playground.page.get_by_label("Weight")).to_have_accessible_description(
        "Input should be less than or equal to 5"
    )


def test_a_service_that_is_away_is_said_to_be(open_page: Open, service: Running) -> None:
    playground = open_page(service, said=("ERR_INTERNET_DISCONNECTED",))
    playground.page.context.set_offline(True)
    playground.fill(prompt=RED_CIRCLE)
    playground.press("Generate")
    expect(playground.page.get_by_role("alert")).to_have_text("The service cannot be reached. Is it still running?")


def test_where_a_key_is_wanted_it_is_asked_for_and_kept_no_longer_than_wished(open_page: Open, keyed: Running) -> None:
    playground = open_page(keyed, said=("401",), ready=False)
    page, key = playground.page, keyed.keys["ann"]
    expect(page.get_by_role("dialog", name="This service wants an API key")).to_be_visible()
    page.get_by_label("API key", exact=True).fill("dk_nobody")
    playground.press("Use this key")
    expect(page.get_by_role("alert")).to_have_text("The service does not know this key.")
    page.get_by_label("API key", exact=True).fill(key)
    playground.press("Use this key")
    expect(page.locator("body.ready")).to_be_attached()
    made = playground.generate(prompt=RED_CIRCLE, seed=7, steps=8)
    assert page.locator("#easel img").evaluate("img => img.naturalWidth") == 128
    assert httpx.get(made["images"][0]["url"]).status_code == 401
    stored = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert key not in stored
    playground.open(ready=False)
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_label("Keep it until this tab is closed").check()
    playground.press("Use this key")
    expect(page.locator("body.ready")).to_be_attached()
    playground.open()
    expect(page.locator("#history .tile")).not_to_have_count(0)
    assert key not in page.evaluate("JSON.stringify(Object.entries(localStorage))")


def test_what_can_be_no_key_is_not_sent(open_page: Open, keyed: Running) -> None:
    playground = open_page(keyed, said=("401",), ready=False)
    key = playground.page.get_by_label("API key", exact=True)
    key.fill("Schlüssel")
    playground.press("Use this key")
    expect(playground.page.get_by_role("dialog")).to_be_visible()
    assert key.evaluate("key => key.validity.patternMismatch")


def test_a_generation_that_is_lost_on_the_way_is_said_to_be(open_page: Open, service: Running) -> None:
    playground = open_page(service, said=("404",))
    answer = {"status": 404, "json": {"code": "not_found", "detail": "no such generation"}}
    playground.page.route("**/api/v1/generations/*/events", lambda route: route.fulfill(**answer))
    playground.fill(prompt=RED_CIRCLE, steps=4)
    playground.press("Generate")
    expect(playground.page.get_by_role("alert")).to_have_text("No such generation.")


def test_a_service_without_keys_never_asks_for_one(playground: Playground) -> None:
    expect(playground.page.get_by_role("button", name="API key")).to_be_hidden()
    expect(playground.page.get_by_role("dialog")).to_have_count(0)


def test_pictures_in_s3_are_shown_where_the_bucket_lets_the_page_read(
    open_page: Open, on_s3: Running, seaweedfs: S3Server
) -> None:
    allow_pages(seaweedfs, on_s3.url)
    playground = open_page(on_s3, said=("401",), ready=False)
    playground.page.get_by_label("API key", exact=True).fill(on_s3.keys["ann"])
    playground.press("Use this key")
    expect(playground.page.locator("body.ready")).to_be_attached()
    playground.generate(prompt=RED_CIRCLE, seed=7, steps=4)
    expect(playground.page.locator("#easel img")).to_have_js_property("naturalWidth", 128)


def allow_pages(server: S3Server, origin: str) -> None:
    """The rule that docs/playground.md tells operators to make."""
    rule = {"AllowedOrigins": [origin], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}
    s3 = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
    )
    s3.put_bucket_cors(Bucket=server.bucket, CORSConfiguration={"CORSRules": [rule]})
