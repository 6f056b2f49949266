"""The dashboard in a real browser: the whole story, live pages, keys, and what axe says of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from hookproof.forging import Forgeries
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import RunningServer
from hookproof.serving import serve as serve_receiver
from hookproof_mockserver.app import create_app
from hookproof_mockserver.model import DeliveryPolicy, Fault, FaultKind, RetryPolicy
from hookproof_mockserver.sender import MockSender, Setup
from hookproof_mockserver.server import RunningServer as Dashboard
from hookproof_mockserver.server import serve
from hookproof_spec.documents import load
from hookproof_spec.webhook import Document
from support.mock_site import TOKEN, deaf_url
from support.sockets import silent_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
    pytest.mark.timeout(240),
]

expect = api.expect
PATIENT = 30_000
"""How long the browser may take for anything, in ms: a limit for a hung one, not a measure."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECRET = "canary-secret-77aa"


@dataclass
class Stage:
    """A sender with its dashboard, and what went wrong in either or in the browser."""

    sender: MockSender
    url: str
    errors: list[BaseException] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note what a page complains of, and every request that leaves this site."""
        page.set_default_timeout(PATIENT)
        page.on("console", lambda said: self._complain(said.type, said.text))
        page.on("pageerror", lambda error: self._complain("error", str(error)))
        page.on("request", lambda request: self._look(request.url))

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.troubles.append(text)

    def _look(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.troubles.append(f"a request to {url}")


@cache
def document() -> Document:
    return load("mobility-work")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with api.sync_playwright() as started:
        expect.set_options(timeout=PATIENT)
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    errors: list[BaseException] = []
    made = Setup(
        document=document(),
        forge=Forgeries(),
        random=random.Random(5),
        time_scale=20,
        workers=8,
        on_error=errors.append,
    )
    with MockSender(made) as sender:
        app = create_app(sender, report=errors.append, token=TOKEN)
        with serve(app, report=errors.append) as running:
            found = Stage(sender, running.url, errors)
            yield found
    assert found.errors == []
    assert found.troubles == []


@pytest.fixture
def page(chromium: Browser, stage: Stage) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    stage.watch(opened)
    opened.goto(stage.url)
    yield opened
    context.close()


def receiver(secret: str, port: int) -> RunningServer:
    """Start the reference receiver: it is right in every rule, and refuses replays."""
    app = create_receiver(document().webhook(), secret, nonces=MemoryNonceStore(), replay="reject")
    return serve_receiver(app, port=port)


def badge(page: Page) -> Locator:
    return page.locator("#delivery-head .meta .badge")


def answer(page: Page) -> Locator:
    return page.locator("#response .wire-head .start")


# --- the story ----------------------------------------------------------------------------------


def test_whole_story_from_registering_to_a_retry(page: Page, stage: Stage) -> None:
    with silent_port() as port:
        tell_the_story(page, stage, port)


def tell_the_story(page: Page, stage: Stage, port: int) -> None:
    page.get_by_label("URL of the receiver").fill(f"http://127.0.0.1:{port}/webhook")
    page.get_by_role("button", name="Register").click()
    secret = page.locator("#new-secret").inner_text()
    page.wait_for_url(lambda url: "note=" not in url)
    page.reload()
    expect(page.locator("#new-secret")).to_have_count(0)

    with receiver(secret, port):
        consume_until_it_is_out(page)
        look_at_the_delivery(page)
        delivery = page.url
        resend_and_forge(page, delivery)
    secret = rotate(page, stage)
    retry_twice_a_second(page)
    wait_for_the_receiver(page, secret, port)


def consume_until_it_is_out(page: Page) -> None:
    page.get_by_role("link", name="Overview", exact=True).click()
    page.get_by_role("button", name="Add the part").click()
    consume = page.locator("#consume")
    for left in (3, 2, 1):
        expect(consume).to_contain_text(f"of {left}")
        consume.click()
    expect(page.locator("#note")).to_contain_text("sparePartOutOfStock sent to 1 webhook")
    row = page.locator("#latest tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator(".badge")).to_have_text("delivered")


def look_at_the_delivery(page: Page) -> None:
    page.locator("#latest .row-link").click()
    expect(badge(page)).to_have_text("delivered")
    expect(answer(page)).to_contain_text("200 OK")
    content = page.locator("#anatomy .content").first
    assert [piece.get_attribute("class") for piece in content.locator(".piece").all()] == [
        f"piece {role}" for role in ("timestamp", "fixed", "nonce", "fixed", "body")
    ]
    signature = page.locator("#request dd .piece.signature").inner_text()
    assert page.locator("#anatomy li:nth-child(4) .piece.signature").inner_text() == signature


def resend_and_forge(page: Page, delivery: str) -> None:
    page.get_by_role("button", name="Resend the same bytes").click()
    expect(page.locator("#note")).to_contain_text("The same bytes are sent again")
    expect(answer(page)).to_contain_text("409 Conflict")

    page.goto(delivery)
    page.get_by_role("button", name="Sign anew and send").click()
    expect(answer(page)).to_contain_text("200 OK")

    page.goto(delivery)
    page.get_by_label("Find a rule").fill("nonce old signature")
    page.get_by_role("button", name="forged-nonce-refreshed").click()
    expect(badge(page)).to_have_text("refused, rightly")
    expect(answer(page)).to_contain_text("401")


def rotate(page: Page, stage: Stage) -> str:
    page.goto(f"{stage.url}/webhooks")
    page.locator(".row-link").click()
    page.get_by_text("Rotate the secret key").click()
    page.get_by_label("Overlap, minutes").fill("30")
    page.get_by_role("button", name="Rotate", exact=True).click()
    expect(page.get_by_text("Two secrets are valid")).to_be_visible()
    return page.locator("#new-secret").inner_text()


def retry_twice_a_second(page: Page) -> None:
    page.get_by_text("How it is delivered").click()
    page.get_by_label("Tries again").select_option("after the same wait each time")
    page.get_by_label("Attempts at most").fill("100")
    page.get_by_label("First wait, seconds").fill("10")  # of which twenty pass in a second
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#note")).to_contain_text("Saved.")


def wait_for_the_receiver(page: Page, secret: str, port: int) -> None:
    page.get_by_role("button", name="Send an example").click()
    expect(badge(page)).to_have_text("tried again later")
    expect(page.locator("#response")).to_contain_text("Start the receiver")
    with receiver(secret, port):
        expect(badge(page)).to_have_text("delivered")
        expect(page.locator(".timeline > li.good")).to_have_count(1)
        expect(page.locator(".timeline > li.bad").first).to_be_visible()


# --- live pages ---------------------------------------------------------------------------------


def test_new_deliveries_appear_without_a_jump(page: Page, stage: Stage) -> None:
    stage.sender.register(url=deaf_url(), secret=SECRET, policy=once())
    for _ in range(60):
        stage.sender.trigger()
    page.goto(f"{stage.url}/deliveries")
    expect(page.locator("#live-words")).to_have_text("Live")
    page.get_by_label("Search").fill("half typed")
    page.locator("tbody tr").nth(30).locator(".row-link").focus()
    page.evaluate("scrollTo(0, 400)")
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    event = stage.sender.trigger()
    delivery = stage.sender.deliveries(event=event.id).items[0]
    expect(page.locator(f"#row-{delivery.id} .badge")).to_have_text("failed")
    assert page.evaluate("document.activeElement.getAttribute('href')") == focused
    assert page.get_by_label("Search").input_value() == "half typed"
    expect(page.locator("#said")).to_contain_text("61 failed")


def test_page_comes_back_to_life_after_the_sender_was_away(chromium: Browser, stage: Stage) -> None:
    stage.sender.register(url=deaf_url(), secret=SECRET, policy=once())
    context = chromium.new_context()
    opened = context.new_page()
    with silent_port() as port:
        with serving(stage, port) as first:
            opened.goto(f"{first.url}/deliveries")
            expect(opened.locator("#live-words")).to_have_text("Live")
        expect(opened.locator("#live-words")).to_have_text("Reconnecting")
        stage.sender.trigger()
        with serving(stage, port):
            expect(opened.locator("#live-words")).to_have_text("Live")
            expect(opened.locator("tbody tr")).to_have_count(1)
            context.close()


def serving(stage: Stage, port: int) -> Dashboard:
    """Serve the stage's sender once more, on a port of its own."""
    app = create_app(stage.sender, report=stage.errors.append, token=TOKEN)
    return serve(app, port=port, report=stage.errors.append)


