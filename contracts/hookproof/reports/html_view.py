"""What the HTML report shows, as plain values: the template only lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import PurePath
from typing import final

from hookproof.reports.again import Again, again
from hookproof.reports.exchanges import EXCHANGES_SHOWN, printable, status_words
from hookproof.reports.finding import effects_words
from hookproof.reports.model import FINDINGS, RuleReport, RunReport
from hookproof.reports.moments import sent_times
from hookproof.reports.outcome import counts, looks_bad
from hookproof.reports.terminal import policy_words
from hookproof.reports.wire import (
    HexRow,
    Piece,
    Span,
    content_pieces,
    differences,
    hex_rows,
    request_pieces,
    text_spans,
)
from hookproof.rule import Category
from hookproof.targets.base import Exchange
from hookproof.verdicts import Evidence, Verdict

TEXT_SHOWN = 6 * 1024
HEX_SHOWN = 2 * 1024
"""Bytes of a request or an answer that are shown of a finding; of what passed, less."""
BRIEF = 1024
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The names of runs that stand side by side, and how many may."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run at a glance."""

    letter: str
    target: str
    file: str
    webhook: str
    scheme: str
    policy: str
    effects: str
    document: str
    seed: int
    started: str
    took: str
    version: str
    exit: int
    exit_words: str
    tone: str
    counts: tuple[tuple[Verdict, str], ...]
    notes: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """Bytes as text and in hexadecimal; `left_out` counts what is not shown."""

    text: tuple[Span, ...]
    text_left_out: int
    rows: tuple[HexRow, ...]
    rows_left_out: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """A request, once, and what came back, as often as it was sent."""

    note: str
    times: int
    differences: tuple[str, ...]
    sent: MessageView
    content: tuple[Span, ...]
    content_left_out: int
    answers: str
    answer: MessageView | None
    no_answer: str
    cut: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeView:
    """How a rule ended in one run; `verdict` is None where that run did not try it."""

    run: RunView
    anchor: str
    verdict: Verdict | None
    message: str = ""
    expected: str = ""
    settle: str = ""
    effects: str = ""
    took: str = ""
    exchanges: tuple[ExchangeView, ...] = ()
    more: int = 0
    script: str = ""
    again: Again | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule and how it ended in every run."""

    id: str
    level: str
    title: str
    requirement: str
    source: str
    sends: str
    remedy: str
    outcomes: tuple[OutcomeView, ...]
    open: bool

    @property
    def verdicts(self) -> str:
        """The verdicts as words for the filter."""
        return " ".join(sorted({o.verdict.value for o in self.outcomes if o.verdict is not None}))

    @property
    def text(self) -> str:
        """Everything that the filter's text is looked for in."""
        said = (outcome.message for outcome in self.outcomes)
        return " ".join((self.id, self.title, self.requirement, *said)).lower()


@final
@dataclass(frozen=True, slots=True)
class CategoryView:
    """The rules of a category."""

    name: str
    rules: tuple[RuleView, ...]


def run_views(runs: Sequence[RunReport]) -> tuple[RunView, ...]:
    """Return each run at a glance; several have letters."""
    if len(runs) == 1:
        return (_run(runs[0], ""),)
    return tuple(_run(run, LETTERS[at]) for at, run in enumerate(runs))


def categories(runs: Sequence[RunReport], views: Sequence[RunView]) -> tuple[CategoryView, ...]:
    """Return the rules of all runs by category, in the order in which categories run."""
    rules: dict[str, RuleReport] = {}
    for run in runs:
        for rule in run.rules:
            rules.setdefault(rule.id, rule)
    known = [category.value for category in Category]
    names = sorted(
        {rule.category for rule in rules.values()},
        key=lambda name: (known.index(name) if name in known else len(known), name),
    )
    return tuple(
        CategoryView(
            name,
            tuple(_rule(r, runs, views) for r in rules.values() if r.category == name),
        )
        for name in names
    )


def findings(parts: Sequence[CategoryView]) -> tuple[tuple[RuleView, OutcomeView], ...]:
    """Return the findings of all runs, worst first."""
    found = [
        (rule, outcome)
        for part in parts
        for rule in part.rules
        for outcome in rule.outcomes
        if outcome.verdict in FINDINGS
    ]
    return tuple(pair for verdict in FINDINGS for pair in found if pair[1].verdict is verdict)


def _run(run: RunReport, letter: str) -> RunView:
    place = run.subject.place
    line = f", line {place.line}" if place is not None and place.line else ""
    moment = datetime.fromtimestamp(run.started, UTC)
    return RunView(
        letter=letter,
        target=printable(run.target),
        file=PurePath(run.saved).name,
        webhook=f"{run.webhook} of {run.spec}",
        scheme=run.scheme,
        policy=policy_words(run.policy),
        effects=printable(run.effects),
        document="" if place is None else f"{place.file}{line}",
        seed=run.seed,
        started=moment.strftime("%d %B %Y, %H:%M:%S UTC"),
        took=f"{run.requests} requests in {run.seconds:.1f} s",
        version=run.version,
        exit=run.exit,
        exit_words=printable(run.exit_words),
        tone="bad" if looks_bad(run.exit) else "good" if run.exit == 0 else "odd",
        counts=tuple(counts(run.summary)),
        notes=tuple(map(printable, run.notes)),
    )


