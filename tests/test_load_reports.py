"""What a load test tells: a table, JSON under the shipped schema, a page with a plot."""

from __future__ import annotations

import io
import json
import math
import re
from importlib import resources
from pathlib import Path
from typing import Any

import html5lib
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.load import plot, reports
from hookproof.load.alone import Quiet
from hookproof.load.judging import Effects, Facts, Finding, Weight, judge
from hookproof.load.making import Maker
from hookproof.load.mix import Kind
from hookproof.load.plan import PREFIX, Plan
from hookproof.load.session import Loaded, Session
from hookproof.load.tally import Tally, Timeline
from hookproof.load.telling import ending, heading, milliseconds, progress
from hookproof.redact import Redactor
from hookproof.reports.console import Console
from hookproof.verdicts import Outcome
from hookproof_spec.errors import HookproofError
from support.command_line import CANARY, all_forms

URL = "http://127.0.0.1:8000/webhook"
SCHEMA = json.loads(
    (resources.files("hookproof") / "schemas" / reports.SCHEMA_FILE).read_text("utf-8")
)
PLAN = Plan.read({f"{PREFIX}URL": URL})
STARTED = 1.7e9


def a_tally(*, forged: str = "401", seconds: int = 5) -> Tally:
    tally = Tally()
    for second in range(seconds):
        for number in range(20):
            tally.add(Kind.VALID, "200", 0.002 + number / 10_000, STARTED + second)
        tally.add(Kind.FORGED, forged, 0.001, STARTED + second)
    return tally


def a_load(
    tally: Tally, *, effects: Effects | None = None, complete: bool = True, found: str = ""
) -> Loaded:
    before = (
        (Finding(id="gone-afterwards", weight=Weight.FAIL, found=found, expected="", remedy=""),)
        if found
        else ()
    )
    return Loaded(
        plan=PLAN,
        facts=(("target", URL), ("webhook", "sparePartOutOfStock of mobility-work")),
        judged=judge(Facts(tally=tally, effects=effects, before=before)),
        tally=tally,
        effects=effects,
        users=10,
        started=STARTED,
        complete=complete,
        interrupted=not complete,
    )


def told(loaded: Loaded, *, brief: bool = False) -> str:
    return "\n".join(ending(loaded, Console(io.StringIO()), brief=brief))


def checked(data: bytes) -> Any:  # noqa: ANN401 (JSON)
    report = json.loads(data)
    validator = jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    validator.validate(report)
    return report


GOOD = a_load(a_tally(), effects=Effects(4, 104))
BAD = a_load(a_tally(forged="200"), effects=Effects(4, 109))
EMPTY = a_load(Tally(), complete=False)


def test_table_says_what_came_back_and_the_last_line_what_it_means() -> None:
    lines = told(GOOD).splitlines()
    assert re.split(r"\s{2,}", lines[0])[:5] == ["kind", "sent", "accepted", "ignored", "refused"]
    assert lines[1].split()[:5] == ["valid", "100", "100", "0", "0"]
    assert lines[2].split()[:5] == ["forged", "5", "0", "0", "5"]
    assert "effects  4 before, 104 after: 100, 0 lost, 0 doubled" in lines
    assert lines[-1] == "exit 0: every verdict under load is right"


def test_finding_says_found_expected_and_remedy() -> None:
    text = told(BAD, brief=True)
    assert "1. forged-accepted [fail]" in text
    assert "found        5 of 5 forged requests were accepted: 200" in text
    assert "expected     no effect of a forged request" in text
    assert text.endswith("exit 1: the receiver is not right under load")


def test_what_nobody_can_know_is_a_question_mark() -> None:
    tally = a_tally()
    tally.add(Kind.REPLAYED, "200", 0.001, STARTED)
    (line,) = [line for line in told(a_load(tally)).splitlines() if line.startswith("replayed ")]
    assert line.split()[1:4] == ["1", "?", "?"]


def test_stopped_load_says_so_and_what_is_known() -> None:
    assert told(EMPTY).endswith(
        "exit 130: stopped before its time; so far, no genuine event was accepted, so nothing can"
        " be judged"
    )


def test_receivers_words_cannot_steer_the_terminal() -> None:
    text = told(a_load(a_tally(), found="302 to \x1b[2J\r\nexit 0: fine"))
    assert "\x1b" not in text
    assert "\nexit 0: fine" not in text


def test_heading_and_progress_are_one_line_each() -> None:
    lines = list(heading(GOOD.facts, "10 users"))
    assert lines == [
        f"target   {URL}",
        "webhook  sparePartOutOfStock of mobility-work",
        "load     10 users",
        "",
    ]
    redactor = Redactor([])
    quiet = Quiet.of(PLAN, Maker(PLAN.webhook, "x" * 20, url=URL, clock=lambda: STARTED))
    session = Session(PLAN, quiet, redactor)
    console = Console(io.StringIO())
    assert progress(session, 0.0, 10.0, console).endswith("0 requests  no answer yet")
    session.take(a_tally(), 7)
    text = progress(session, 5.0, 10.0, console)
    assert text.startswith("█" * 12 + "░" * 12 + "  5/10 s  7 users  105 requests  p95 ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.00042, "0.4 ms"), (0.0094, "9.4 ms"), (0.25, "250 ms"), (1.234, "1.23 s")],
)
def test_latency_is_written_as_people_read_it(seconds: float | None, text: str) -> None:
    assert milliseconds(seconds) == text