def once() -> DeliveryPolicy:
    return DeliveryPolicy(retry=RetryPolicy(attempts=1))


# --- keys, colours, width -----------------------------------------------------------------------


def test_everything_is_reached_by_keys(page: Page, stage: Stage) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/deliveries")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("g?d")
    expect(page.get_by_label("Search")).to_have_value("g?d")


def test_copied_text_is_the_whole_text(page: Page, stage: Stage) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hook = stage.sender.register(url=deaf_url(), secret=SECRET)
    page.goto(f"{stage.url}/webhooks/{hook.id}")
    page.get_by_role("button", name=f"Copy {hook.id}").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == hook.id


def test_chosen_colours_are_remembered(page: Page, stage: Stage) -> None:
    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    light = paper()
    page.get_by_role("button", name="Dark").click()
    dark = paper()
    page.goto(f"{stage.url}/webhooks")
    assert paper() == dark != light
    page.get_by_role("button", name="Light").click()
    assert paper() == light


# --- what holds of every page -------------------------------------------------------------------


@cache
def axe() -> str:
    try:
        folder = resources.files("axe_playwright_python")
    except ModuleNotFoundError:
        pytest.skip("axe-playwright-python is not installed")
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def fill(sender: MockSender) -> None:
    hook = sender.register(url=deaf_url(), secret=SECRET, description="the first")
    sender.register(url=deaf_url() + "/long" * 40, policy=once())
    name = "A part with a very long name " * 3
    places = (("A" + "w" * 100, 1), ("B", 120))
    part = sender.add_part(name=name, article_code="X" * 60, locations=places)
    sender.consume(part.id, part.locations[0].id, 1)
    sender.trigger(payload=b'{"x": "' + b"wide" * 400 + b'"}', allow_invalid=True)
    sender.trigger(faults=(Fault(kind=FaultKind.RULE, rule="forged-no-header"),))
    sender.rotate(hook.id, overlap=600)
    assert sender.idle(30)


