"""The report of a load test for people: one page of HTML that works offline, with a plot."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING

from hookproof.load import plot
from hookproof.load.judging import Row, Weight
from hookproof.load.session import Loaded
from hookproof.load.telling import (
    COLUMNS,
    PERCENTILES,
    cells,
    effects_words,
    exit_line,
    milliseconds,
    spent_words,
)
from hookproof.reports.exchanges import printable
from hookproof.verdicts import Outcome

if TYPE_CHECKING:
    from jinja2 import Template

LABELS = {
    Outcome.ACCEPTED: "2xx",
    Outcome.REJECTED: "refused",
    Outcome.THROTTLED: "put off",
    Outcome.CRASHED: "error",
    Outcome.DROPPED: "no answer",
}
TONES = {Weight.FAIL: "fail", Weight.UNPROVEN: "unproven", Weight.WARN: "warn"}


def page(loaded: Loaded) -> bytes:
    """Write a load test as a page."""
    style = _file("hookproof.reports", "page", "report.css") + _file("hookproof.load", "load.css")
    moment = datetime.fromtimestamp(loaded.started, UTC).strftime("%d %B %Y, %H:%M:%S UTC")
    text = _template().render(
        style=style,
        style_hash=_hash(style),
        version=version("hookproof"),
        exit_line=exit_line(loaded),
        tone=_tone(loaded),
        facts=[(label, printable(words, 500)) for label, words in loaded.facts],
        spent=spent_words(loaded),
        effects=effects_words(loaded),
        started=moment,
        titles=[*COLUMNS, *(f"p{percent}" for percent in PERCENTILES), "max"],
        rows=[cells(row) for row in loaded.judged.rows],
        answers=[(row.kind.value, _answers(row)) for row in loaded.judged.rows],
        findings=[(finding, TONES[finding.weight]) for finding in loaded.judged.findings],
        plot=plot.plot(loaded.tally.timeline),
        slice_seconds=loaded.tally.timeline.width,
        size=(plot.WIDTH, plot.HEIGHT, plot.LEFT, plot.RIGHT, plot.TOP, plot.BOTTOM),
        labels=LABELS,
        slice_titles=["at", *LABELS.values(), *(f"p{percent}" for percent in PERCENTILES)],
        slices=_slices(loaded),
    )
    return text.encode("utf-8", "backslashreplace")


def _tone(loaded: Loaded) -> str:
    return "bad" if loaded.status == 1 else "good" if loaded.status == 0 else "odd"


def _answers(row: Row) -> str:
    return ", ".join(f"{answer}: {count:,}" for answer, count in row.count.answers.most_common())


def _slices(loaded: Loaded) -> list[list[str]]:
    """Return the plot as a table, for those who do not see it."""
    timeline = loaded.tally.timeline
    first = min(timeline.slices, default=0)
    return [
        [
            f"{(number - first) * timeline.width} s",
            *(f"{one.outcomes[outcome]:,}" for outcome in LABELS),
            *(milliseconds(one.latencies.percentile(percent)) for percent in PERCENTILES),
        ]
        for number, one in sorted(timeline.slices.items())
    ]


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("hookproof.load", "load.html.j2"))


def _file(package: str, *names: str) -> str:
    return resources.files(package).joinpath(*names).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
