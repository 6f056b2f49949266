"""The dashboard without JavaScript: pages, forms, errors, and what must never be in a page."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from hookproof_mockserver.app import create_app
from hookproof_mockserver.model import (
    DeliveryPolicy,
    DeliveryState,
    Fault,
    FaultKind,
    RetryPolicy,
    Schedule,
    Source,
)
from hookproof_mockserver.pages.commands import curl
from hookproof_mockserver.pages.notes import KEPT, Note, Notes
from hookproof_mockserver.pages.wire import Shown, shown, visible
from hookproof_mockserver.pages.words import exact
from hookproof_mockserver.sender import MockSender, Setup
from hookproof_spec.documents import load
from hookproof_spec.request import Request
from hookproof_spec.signing import Verifier
from hookproof_spec.webhook import Webhook
from support.mock_site import TOKEN, deaf_url

SECRET = "canary-secret-5d0e"
SCRIPT = "<script>alert(1)</script>"
VOID = frozenset({"br", "circle", "hr", "input", "link", "meta", "path", "rect"})


class Rules:
    """A forge with two rules, whose request is one without a signature."""

    def rules(self, _webhook: Webhook) -> Mapping[str, str]:
        return {"forged-no-header": "A missing signature is refused", "stale-old": "Old is refused"}

    def requests(
        self, _rule: str, webhook: Webhook, _secret: str, url: str, _now: float
    ) -> tuple[Request, ...]:
        return (Request(webhook.method, url, (("Content-Type", "application/json"),), b"{}"),)


class Browser:
    """A client that follows where a change leads, and shows what a person would read."""

    def __init__(self, sender: MockSender, errors: list[BaseException]) -> None:
        self.sender = sender
        self._client = Client(create_app(sender, report=errors.append, token=TOKEN))

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, base_url="http://127.0.0.1")

    def send(self, path: str, token: str = TOKEN, **fields: str) -> TestResponse:
        data = {**fields, "token": token}
        return self._client.post(path, base_url="http://127.0.0.1", data=data)

    def done(self, path: str, **fields: str) -> tuple[str, str]:
        """Change something; return the address it leads to and the text of that page."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, words(answer)
        return answer.headers["Location"], words(self.get(answer.headers["Location"]))


def words(answer: TestResponse) -> str:
    """Return a page's text without its tags."""
    bare = re.sub(r"<[^>]*>", " ", answer.get_data(as_text=True))
    return re.sub(r" (?=[.,:])", "", re.sub(r"\s+", " ", unescape(bare)))


def running(name: str, errors: list[BaseException]) -> MockSender:
    made = Setup(
        document=load(name),
        forge=Rules(),
        random=random.Random(3),
        workers=4,
        on_error=errors.append,
    )
    return MockSender(made)


@pytest.fixture
def browser() -> Iterator[Browser]:
    errors: list[BaseException] = []
    with running("mobility-work", errors) as sender:
        yield Browser(sender, errors)
    assert errors == []


@pytest.fixture(scope="module")
def busy() -> Iterator[Browser]:
    """A sender with everything there is to show, some of it hostile."""
    errors: list[BaseException] = []
    with running("mobility-work", errors) as sender:
        fill(sender)
        yield Browser(sender, errors)
    assert errors == []


def fill(sender: MockSender) -> None:
    hook = sender.register(url=deaf_url(), secret=SECRET, description=SCRIPT)
    sender.register(url=deaf_url(), active=False)
    part = sender.add_part(name=SCRIPT, article_code="'\"><b>", locations=((SCRIPT, 1),))
    sender.consume(part.id, part.locations[0].id, 1)
    text = json.dumps({"x": SCRIPT, "\u202e": "\x00 ]]> -->"}, ensure_ascii=False)
    sender.trigger(payload=text.encode(), allow_invalid=True)
    sender.trigger(payload=b"\xff\x00" * 400_000, allow_invalid=True)
    sender.trigger(faults=(Fault(kind=FaultKind.RULE, rule="forged-no-header"),))
    assert sender.idle(20)  # what was sent is signed with the first secret
    sender.rotate(hook.id, secret=SECRET + "-new", overlap=600)
    assert sender.idle(20)


