"""The page is valid by a parser of others, whole in one file, safe from what receivers say."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.events import ExitStatus
from hookproof.reports.html import page
from hookproof.reports.model import RunReport
from hookproof.verdicts import Evidence, Level, Verdict
from hookproof_spec import load
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer
from support.command_line import command_here, one_line_error
from support.reported import HOSTILE, report_of
from support.told import a_result, a_rule, a_run, an_answer

if TYPE_CHECKING:
    from playwright.sync_api import Page

FAILED = (a_rule("replay-race"), a_result(Verdict.FAIL))


def one_of_each() -> RunReport:
    """Return a run in which every verdict occurs, with a body of megabytes and a hostile one."""
    answer = an_answer(500, HOSTILE, (("X-Any", HOSTILE.decode("latin-1")),))
    huge = an_answer(200, b"x" * 3_000_000)
    results = [
        (a_rule(f"forged-{verdict.value}"), a_result(verdict, Evidence("a copy", answer)))
        for verdict in Verdict
    ]
    results.append((a_rule("replay-huge"), a_result(Verdict.FAIL, Evidence("huge", huge))))
    return report_of(a_run(*results))


def text_of(run: RunReport) -> str:
    return page([run]).decode()


# --- the file ------------------------------------------------------------------------------------


def test_parser_of_somebody_else_finds_no_error() -> None:
    parser = html5lib.HTMLParser(strict=True)
    for run in (one_of_each(), report_of(a_run()), report_of(a_run(FAILED))):
        parser.parse(page([run, run]))
        parser.parse(page([run]))


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60))
def test_no_answer_changes_the_structure_of_the_page(body: bytes, note: str) -> None:
    plain = Evidence("a copy", an_answer(500, b"ok", (("X-Any", "ok"),)))
    hostile = Evidence(note, an_answer(500, body, (("X-Any", body.decode("latin-1")),)))
    pages = [
        text_of(report_of(a_run((a_rule(), a_result(Verdict.FAIL, evidence)))))
        for evidence in (plain, hostile)
    ]
    # Rows of hexadecimal differ in number, and nothing else does.
    tags = [
        [tag for tag in re.findall(r"</?[a-zA-Z!][^>]*>", text) if "span" not in tag]
        for text in pages
    ]
    assert tags[0] == tags[1]


def test_page_reaches_for_nothing_outside() -> None:
    text = text_of(one_of_each())
    assert re.findall(r'(?:src|href|action|data)="(?!#)', text) == []
    assert (
        re.findall(r"url\(|@import|<link|<iframe|<img|<object", text.partition("<body>")[0]) == []
    )
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1]


def test_steering_characters_are_shown_and_not_obeyed() -> None:
    text = text_of(one_of_each())
    shown = text.partition("<body>")[2]
    assert "\\u202e" in shown
    assert "\\x00\\x1b[31m" in shown
    assert all(c.isprintable() or c == "\n" for c in shown.partition("<script>")[0])


def test_body_of_megabytes_is_cut_with_a_note() -> None:
    text = text_of(one_of_each())
    assert "more bytes are not shown here" in text
    assert len(text) < 1_500_000


def test_signed_content_is_marked() -> None:
    plain = Request("POST", "http://127.0.0.1:8000/webhook", (), b'{"a":1}')
    scheme = load("mobility-work").webhook().scheme
    sent = Signer(scheme, "s").sign(plain, timestamp=1_700_000_000.0, nonce="ab" * 20)
    item = Evidence("a copy", an_answer()._replace(request=sent.request))
    text = text_of(report_of(a_run((a_rule(), a_result(Verdict.FAIL, item)))))
    for value in ("1700000000", "ab" * 20, "{&#34;a&#34;:1}"):
        assert f'<mark class="signed">{value}</mark>' in text
    assert f'<mark class="signature">{sent.signatures[0]}</mark>' in text
    signed = '<mark class="signed">1700000000</mark>.<mark class="signed">' + "ab" * 20
    assert f"{signed}</mark>.<mark" in text
    assert "7b 22 61 22 3a 31 7d" in text


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ((), "X-MW-Signature is absent or empty"),
        ((("X-MW-Signature", ""),), "X-MW-Signature is absent or empty"),
        (
            (("X-MW-Signature", f"t=1,nonce={'ab' * 20},signature={'0' * 64}"),),
            "the timestamp is 54 years old",
        ),
        (
            (("X-MW-Signature", f"t=1700000000,nonce=x,signature={'0' * 64}"),),
            "the nonce has not the declared shape",
        ),
        (
            (("X-MW-Signature", f"t=1700000000,nonce={'ab' * 20},signature=zz"),),
            "no signature of hmac-sha256 in hex",
        ),
    ],
)
def test_difference_from_a_genuine_request_is_told(
    header: tuple[tuple[str, str], ...], told: str
) -> None:
    sent = Request("POST", "http://127.0.0.1:8000/webhook", header, b"{}")
    item = Evidence("a forgery", an_answer()._replace(request=sent))
    assert told in text_of(report_of(a_run((a_rule(), a_result(Verdict.FAIL, item)))))


def test_several_runs_stand_side_by_side(tmp_path: Path) -> None:
    other = (a_rule("valid-basic"), a_result(Verdict.PASS))
    first = report_of(a_run(FAILED))
    second = report_of(a_run(FAILED, other, exit=ExitStatus.PROVEN))
    text = page([first, second]).decode()
    assert "<h1>2 runs side by side</h1>" in text
    assert 'href="#replay-race-a"' in text
    assert 'href="#replay-race-b"' in text
    assert 'title="valid-basic: not tried"' in text
    assert 'title="valid-basic: pass"' in text


def test_run_that_could_not_begin_is_a_page_too() -> None:
    text = text_of(
        report_of(a_run(exit=ExitStatus.NOT_RUN, complete=False, reason="connection refused"))
    )
    assert "<h1>the contract could not be run: connection refused</h1>" in text
    assert "No rule was tried." in text


def test_more_runs_than_letters_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    from hookproof.reports.json_report import rendered

    path.write_bytes(rendered(report_of(a_run(FAILED))))
    files = [str(path)] * 27
    error = one_line_error(command_here("report", *files, "--html", str(tmp_path / "r.html")))
    assert error == "27 runs do not fit side by side; give at most 26"
    assert not (tmp_path / "r.html").exists()


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    """Open a page in Debian's Chromium; what it asks for and complains of is kept."""
    chromium = shutil.which("chromium")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright or chromium is not installed")
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield browser.new_page()
        browser.close()