def _rule(rule: RuleReport, runs: Sequence[RunReport], views: Sequence[RunView]) -> RuleView:
    outcomes = tuple(_outcome(rule.id, run, view) for run, view in zip(runs, views, strict=True))
    return RuleView(
        id=rule.id,
        level=rule.level.value,
        title=rule.title,
        requirement=rule.requirement,
        source=rule.source,
        sends=rule.sends,
        remedy=rule.remedy,
        outcomes=outcomes,
        open=any(outcome.verdict is Verdict.FAIL for outcome in outcomes),
    )


def _outcome(id: str, run: RunReport, view: RunView) -> OutcomeView:
    anchor = f"{id}-{view.letter.lower()}" if view.letter else id
    rule = next((tried for tried in run.rules if tried.id == id), None)
    if rule is None:
        return OutcomeView(run=view, anchor=anchor, verdict=None)
    exchanges = _exchanges(run, rule)
    shown = exchanges[:EXCHANGES_SHOWN] if rule.found else exchanges[:1]
    return OutcomeView(
        run=view,
        anchor=anchor,
        verdict=rule.verdict,
        message=printable(rule.message),
        expected=printable(rule.expected),
        settle=printable(rule.settle),
        effects=effects_words(rule.effects),
        took=_took(rule),
        exchanges=tuple(shown),
        more=len(exchanges) - len(shown),
        script=rule.script,
        again=again(run, rule),
    )


def _took(rule: RuleReport) -> str:
    if not rule.requests:
        return ""
    requests = "1 request" if rule.requests == 1 else f"{rule.requests} requests"
    took = f"{rule.seconds * 1000:.0f} ms" if rule.seconds < 1 else f"{rule.seconds:.1f} s"
    return f"{requests}, {took}"


def _exchanges(run: RunReport, rule: RuleReport) -> list[ExchangeView]:
    """Return the exchanges; equal requests that follow each other are one."""
    timed = zip(rule.evidence, sent_times(run, rule), strict=True)
    groups = groupby(timed, key=lambda pair: (pair[0].note, pair[0].exchange.request))
    return [_exchange(run, rule, list(group)) for _, group in groups]


def _exchange(
    run: RunReport, rule: RuleReport, group: Sequence[tuple[Evidence, float]]
) -> ExchangeView:
    item, sent = group[0]
    request, scheme = item.exchange.request, run.subject.scheme
    limit = TEXT_SHOWN if rule.found else BRIEF
    content = content_pieces(request, scheme) if scheme is not None else ()
    content_text, content_left_out = text_spans(content, BRIEF)
    exchange = item.exchange
    return ExchangeView(
        note=printable(item.note),
        times=len(group),
        differences=differences(request, scheme, sent),
        sent=_message(request_pieces(request, scheme, sent), limit),
        content=content_text,
        content_left_out=content_left_out,
        answers=_answers([one.exchange for one, _ in group]),
        answer=_message(_answer_pieces(exchange), limit) if exchange.status is not None else None,
        no_answer=_no_answer(exchange),
        cut=exchange.cut,
    )


def _message(pieces: Sequence[Piece], limit: int) -> MessageView:
    text, text_left_out = text_spans(pieces, limit)
    rows, rows_left_out = hex_rows(pieces, min(limit, HEX_SHOWN))
    return MessageView(
        text=text, text_left_out=text_left_out, rows=rows, rows_left_out=rows_left_out
    )


def _answer_pieces(exchange: Exchange) -> tuple[Piece, ...]:
    status = "" if exchange.status is None else status_words(exchange.status)
    head = "".join(f"{name}: {value}\r\n" for name, value in exchange.headers)
    written = f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1", "backslashreplace")
    return (Piece(written), Piece(exchange.body))


def _answers(exchanges: Sequence[Exchange]) -> str:
    kinds = [_kind(exchange) for exchange in exchanges]
    counted = [(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]
    if len(kinds) == 1:
        return kinds[0]
    return ", ".join(f"{number} × {kind}" for kind, number in counted)  # noqa: RUF001


def _kind(exchange: Exchange) -> str:
    if exchange.status is not None:
        return status_words(exchange.status)
    return f"no answer ({exchange.failure.value})" if exchange.failure else "no answer"


def _no_answer(exchange: Exchange) -> str:
    if exchange.status is not None:
        return ""
    detail = f": {printable(exchange.detail)}" if exchange.detail else ""
    return f"{_kind(exchange)}{detail}"