def every_path(sender: MockSender) -> list[str]:
    listed = ["/", "/webhooks", "/webhooks/new", "/stock", "/events", "/events/new", "/deliveries"]
    webhooks = [f"/webhooks/{webhook.id}" for webhook in sender.subscriptions()]
    events = [f"/events/{event.id}" for event in sender.events().items]
    sent = [f"/deliveries/{delivery.id}" for delivery in sender.deliveries().items]
    views = [f"{path}?view={view}" for path in (*events, *sent) for view in ("raw", "hex")]
    return [*listed, "/settings", "/deliveries/none", *webhooks, *events, *sent, *views]


# --- what holds of every page -------------------------------------------------------------------


class Page(HTMLParser):
    """What a page's markup holds, and whether its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.wrong: list[str] = []
        self.post_forms = self.tokens = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        for name in ("for", "aria-describedby", "aria-labelledby"):
            self.referred += given.get(name, "").split()
        if given.get("href", "").startswith("#"):
            self.referred.append(given["href"][1:])
        self._look(tag, given)
        if tag not in VOID:
            self.open.append(tag)

    def _look(self, tag: str, given: Mapping[str, str]) -> None:
        inline = [name for name in given if name == "style" or name.startswith("on")]
        outside = [
            given[name]
            for name in ("href", "src", "action")
            if name in given and (urlsplit(given[name]).netloc or urlsplit(given[name]).scheme)
        ]
        if inline or outside or (tag in ("script", "style") and "src" not in given):
            self.wrong.append(f"{tag} {given}")
        self.post_forms += tag == "form" and given.get("method") == "post"
        self.tokens += given.get("name") == "token" and given.get("value") == TOKEN

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def faults_of(html: str) -> list[str]:
    page = Page()
    page.feed(html)
    found = [*page.wrong, *(f"<{tag}> not closed" for tag in page.open)]
    found += [f"id {name} twice" for name in set(page.ids) if page.ids.count(name) > 1]
    found += [f"no id {name}" for name in page.referred if name not in page.ids]
    if page.tokens < page.post_forms:
        found.append("a form without the token")
    return found


def test_every_empty_page_is_sound(browser: Browser) -> None:
    found = {path: faults_of(browser.get(path).text) for path in every_path(browser.sender)}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_every_busy_page_is_sound(busy: Browser) -> None:
    found = {path: faults_of(busy.get(path).text) for path in every_path(busy.sender)}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_no_page_runs_or_hides_what_a_payload_holds(busy: Browser) -> None:
    for path in every_path(busy.sender):
        html = busy.get(path).text
        assert SCRIPT not in html, path
        assert "\u202e" not in html, path
        assert "\x00" not in html, path


def test_no_page_holds_a_secret(busy: Browser) -> None:
    for path in every_path(busy.sender):
        assert SECRET.encode() not in busy.get(path).data, path


def test_every_page_is_short_whatever_is_in_it(busy: Browser) -> None:
    sizes = {path: len(busy.get(path).data) for path in every_path(busy.sender)}
    assert max(sizes.values()) < 4_000_000, max(sizes, key=lambda path: sizes[path])


def test_pages_are_not_kept_and_name_their_origin(busy: Browser) -> None:
    answer = busy.get("/webhooks")
    assert answer.headers["Cache-Control"] == "no-store"
    # `no-referrer` would have browsers send `Origin: null` with the forms of the page itself.
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


# --- the way from nothing to a delivery ---------------------------------------------------------


def test_way_from_nothing_to_a_delivery_works_without_scripts(browser: Browser) -> None:
    assert "Register a webhook" in words(browser.get("/"))
    _, text = browser.done("/webhooks", url=deaf_url(), secret_kind="generate")
    assert "The webhook is registered." in text
    assert "Add the part" in words(browser.get("/"))
    _, text = browser.done("/stock", example="yes", back="/")
    assert "Consume one of 3" in text
    part = browser.sender.parts()[0]
    consume = f"/stock/{part.id}/consume"
    place = part.locations[0].id
    for left in (2, 1):
        _, text = browser.done(consume, location=place, quantity="1", back="/")
        assert f"{left + 1} → {left}." in text
    _, text = browser.done(consume, location=place, quantity="1", back="/")
    assert "1 → 0: sparePartOutOfStock sent to 1 webhook. Look at it" in text
    assert "Set to 3" in text
    delivery = browser.sender.deliveries().items[0]
    assert delivery.webhook in words(browser.get(f"/deliveries/{delivery.id}"))


def test_form_counts_only_webhooks_that_are_sent_to(browser: Browser) -> None:
    assert "Nobody would get it" in words(browser.get("/events/new"))
    once = DeliveryPolicy(retry=RetryPolicy(schedule=Schedule.NONE), disable_after=1)
    browser.sender.register(url=deaf_url(), active=False)
    browser.sender.register(url=deaf_url())
    browser.sender.register(url=deaf_url(), policy=once)
    assert "It goes to 2 webhooks." in words(browser.get("/events/new"))
    browser.sender.trigger()
    assert browser.sender.idle(20)
    assert "It goes to 1 webhook." in words(browser.get("/events/new"))


def test_new_secret_is_shown_once(browser: Browser) -> None:
    answer = browser.send("/webhooks", url=deaf_url(), secret_kind="generate")
    secret = shown_in(browser.get(answer.headers["Location"]).text, "new-secret")
    assert secret not in browser.get(answer.headers["Location"]).text
    assert secret not in answer.headers["Location"]


@pytest.mark.parametrize("name", ["discord", "sendgrid"])
def test_receiver_of_a_pair_is_given_the_public_key(name: str) -> None:
    errors: list[BaseException] = []
    with running(name, errors) as sender:
        browser = Browser(sender, errors)
        made = browser.send("/webhooks", url=deaf_url(), secret_kind="generate")
        page = browser.get(made.headers["Location"]).text
        public, private = shown_in(page, "new-public-key"), shown_in(page, "new-secret")
        folded = " ".join(private.split())  # as a browser pastes it into a field of one line
        browser.done("/webhooks", url=deaf_url(), secret_kind="typed", secret=folded)
        webhook = sender.subscriptions()[1]
        browser.done(f"/webhooks/{webhook.id}/rotate", new_secret=folded, overlap="0")
        sender.trigger(webhook.event)
        assert sender.idle(20)
        sent = [sender.attempts(each.id)[0].request for each in sender.deliveries().items]
    verifier = Verifier(sender.document.webhook(webhook.event).scheme, public)
    assert [verifier.verify(request, time.time()).accepted for request in sent] == [True, True]
    assert "PRIVATE" not in public
    assert errors == []


def shown_in(page: str, id: str) -> str:
    found = re.search(rf'id="{id}"[^>]*>([^<]+)<', page)
    assert found is not None
    return unescape(found[1])


def test_typed_secret_is_not_shown_at_all(browser: Browser) -> None:
    _, text = browser.done("/webhooks", url=deaf_url(), secret_kind="typed", secret=SECRET)
    assert SECRET not in text
    assert browser.sender.subscriptions()[0].signed


def test_unsigned_webhook_says_so(browser: Browser) -> None:
    path, text = browser.done("/webhooks", url=deaf_url(), secret_kind="none")
    assert "None: deliveries are not signed." in text
    bare = path.partition("?")[0]
    _, text = browser.done(f"{bare}/rotate", new_secret="")
    assert "The webhook has a new secret key." in text
    assert browser.sender.subscriptions()[0].signed


def test_oldest_notes_give_way_to_new_ones() -> None:
    notes = Notes()
    names = [notes.put(Note(text=str(number))) for number in range(KEPT + 1)]
    assert notes.take(names[0]) is None
    assert notes.take(names[1]) == Note(text="1")
    assert notes.take(names[1]) is None


# --- forms --------------------------------------------------------------------------------------


def test_errors_stand_beside_their_fields_and_keep_what_was_typed(browser: Browser) -> None:
    answer = browser.send(
        "/webhooks",
        url="ftp://example.org/x",
        secret_kind="typed",
        secret="",
        description="mine",
        schedule="fixed",
        attempts="many",
        first="-1",
        most="9",
        jitter="2",
        success="99",
        timeout="1",
        concurrency="4",
        disable_after="0",
    )
    assert answer.status_code == 422
    html = answer.text
    assert faults_of(html) == []
    for name in ("secret", "attempts", "first", "jitter", "success"):
        assert f'id="{name}-error"' in html, name
        assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', html), name
    for typed in ("ftp://example.org/x", "mine", "many", 'value="fixed" selected'):
        assert typed in html
    assert browser.sender.subscriptions() == ()


@pytest.mark.parametrize("url", ["ftp://x/", "http://u:p@127.0.0.1/", "nonsense", "http://[/", ""])
def test_url_that_cannot_be_used_is_refused_beside_its_field(browser: Browser, url: str) -> None:
    answer = browser.send("/webhooks", url=url)
    assert answer.status_code == 422
    assert 'id="url-error"' in answer.text


def test_refusal_of_the_sender_stands_beside_its_field(browser: Browser) -> None:
    fields = {"schedule": "fixed", "attempts": "2", "first": "1", "most": "9", "jitter": "0"}
    fields |= {"success": "201", "timeout": "600", "concurrency": "1", "disable_after": "0"}
    long = browser.send("/webhooks", url=deaf_url(), description="x" * 501, **fields)
    assert 'id="description-error"' in long.text
    other = browser.send("/webhooks", url="http://example.org/hook", **fields)
    assert re.search(r'id="url-error">.*--allow-receiver', other.text, re.DOTALL)
    odd = browser.send("/webhooks", url=deaf_url(), secret_kind="typed", secret=" x ", **fields)
    assert 'id="secret-error"' in odd.text


def test_webhook_is_changed_from_its_page(browser: Browser) -> None:
    hook = browser.sender.register(url=deaf_url(), secret=SECRET)
    fields = {"attempts": "3", "first": "1.5", "most": "60", "jitter": "0", "timeout": "2"}
    fields |= {"concurrency": "1", "disable_after": "7", "success": "200, 204", "ordered": "yes"}
    fields |= {"duplicate": "yes", "delay": "0.5", "schedule": "fixed", "nonce": "new"}
    browser.done(f"/webhooks/{hook.id}", url=deaf_url(10), description="changed", **fields)
    found = browser.sender.subscription(hook.id)
    assert (found.url, found.description) == (deaf_url(10), "changed")
    assert (found.policy.retry.attempts, found.policy.success) == (3, (200, 204))
    assert (found.policy.ordered, found.policy.disable_after) == (True, 7)
    kinds = [FaultKind.DUPLICATE, FaultKind.DELAY]
    assert [fault.kind for fault in found.faults] == kinds
    shown_again = browser.get(f"/webhooks/{hook.id}").text
    assert re.search(r'id="duplicate"[^>]*checked', shown_again)
    assert re.search(r'id="delay"[^>]*value="0.5"', shown_again)


def test_webhook_is_switched_off_rotated_and_removed(browser: Browser) -> None:
    hook = browser.sender.register(url=deaf_url(), secret=SECRET)
    path = f"/webhooks/{hook.id}"
    _, text = browser.done(f"{path}/active", active="no")
    assert "not active" in text
    browser.done(f"{path}/active", active="yes")
    answer = browser.send(f"{path}/rotate", overlap="soon")
    assert 'id="overlap-error"' in answer.text
    _, text = browser.done(f"{path}/rotate", overlap="60", sign_with="old")
    assert "Two secrets are valid: the old one ends in 59 min. The old secret signs." in text
    _, text = browser.done(f"{path}/remove")
    assert "is removed." in text
    assert browser.get(path).status_code == 404


def test_consuming_more_than_there_is_is_told_beside_the_field(browser: Browser) -> None:
    browser.done("/stock", name="Bolt", article_code="B", location_name="A", count="2")
    part = browser.sender.parts()[0]
    place = part.locations[0].id
    for quantity in ("3", "0", "x", ""):
        answer = browser.send(f"/stock/{part.id}/consume", location=place, quantity=quantity)
        assert answer.status_code == 422
        assert 'id="quantity-error"' in answer.text
        assert faults_of(answer.text) == []
    assert browser.sender.parts()[0].quantity == 2


def test_stock_update_to_zero_sends_and_says_who_was_not_there(browser: Browser) -> None:
    browser.done("/stock", example="yes")
    part = browser.sender.parts()[0]
    _, text = browser.done(f"/stock/{part.id}/set", location=part.locations[0].id, quantity="0")
    assert "3 → 0: sparePartOutOfStock happened, but no active webhook takes it" in text
    _, text = browser.done(f"/stock/{part.id}/remove")
    assert "No spare part yet" in text


def test_payload_problems_are_shown_by_pointer(browser: Browser) -> None:
    own = '{"_event": 5, "stock": {"location": {"name": true}}}'
    fields = {"event": "sparePartOutOfStock", "payload_kind": "own", "payload": own}
    answer = browser.send("/events", **fields)
    assert answer.status_code == 422
    text = words(answer)
    assert "/_event 5 is not of type" in text
    assert "/stock/location/name true is not of type" in text
    assert unescape(answer.text).count(own) == 1
    path, text = browser.done("/events", allow_invalid="yes", **fields)
    assert "breaks the schema" in text
    event = browser.sender.event(path.split("/")[2].partition("?")[0])
    assert event.body == own.encode()


def test_own_payload_is_sent_byte_for_byte(browser: Browser) -> None:
    own = ' {"a":\r\n"ü\t\\u00e9" } '
    fields = {"payload_kind": "own", "payload": own, "allow_invalid": "yes"}
    browser.done("/events", **fields)
    assert browser.sender.events().items[0].body == own.replace("\r\n", "\n").encode()


def test_faults_of_one_event_are_read(browser: Browser) -> None:
    browser.sender.register(url=deaf_url(), secret=SECRET)
    answer = browser.send("/events", delay="never")
    assert 'id="delay-error"' in answer.text
    browser.done("/events", rule="forged-no-header")
    delivery = browser.sender.deliveries().items[0]
    assert delivery.fault == Fault(kind=FaultKind.RULE, rule="forged-no-header")


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil", "x", "/é"])
def test_form_leads_to_no_other_site(browser: Browser, back: str) -> None:
    answer = browser.send("/stock", example="yes", back=back)
    assert answer.headers["Location"].startswith("/stock?note=")


def test_form_without_the_token_changes_nothing(browser: Browser) -> None:
    answer = browser.send("/stock", token="", example="yes")
    assert answer.status_code in {401, 403}
    assert "text/html" in answer.headers["Content-Type"]
    assert browser.sender.parts() == ()


# --- deliveries ---------------------------------------------------------------------------------


def test_deliveries_are_filtered(busy: Browser) -> None:
    hook = busy.sender.subscriptions()[0]
    found = words(busy.get(f"/deliveries?webhook={hook.id}&text=webhook&state=waiting"))
    assert "tried again later" in found
    assert "No delivery fits the filter" in words(busy.get("/deliveries?text=nowhere"))
    assert "Nothing was sent yet" not in words(busy.get("/deliveries?state=delivered"))
    assert busy.get("/deliveries?state=nonsense").status_code == 200


def test_long_lists_lead_to_older_and_back_to_newer(browser: Browser) -> None:
    made = [browser.sender.trigger().id for _ in range(120)]
    seen, path = [], "/events"
    for _ in range(3):
        html = browser.get(path).text
        seen += re.findall(r'id="row-(evt_[^"]+)"', html)
        link = re.search(r'rel="next" href="([^"]+)"', html)
        path = unescape(link[1]) if link else ""
    assert seen == made[::-1]
    assert path == ""
    html = browser.get("/events").text
    second = unescape(re.search(r'rel="next" href="([^"]+)"', html)[1])  # type: ignore[index]
    newer = re.search(r'rel="prev" href="([^"]+)"', browser.get(second).text)
    assert newer is not None
    assert newer[1] == "/events"


def test_delivery_is_sent_again_signed_anew_and_forged(browser: Browser) -> None:
    browser.sender.register(url=deaf_url(), secret=SECRET)
    browser.sender.trigger()
    assert browser.sender.idle(20)
    first = browser.sender.deliveries().items[0]
    path = f"/deliveries/{first.id}"
    for how, verbatim in (("same", True), ("anew", False)):
        where, text = browser.done(f"{path}/resend", how=how)
        made = browser.sender.delivery(where.split("/")[2].partition("?")[0])
        assert (made.resend_of, made.verbatim) == (first.id, verbatim)
        assert ("The same bytes as" if verbatim else "signed anew, as") in text
    where, text = browser.done(f"{path}/forge", rule="forged-no-header")
    assert "Forged on purpose: forged-no-header: A missing signature is refused" in text
    _, text = browser.done(f"{path}/forge", rule="forged-nonsense")
    assert "forged-nonsense" in text


def test_waiting_delivery_is_cancelled(browser: Browser) -> None:
    browser.sender.register(url=deaf_url(), secret=SECRET)
    browser.sender.trigger()
    assert browser.sender.idle(20)
    delivery = browser.sender.deliveries().items[0]
    assert delivery.state is DeliveryState.WAITING
    _, text = browser.done(f"/deliveries/{delivery.id}/cancel")
    assert "It is cancelled" in text
    _, text = browser.done(f"/deliveries/{delivery.id}/cancel")
    assert "Try again now" not in text


def test_long_body_is_cut_with_a_note_and_saved_whole(busy: Browser) -> None:
    event = next(e for e in busy.sender.events().items if len(e.body) == 800_000)
    assert "of 800,000 bytes are shown" in words(busy.get(f"/events/{event.id}"))
    saved = busy.get(f"/events/{event.id}/body")
    assert saved.data == event.body
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert saved.headers["Content-Type"] == "application/octet-stream"
    delivery = busy.sender.deliveries(event=event.id).items[0]
    assert busy.get(f"/deliveries/{delivery.id}/attempts/1/request").data == event.body
    assert busy.get(f"/deliveries/{delivery.id}/attempts/1/response").status_code == 404


def test_copied_commands_hold_the_request_and_no_secret(busy: Browser, tmp_path: Path) -> None:
    event = next(e for e in busy.sender.events().items if e.source is Source.CONSUMPTION)
    hook = busy.sender.subscriptions()[0]
    found = busy.sender.deliveries(event=event.id, subscription=hook.id).items[0]
    html = busy.get(f"/deliveries/{found.id}?attempt=1").text
    copied = [unescape(text) for text in re.findall(r'data-copy="([^"]+)"', html)]
    sends = next(text for text in copied if text.startswith("curl "))
    check = next(text for text in copied if "hookproof check" in text)
    told = tmp_path / "curl"
    told.write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n')
    told.chmod(0o755)
    bin_ = Path(sys.executable).parent
    environ = {"PATH": f"{tmp_path}:{bin_}:/usr/bin:/bin", "HOOKPROOF_SECRET": SECRET}
    said = subprocess.run(
        sends, shell=True, env=environ, capture_output=True, text=True, timeout=60
    )
    attempt = busy.sender.attempts(found.id)[0]
    assert attempt.request.body.decode() in said.stdout
    assert f"X-MW-Signature: {attempt.request.header('X-MW-Signature')}" in said.stdout
    judged = subprocess.run(check, shell=True, env=environ, capture_output=True, timeout=60)
    assert judged.returncode == 0, judged.stdout


def test_timestamp_beyond_the_calendar_is_shown() -> None:
    assert exact(999_999_999_999) == "999,999,999,999 seconds after 1970, beyond the calendar"
    assert exact(0) == "1970-01-01 00:00:00.000 UTC"


# --- documents, plans, files --------------------------------------------------------------------


def test_document_without_stock_shows_none_and_offers_each_webhook() -> None:
    errors: list[BaseException] = []
    with running("stripe", errors) as sender:
        browser = Browser(sender, errors)
        name = next(iter(sender.document.webhooks))
        text = words(browser.get("/"))
        assert "Stock" not in text
        assert "Trigger it" in text
        assert browser.get("/stock").status_code == 404
        browser.done("/webhooks", url=deaf_url(), event=name)
        _, text = browser.done("/events", event=name)
        assert "on its way to 1 webhook" in text
        found = {path: faults_of(browser.get(path).text) for path in every_path(sender)}
        assert {path for path, wrong in found.items() if wrong} <= set()
    assert errors == []


def test_plan_without_webhooks_is_told_everywhere(browser: Browser) -> None:
    _, text = browser.done("/settings/plan", plan="Starter")
    assert "The plan Starter has no webhooks, so nothing is sent." in text
    answer = browser.send("/webhooks", url=deaf_url())
    assert answer.status_code == 403
    assert "Starter" in words(answer)
    assert "so nothing is sent" in words(browser.get("/deliveries"))
    _, text = browser.done("/settings/plan", plan="Premium")
    assert "it has webhooks" in text
    _, text = browser.done("/settings/plan", plan="Gold")
    assert "Gold" in text


def test_unknown_things_are_told_as_a_page(browser: Browser) -> None:
    for path in ("/webhooks/wh_x", "/events/evt_x", "/deliveries/dlv_x", "/nowhere"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "Go to the overview" in words(answer)
        assert faults_of(answer.text) == []


def test_files_of_pages_are_kept_by_their_version(browser: Browser) -> None:
    html = browser.get("/").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', html):
        answer = browser.get(unescape(path))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "immutable" not in browser.get(path.partition("?")[0]).headers["Cache-Control"]
    assert browser.get("/static/nothing.css").status_code == 404


# --- bytes as a page shows them -----------------------------------------------------------------


def html_of(body: bytes, view: str = "") -> Shown:
    return shown(body, view)


@given(st.text(max_size=80))
def test_shown_text_prints_and_says_what_there_is(text: str) -> None:
    shown_as = unescape(re.sub(r"<[^>]*>", "", visible(text)))
    assert all(character.isprintable() or character in "\n\t" for character in shown_as)
    if all(character.isprintable() for character in text):
        assert shown_as == text


@pytest.mark.parametrize(
    "body", [b"", b"@file", b"it's $HOME", "é\u202e".encode(), bytes(range(256)), b"%s\\n\n"]
)
def test_curl_command_carries_any_body_through_the_shell(body: bytes, tmp_path: Path) -> None:
    told = tmp_path / "curl"
    told.write_text(
        '#!/bin/sh\nfor last; do :; done\n[ "$last" = @- ] && exec cat\nprintf %s "$last"\n'
    )
    told.chmod(0o755)
    header = ("X-Odd", "caf\xe9 'x'")
    command = curl(Request("POST", "http://127.0.0.1:1/a?b=c&d", (header, ("Empty", "")), body))
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    ran = subprocess.run(command, shell=True, env=environ, capture_output=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, body, b"")


def test_odd_characters_are_named() -> None:
    html = visible("a\u202eb\x07\n\ud800é")
    assert "\u202e" not in html
    assert 'title="U+202E RIGHT-TO-LEFT OVERRIDE"' in html
    assert "\\x07" in html
    assert html.endswith("é")


def test_body_is_pretty_only_where_it_is_json() -> None:
    assert "json-key" in html_of(b'{"a":1}').html
    assert html_of(b"<a>", "").note == ""
    asked = html_of(b"<a>", "pretty")
    assert (asked.view.value, asked.note) == (
        "raw",
        "Not JSON: Expecting value at line 1, column 1.",
    )
    assert html_of(b"[" * 100_000 + b"]" * 100_000, "pretty").view.value == "raw"
    assert html_of(b"\xff\x00", "hex").html.startswith("000000  ff 00")
