"""What a person sees of a run: every verdict at once, every finding in full, nothing hostile."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.events import Event, ExitStatus
from hookproof.reports.console import CLEAR_LINE, Colour, Console
from hookproof.reports.exchanges import printable
from hookproof.reports.finding import finding_text
from hookproof.reports.terminal import TOGETHER, Detail, TerminalReport
from hookproof.verdicts import Evidence, Level, Verdict
from support.told import a_result, a_rule, a_run, an_answer


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(
    events: list[Event],
    detail: Detail = Detail.NORMAL,
    *,
    encoding: str = "utf-8",
    colour: Colour = Colour.NEVER,
    kind: type[io.TextIOWrapper] = io.TextIOWrapper,
) -> str:
    """Return what a report writes."""
    raw = io.BytesIO()
    report = TerminalReport(Console.on(kind(raw, encoding=encoding), colour), detail)
    for event in events:
        report.hear(event)
    return raw.getvalue().decode(encoding)


PASSED = (a_rule("forged-no-header"), a_result(Verdict.PASS))
FAILED = (a_rule("replay-race"), a_result(Verdict.FAIL))


def test_header_says_what_is_judged_and_how() -> None:
    head = shown(a_run(PASSED)).partition("\n\n")[0]
    assert head.splitlines() == [
        "target   http://127.0.0.1:8000/webhook",
        "webhook  sparePartOutOfStock of mobility-work",
        "scheme   hmac-sha256 over {timestamp}.{nonce}.{body}",
        "policy   replays: either, forgeries: rejects, tolerance: undeclared",
        "effects  by probe",
        "rules    1, seed 7",
    ]


def test_each_rule_has_one_line_when_it_finishes() -> None:
    lines = shown(a_run(PASSED, FAILED)).splitlines()
    assert "✓ forged-no-header  The title of forged-no-header   21 requests   200 ms" in lines, (
        lines
    )
    failed = next(n for n, line in enumerate(lines) if line.startswith("✗ replay-race"))
    assert lines[failed + 1] == "    fail: 20 identical requests at once had 3 effects"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_told_in_words(verdict: Verdict) -> None:
    text = shown(a_run((a_rule(), a_result(verdict))))
    if verdict is Verdict.SKIPPED:
        assert re.search(r"^- replay-race +20 identical", text, re.MULTILINE)
    elif verdict in TOGETHER:
        assert re.search(r"^[-·] 20 identical.*: replay-race$", text, re.MULTILINE)
    else:
        assert verdict is Verdict.PASS or f"    {verdict.value}: 20 identical" in text


def test_finding_is_told_in_full() -> None:
    evidence = Evidence("an identical copy", an_answer(500, b"boom", (("Server", "x"),)))
    assert finding_text(a_rule(), a_result(Verdict.FAIL, evidence)).splitlines() == [
        "replay-race: The title of replay-race [MUST, fail]",
        "  requirement  The requirement of replay-race.",
        "  source       our judgement",
        "  found        20 identical requests at once had 3 effects",
        "  sent         > an identical copy",
        "               POST http://127.0.0.1:8000/webhook",
        "               Content-Type: application/json",
        "               X-MW-Signature: t=1,nonce=ab,signature=cd",
        "",
        '               {"a":1}',
        "  came back    500 Internal Server Error  (12 ms)",
        "               Server: x",
        "",
        "               boom",
        "  expected     exactly one effect",
        "  effects      4 before, 7 after, 5 expected",
        "  to settle    an effects probe (--effects-url)",
        "  remedy       The remedy of replay-race.",
        "  again        the same command with --only replay-race",
    ]


def test_saved_finding_names_the_command_that_shows_it_again() -> None:
    raw = io.BytesIO()
    console = Console.on(io.TextIOWrapper(raw, encoding="utf-8"), Colour.NEVER)
    report = TerminalReport(console, saved="my reports/report.json")
    for event in a_run(FAILED):
        report.hear(event)
    lines = raw.getvalue().decode().splitlines()
    assert "  again        hookproof replay 'my reports/report.json' replay-race" in lines


def test_equal_requests_are_shown_once_and_their_answers_counted() -> None:
    evidence = [Evidence("a copy", an_answer(status)) for status in (200, 200, 409, None)]
    text = finding_text(a_rule(), a_result(Verdict.FAIL, *evidence))
    assert text.count("> a copy  (4 times)") == 1
    assert "2 x 200 OK, 1 x 409 Conflict, 1 x timeout; the first:" in text


def test_no_answer_is_told_with_its_reason() -> None:
    text = finding_text(a_rule(), a_result(Verdict.FAIL, Evidence("a copy", an_answer(None))))
    assert "came back    no answer, timeout: after 10 s  (10000 ms)" in text


def test_findings_stand_worst_first() -> None:
    text = shown(
        a_run(
            (a_rule("http-info", Level.INFO), a_result(Verdict.INFO)),
            (a_rule("valid-warned", Level.SHOULD), a_result(Verdict.WARN)),
            FAILED,
        )
    )
    places = [text.index(f"{n}. ") for n in (1, 2, 3)]
    assert places == sorted(places)
    assert "1. replay-race" in text
    assert "2. valid-warned" in text
    assert "3. http-info" in text


def test_open_must_rules_say_what_settles_them() -> None:
    events = a_run((a_rule(), a_result(Verdict.UNPROVEN)), exit=ExitStatus.UNPROVEN)
    text = shown(events)
    assert "Not proven" in text
    assert "    to settle: an effects probe (--effects-url)" in text
    assert text.endswith("exit 3: nothing is broken, but not every MUST rule could be proven\n"), (
        text
    )


def test_open_should_rules_are_not_listed_as_open() -> None:
    events = a_run((a_rule(level=Level.SHOULD), a_result(Verdict.UNPROVEN)), exit=ExitStatus.PROVEN)
    assert "Not proven" not in shown(events)


def test_ending_counts_and_says_the_exit_status() -> None:
    lines = shown(a_run(PASSED, FAILED)).splitlines()
    assert lines[-3:] == [
        "note: the receiver's clock differs from ours by +7 s",
        "1 passed, 1 failed  (42 requests, 3.2 s)",
        "exit 1: a rule is broken",
    ]


def test_interrupted_run_is_never_called_proven() -> None:
    text = shown(a_run(PASSED, exit=ExitStatus.PROVEN, complete=False))
    assert text.endswith("exit 130: interrupted before every rule was tried\n")


def test_run_that_could_not_begin_says_why() -> None:
    events = a_run(exit=ExitStatus.NOT_RUN, complete=False, reason="connection refused")
    text = shown(events)
    assert text.endswith("exit 2: the contract could not be run: connection refused\n")


def test_quiet_shows_findings_and_the_last_line_only() -> None:
    assert shown(a_run(PASSED), Detail.QUIET) == "exit 1: a rule is broken\n"
    text = shown(a_run(PASSED, FAILED), Detail.QUIET)
    assert text.startswith("\nFindings\n\n1. replay-race")
    assert "note:" not in text


def test_verbose_shows_the_evidence_of_what_passed() -> None:
    assert "> an identical copy" not in shown(a_run(PASSED))
    assert "> an identical copy" in shown(a_run(PASSED), Detail.VERBOSE)


# --- the stream ---------------------------------------------------------------------------------


def test_ascii_stream_gets_ascii_marks() -> None:
    text = shown(a_run(PASSED, FAILED), encoding="ascii")
    assert "\n+ forged-no-header" in text
    assert "\nx replay-race" in text


def test_words_that_a_stream_cannot_write_are_escaped() -> None:
    evidence = Evidence("a copy with “quotes”", an_answer())
    text = shown(a_run((a_rule(), a_result(Verdict.FAIL, evidence))), encoding="ascii")
    assert "\\u201cquotes\\u201d" in text


def test_no_escape_code_without_a_terminal() -> None:
    assert "\x1b" not in shown(a_run(PASSED, FAILED), colour=Colour.AUTO)


def test_terminal_gets_colours_and_the_current_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text = shown(a_run(PASSED, FAILED), colour=Colour.AUTO, kind=Terminal)
    assert f"{'░' * 24}  1/2  forged-no-header{CLEAR_LINE}\x1b[32m✓\x1b[0m forged-no-header" in text
    assert text.count(CLEAR_LINE) == 2


def test_no_color_is_honoured_unless_colour_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in shown(a_run(PASSED), colour=Colour.AUTO, kind=Terminal)
    assert "\x1b[32m" in shown(a_run(PASSED), colour=Colour.ALWAYS)


def test_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(a_run(PASSED, FAILED), colour=Colour.AUTO, kind=Terminal)


@given(st.binary(max_size=900))
def test_no_answer_can_steer_the_terminal(body: bytes) -> None:
    answer = an_answer(500, body, (("X-Any", body.decode("latin-1")),))
    text = finding_text(a_rule(), a_result(Verdict.FAIL, Evidence("a copy", answer)))
    assert all(character.isprintable() or character == "\n" for character in text)


@given(st.text(max_size=2000) | st.binary(max_size=4000))
def test_printable_is_short_and_on_one_line(data: str | bytes) -> None:
    text = printable(data, limit=100)
    assert text.isprintable()
    assert len(text) <= 100 * len("\\U0010ffff") + 30


def test_reader_that_goes_away_does_not_stop_the_run() -> None:
    class Gone(io.TextIOWrapper):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    console = Console(Gone(io.BytesIO()))
    console.line("nobody hears this")
    console.line("nor this")


def test_one_cause_that_blocks_many_rules_takes_one_line() -> None:
    blocked = [(a_rule(f"rule-{n}"), a_result(Verdict.BLOCKED)) for n in range(84)]
    text = shown(a_run(*blocked))
    assert "- 20 identical requests at once had 3 effects: 84 rules" in text.splitlines()
    assert "rule-7" not in text