def paths_of(sender: MockSender) -> list[str]:
    listed = ["/", "/webhooks", "/webhooks/new", "/stock", "/events", "/events/new", "/deliveries"]
    found = [f"/webhooks/{webhook.id}" for webhook in sender.subscriptions()[:1]]
    found += [f"/events/{event.id}" for event in sender.events().items[1:2]]
    found += [f"/deliveries/{delivery.id}" for delivery in sender.deliveries().items[:2]]
    return [*listed, "/settings", *found]


def test_axe_finds_nothing_on_busy_pages(chromium: Browser, stage: Stage) -> None:
    fill(stage.sender)
    assert findings(chromium, stage) == {}


def test_axe_finds_nothing_on_empty_pages(chromium: Browser, stage: Stage) -> None:
    assert findings(chromium, stage) == {}


def findings(chromium: Browser, stage: Stage) -> dict[str, list[str]]:
    """Return what axe finds on each page, and what it says of the dark colours."""
    source = axe()
    context = chromium.new_context(color_scheme="light", reduced_motion="reduce")
    opened = context.new_page()
    stage.watch(opened)
    found = {}
    for path in paths_of(stage.sender):
        opened.emulate_media(color_scheme="light")
        opened.goto(stage.url + path)
        opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        opened.evaluate(source)
        told = judged(opened, "{}")
        opened.emulate_media(color_scheme="dark")
        told += judged(opened, "{runOnly: ['color-contrast']}")
        if told:
            found[path] = told
    context.close()
    return found


def judged(opened: Page, options: str) -> list[str]:
    """Return axe's violations, a line each: the rule, how grave, the first place."""
    told = opened.evaluate(
        f"axe.run(document, {options}).then(({{violations}}) => violations"
        ".map(({id, impact, nodes}) => `${id} ${impact} ${nodes[0].html.slice(0, 200)}`))"
    )
    return [str(line) for line in told]


def test_no_page_is_wider_than_a_narrow_window(chromium: Browser, stage: Stage) -> None:
    fill(stage.sender)
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    opened = context.new_page()
    stage.watch(opened)
    wide = {}
    for path in paths_of(stage.sender):
        opened.goto(stage.url + path)
        opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        over = opened.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide[path] = over
    context.close()
    assert wide == {}
