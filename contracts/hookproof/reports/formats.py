"""The report formats that `--report FORMAT=PATH` can name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

from hookproof.events import Event, RuleFinished, RunFinished, RunStarted
from hookproof.reports import Report
from hookproof.reports.console import Console
from hookproof.reports.files import ReportFile
from hookproof.reports.model import RunReport
from hookproof.reports.subject import UNKNOWN, Subject
from hookproof_spec.errors import HookproofError, did_you_mean, one_of

Render = Callable[[RunReport], bytes]

FORMATS: Mapping[str, str] = {
    "json": "json_report",
    "junit": "junit",
    "html": "html",
    "sarif": "sarif",
    "markdown": "markdown",
    "github": "github",
}
"""From a format's name to the module whose `rendered(run)` writes it."""
ON_STREAM = "github"
"""The format that may go to standard output (`-`), for that is where GitHub reads it."""


class Output(Protocol):
    """Where a report goes, in one go."""

    def write(self, data: bytes) -> None:
        """Take the whole report.

        Raises:
            HookproofError: it cannot be written.
        """


@final
class StandardOutput:
    """Writes a report between other lines of standard output."""

    def write(self, data: bytes) -> None:
        """Print the report."""
        console = Console.on(sys.stdout)
        for line in data.decode().splitlines():
            console.line(line)


@final
@dataclass(slots=True)
class WrittenReport:
    """Collects a run, and renders and writes it when it has ended, also after Ctrl-C."""

    output: Output
    render: Render
    subject: Subject = UNKNOWN
    saved: str = ""
    """The path of the run's JSON report."""
    _started: RunStarted | None = field(default=None, init=False)
    _rules: list[RuleFinished] = field(default_factory=list, init=False)

    def hear(self, event: Event) -> None:
        """Take an event; see `Report.hear`."""
        match event:
            case RunStarted():
                self._started = event
            case RuleFinished():
                self._rules.append(event)
            case RunFinished() if self._started is not None:
                run = RunReport.of(
                    self._started, self._rules, event, subject=self.subject, saved=self.saved
                )
                self.output.write(self.render(run))


def open_reports(
    wanted: Iterable[str], subject: Subject = UNKNOWN, *, stream: Output | None = None
) -> list[Report]:
    """Return the reports that texts like `json=PATH` ask for.

    Args:
        wanted: the texts.
        subject: what is judged; it says more than a run's events do.
        stream: where a report goes whose path is `-`; else to standard output.

    Raises:
        HookproofError: a format is unknown, a path is missing, used twice or not writable.
    """
    texts = tuple(wanted)
    asked = _asked(texts)
    saved = saved_by(texts)
    return [
        WrittenReport(one.output(stream), renderer(one.format), subject, saved) for one in asked
    ]


def outputs(wanted: Iterable[str]) -> list[Output]:
    """Return where texts like `json=PATH` want reports to go; raises as `open_reports` does."""
    return [one.output() for one in _asked(wanted)]


def _asked(wanted: Iterable[str]) -> list[_Asked]:
    asked = [_Asked.parse(text) for text in wanted]
    _no_path_twice(asked)
    return asked


def saved_by(wanted: Iterable[str]) -> str:
    """Return the path of the JSON report among those that are asked for; "" without one."""
    paths = (text.removeprefix("json=") for text in wanted if text.startswith("json="))
    return next(paths, "")


def renderer(name: str) -> Render:
    """Return what writes a run in a format."""
    render: Render = importlib.import_module(f"hookproof.reports.{FORMATS[name]}").rendered
    return render


@final
@dataclass(frozen=True, slots=True)
class _Asked:
    """A report that is asked for, and the text that asks."""

    text: str
    format: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> _Asked:
        name, equals, path = text.partition("=")
        if name not in FORMATS:
            raise HookproofError(
                f"unknown report format {name!r}",
                where=f"--report {text}",
                hint=did_you_mean(name, FORMATS) or one_of(FORMATS),
            )
        if not equals or not path or (path == "-" and name != ON_STREAM):
            raise HookproofError(
                "a path is missing", where=f"--report {text}", hint=f"write {name}=PATH"
            )
        return cls(text, name, Path(path))

    def output(self, stream: Output | None = None) -> Output:
        if str(self.path) == "-":
            return stream or StandardOutput()
        return ReportFile(self.path)


def _no_path_twice(asked: Iterable[_Asked]) -> None:
    taken: set[Path] = set()
    for one in asked:
        if one.path.resolve() in taken:
            raise HookproofError(
                "two reports with one path",
                where=f"--report {one.text}",
                hint="give each a file of its own",
            )
        taken.add(one.path.resolve())
