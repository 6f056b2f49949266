"""A load test in a terminal: what is tested, how far it has come, and what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hookproof.load.judging import Finding, Row, Weight
from hookproof.load.session import Loaded, Session
from hookproof.reports.console import Console, Style
from hookproof.reports.exchanges import printable
from hookproof.verdicts import Outcome

BAR_WIDTH = 24
PERCENTILES = (50, 95, 99)
COLUMNS = ("kind", "sent", "accepted", "ignored", "refused", "put off", "error", "no answer")
STYLES = {Weight.FAIL: Style.BAD, Weight.UNPROVEN: Style.ODD, Weight.WARN: Style.ODD}


def heading(facts: Iterable[tuple[str, str]], load: str) -> Iterator[str]:
    """Say what is tested; `load` says how."""
    for label, text in facts:
        yield f"{label:<8} {printable(text, 500)}"
        if label == "webhook":
            yield f"{'load':<8} {load}"
    yield ""


def progress(session: Session, elapsed: float, whole: float | None, console: Console) -> str:
    """Return the line that stands while the load goes on; times in seconds, `whole` if limited."""
    tally, wanted = session.tally, session.plan.requests
    ways = [elapsed / whole] if whole is not None else []
    ways += [tally.sent / wanted] if wanted is not None else []
    done = min(BAR_WIDTH, int(max(ways, default=0.0) * BAR_WIDTH))
    full, empty = ("#", "-") if console.plain else ("█", "░")
    late = tally.latencies().percentile(95)
    told = f"p95 {milliseconds(late)}" if late is not None else "no answer yet"
    of = "" if whole is None else f"/{whole:.0f}"
    bar = f"{full * done}{empty * (BAR_WIDTH - done)}  {elapsed:.0f}{of} s"
    return f"{bar}  {session.users} users  {tally.sent:,} requests  {told}"


def ending(loaded: Loaded, console: Console, *, brief: bool) -> Iterator[str]:
    """Say what came back, what is wrong with it, and the exit status in words."""
    if loaded.judged.rows and not brief:
        yield from _table(loaded)
        yield ""
        if effects_words(loaded):
            yield f"effects  {effects_words(loaded)}"
        yield f"load     {spent_words(loaded)}"
    if loaded.judged.findings:
        yield from ("", console.paint("Findings", Style.STRONG))
    for number, finding in enumerate(loaded.judged.findings, 1):
        yield ""
        yield from _finding(number, finding, console)
    if loaded.judged.findings or not brief:
        yield ""
    yield console.paint(exit_line(loaded), _style(loaded))


def exit_line(loaded: Loaded) -> str:
    """Say the exit status in words."""
    words = loaded.judged.words
    if not loaded.complete:
        words = f"{'stopped' if loaded.interrupted else 'ended'} before its time; so far, {words}"
    return f"exit {loaded.exit}: {words}"


def milliseconds(seconds: float | None) -> str:
    """Write a latency as people read it: `0.8 ms`, `12 ms`, `1.25 s`."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def _style(loaded: Loaded) -> Style:
    if not loaded.complete:
        return Style.ODD
    return {0: Style.GOOD, 1: Style.BAD}.get(int(loaded.status), Style.ODD)


def _table(loaded: Loaded) -> Iterator[str]:
    titles = [*COLUMNS, *(f"p{percent}" for percent in PERCENTILES), "max"]
    rows = [titles, *(cells(row) for row in loaded.judged.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    for row in rows:
        first, *rest = zip(row, widths, strict=True)
        line = [f"{first[0]:<{first[1]}}", *(f"{text:>{width}}" for text, width in rest)]
        yield "  ".join(line)


def cells(row: Row) -> list[str]:
    """Return what the columns say of a kind; `?` where nobody can know."""
    counts = (
        row.count.sent,
        row.accepted,
        row.ignored,
        row.had(Outcome.REJECTED),
        row.had(Outcome.THROTTLED),
        row.had(Outcome.CRASHED),
        row.had(Outcome.DROPPED) + row.count.unfinished,
    )
    told = [f"{count:,}" for count in counts]
    if row.unknown:
        told[1] = told[2] = "?"
    late = row.count.latencies
    return [
        row.kind.value,
        *told,
        *(milliseconds(late.percentile(percent)) for percent in PERCENTILES),
        milliseconds(late.longest if late.count else None),
    ]


def effects_words(loaded: Loaded) -> str:
    """Say how effects came out; "" where they are not counted."""
    effects, judged = loaded.effects, loaded.judged
    if effects is None:
        return ""
    doubled = "" if judged.doubled is None else f", {judged.doubled:,} doubled"
    return (
        f"{effects.before:,} before, {effects.after:,} after:"
        f" {effects.had:,}, {judged.lost or 0:,} lost{doubled}"
    )


def spent_words(loaded: Loaded) -> str:
    """Say how much was sent, how fast."""
    sent = loaded.tally.sent
    rate = sent / loaded.seconds if loaded.seconds else 0.0
    return (
        f"{sent:,} requests in {loaded.seconds:.1f} s by at most {loaded.users:,} users:"
        f" {rate:,.0f} a second"
    )


def _finding(number: int, finding: Finding, console: Console) -> Iterator[str]:
    yield console.paint(f"{number}. {finding.id} [{finding.weight.value}]", STYLES[finding.weight])
    for label in ("found", "expected", "remedy"):
        yield f"  {label:<11}  {printable(getattr(finding, label), 500)}"