@pytest.fixture
def opened(browser_page: Page, tmp_path: Path) -> Iterator[Page]:
    """Open a report with everything in it."""
    path = tmp_path / "report.html"
    path.write_bytes(page([one_of_each()]))
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)

    browser_page.on("console", lambda message: hear(message.text))
    browser_page.on("pageerror", lambda error: hear(str(error)))
    browser_page.on("request", lambda request: hear(request.url))
    browser_page.on("dialog", lambda dialog: dialog.dismiss())
    browser_page.goto(path.as_uri())
    yield browser_page
    assert set(heard) <= {path.as_uri()}, heard


def shown_rules(opened: Page) -> list[str]:
    return opened.locator(".rule:visible .id").all_inner_texts()


def test_filters_show_what_is_asked_for(opened: Page) -> None:
    everything = shown_rules(opened)
    assert len(everything) == len(Verdict) + 1
    opened.get_by_label("fail 2").check()
    assert shown_rules(opened) == ["forged-fail", "replay-huge"]
    opened.get_by_role("combobox", name="Category").select_option("replay")
    assert shown_rules(opened) == ["replay-huge"]
    opened.get_by_role("button", name="Clear").click()
    opened.locator(f"#shown:text-is('{len(everything)} of {len(everything)} rules')").wait_for()
    opened.get_by_label("Find", exact=True).fill("forged warn")
    assert shown_rules(opened) == ["forged-warn"]
    assert opened.locator("#shown").inner_text() == f"1 of {len(everything)} rules"
    opened.get_by_label("Find", exact=True).fill("nothing at all")
    assert opened.locator("#nothing").is_visible()
    opened.get_by_label("Find", exact=True).fill("")
    opened.get_by_role("combobox", name="Level").select_option(Level.SHOULD.value)
    assert shown_rules(opened) == []


def test_link_opens_the_rule_that_it_names(opened: Page) -> None:
    opened.get_by_role("button", name="Close all").click()
    opened.locator('.findings a[href="#replay-huge"]').click()
    assert opened.locator("#replay-huge").is_visible()


def test_dark_and_light_change_by_a_button(opened: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    before = opened.evaluate(ground)
    opened.get_by_role("button", name="Use dark colours").click()
    assert opened.evaluate(ground) != before
    opened.get_by_role("button", name="Use light colours").click()
    assert opened.evaluate(ground) == before


def test_keyboard_reaches_and_opens_a_rule(opened: Page) -> None:
    opened.get_by_role("button", name="Close all").click()
    opened.locator(".rule > summary").first.focus()
    opened.keyboard.press("Enter")
    assert opened.locator(".rule .body").first.is_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_page_never_scrolls_sideways(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 900})
    opened.get_by_role("button", name="Open all").click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(opened: Page, dark: bool) -> None:
    """Every text has a contrast of 4.5 to 1 (WCAG 2.2, AA), large or small."""
    if dark:
        opened.get_by_role("button", name="Use dark colours").click()
    opened.get_by_role("button", name="Open all").click()
    weak = opened.evaluate(CONTRAST)
    if dark:
        opened.get_by_role("button", name="Use light colours").click()
    assert weak == []


def test_page_is_read_without_scripts(tmp_path: Path, browser_page: Page) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(page([one_of_each()]))
    browser = browser_page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(path.as_uri())
    assert still.locator(".rule > summary").count() == len(Verdict) + 1
    still.locator("summary", has_text="forged-pass").click()
    assert still.get_by_text("The requirement of forged-pass.").is_visible()
    assert not still.locator("#filters").is_visible()
    context.close()


CONTRAST = """() => {
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const rgba = (text) => text.match(/[0-9.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const weak = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [one, two] = [rgba(getComputedStyle(element).color).slice(0, 3), ground(element)]
      .map(light).sort((a, b) => b - a);
    const contrast = (one + 0.05) / (two + 0.05);
    if (contrast < 4.5) {
      weak.add(`${element.tagName}.${element.className} ${contrast.toFixed(2)}`);
    }
  }
  return [...weak];
}"""