@pytest.mark.parametrize("loaded", [GOOD, BAD, EMPTY], ids=["good", "bad", "empty"])
def test_json_is_valid_under_the_shipped_schema(loaded: Loaded) -> None:
    report = checked(reports.as_json(loaded))
    assert report["requests"] == loaded.tally.sent
    assert json.loads(reports.as_line(loaded)) == report
    assert report["exit"] == loaded.exit


def test_json_tells_effects_kinds_and_time() -> None:
    report = checked(reports.as_json(BAD))
    assert report["effects"] == {"before": 4, "after": 109, "lost": 0, "doubled": 0}
    assert report["kinds"][1]["answers"] == {"200": 5}
    assert [one["taken"] for one in report["timeline"]["slices"]] == [21] * 5
    assert report["findings"][0]["id"] == "forged-accepted"


@pytest.mark.parametrize("loaded", [GOOD, BAD, EMPTY], ids=["good", "bad", "empty"])
def test_page_is_html_that_needs_nothing_else(loaded: Loaded) -> None:
    page = reports.as_html(loaded).decode()
    html5lib.HTMLParser(strict=True).parse(page)
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)\w""", page)
    assert "<script" not in page
    assert " style=" not in page


def test_page_shows_the_plot_and_the_findings() -> None:
    page = reports.as_html(BAD).decode()
    assert page.count("<rect ") == 5
    assert page.count("<polyline ") == 3
    assert "5 of 5 forged requests were accepted: 200" in page


def test_page_takes_no_markup_from_a_receiver() -> None:
    page = reports.as_html(a_load(a_tally(), found="302 to <img src=x>")).decode()
    assert "<img" not in page


def test_secret_that_a_receiver_echoes_is_masked() -> None:
    maker = Maker(PLAN.webhook, CANARY, url=URL, clock=lambda: STARTED)
    session = Session(PLAN, Quiet.of(PLAN, maker), Redactor([CANARY], PLAN.scheme))
    session.take(a_tally(), 1)
    session.find(
        Finding(
            id="gone-afterwards",
            weight=Weight.FAIL,
            found=f"302 to /?{CANARY}",
            expected="",
            remedy="",
        )
    )
    loaded = session.finished(complete=True)
    written = reports.as_html(loaded) + reports.as_json(loaded) + told(loaded).encode()
    assert not any(form in written for form in all_forms(CANARY))
    assert b"302 to /?" in written


def test_nothing_counted_is_no_plot() -> None:
    assert plot.plot(Timeline()) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.sampled_from(["200", "401", "500", "closed"])),
        min_size=1,
        max_size=80,
    )
)
def test_everything_is_drawn_inside_and_to_scale(answers: list[tuple[int, str]]) -> None:
    tally = Tally()
    for second, answer in answers:
        tally.add(Kind.VALID, answer, 0.01, STARTED + second)
    drawn = plot.plot(tally.timeline)
    assert drawn is not None
    for bar in drawn.bars:
        assert plot.LEFT <= bar.x <= plot.WIDTH - plot.RIGHT
        assert bar.y >= plot.TOP
        assert bar.y + bar.height <= plot.HEIGHT - plot.BOTTOM + 0.02
    heights = dict.fromkeys(plot.STACKED, 0.0)
    for bar in drawn.bars:
        heights[bar.outcome] += bar.height
    counts = dict.fromkeys(plot.STACKED, 0)
    for one in tally.timeline.slices.values():
        for outcome, number in one.outcomes.items():
            counts[outcome] += number
    scale = sum(heights.values()) / sum(counts.values())
    for outcome in plot.STACKED:
        assert math.isclose(heights[outcome], counts[outcome] * scale, rel_tol=0.02, abs_tol=0.5)
    assert bool(counts[Outcome.ACCEPTED]) == bool(heights[Outcome.ACCEPTED])


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (["jason=x"], "--report: unknown report format 'jason'; did you mean json?"),
        (["junit=x"], "--report: unknown report format 'junit'"),
        (["json"], "--report: a path is missing; write json=PATH"),
        (["json=x", "html=x"], "--report: two reports go to x"),
        (["json=/nowhere/x"], "/nowhere/x: the report cannot be written"),
    ],
)
def test_report_that_cannot_be_is_told_first(
    wanted: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HookproofError) as caught:
        reports.outputs(wanted, "--report")
    assert str(caught.value).startswith(problem)
    assert list(tmp_path.iterdir()) == []
