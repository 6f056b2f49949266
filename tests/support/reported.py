"""Miniatures judged over HTTP, with their reports: for tests of what reports say and send again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hookproof.catalogue import select
from hookproof.effects import UrlProbe
from hookproof.events import Event, RuleFinished, RunFinished, RunStarted
from hookproof.miniatures.base import OTHER_SECRET, Miniature
from hookproof.miniatures.serving import EFFECTS, serve
from hookproof.miniatures.trial import policy_of, webhook_of
from hookproof.redact import Redactor
from hookproof.reports.formats import FORMATS, open_reports
from hookproof.reports.model import RunReport
from hookproof.reports.subject import Subject
from hookproof.run import Setup, run
from hookproof.targets.http import HttpTarget
from hookproof.verdicts import ReplayPolicy
from hookproof_spec import load
from support.command_line import CANARY

SUBJECT = Subject.of(load("mobility-work").webhook(), "mobility-work")
HOSTILE = (
    b"</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{7*7}}{% raw %}"
    b"\x00\x1b[31m\xe2\x80\xae\xff\xfe\r\n-->]]></pre></details><style>*{display:none}</style>"
)
"""What an answer may hold that wants to break out of a report."""


def report_of(events: Sequence[Event]) -> RunReport:
    """Return the report of a run that was told by hand."""
    started = next(event for event in events if isinstance(event, RunStarted))
    finished = next(event for event in events if isinstance(event, RunFinished))
    rules = [event for event in events if isinstance(event, RuleFinished)]
    return RunReport.of(started, rules, finished, subject=SUBJECT, saved="report.json")


@dataclass(frozen=True)
class Served:
    """A miniature on a port."""

    url: str

    @property
    def effects(self) -> str:
        """Where it tells its effects."""
        return self.url.rpartition("/")[0] + EFFECTS


@dataclass(frozen=True)
class Reported:
    """A miniature that was judged, and still listens; each report by its format."""

    served: Served
    reports: Mapping[str, Path]

    @property
    def json(self) -> str:
        """The path of the JSON report."""
        return str(self.reports["json"])


@contextmanager
def listening(kind: type[Miniature]) -> Iterator[Served]:
    """Serve a miniature whose secret is the canary."""
    with serve(kind(CANARY)) as server:
        yield Served(server.url)


@contextmanager
def reported(
    kind: type[Miniature], directory: Path, *rules: str, probe: bool = True
) -> Iterator[Reported]:
    """Judge a miniature by some rules and write every kind of report."""
    paths = {name: directory / f"{kind.__name__}.{name}" for name in FORMATS}
    with listening(kind) as served:
        webhook = webhook_of(kind)
        reports = open_reports(
            [f"{name}={path}" for name, path in paths.items()], Subject.of(webhook, "mobility-work")
        )
        for event in _events(kind, served, rules, probe=probe):
            for report in reports:
                report.hear(event)
        yield Reported(served, paths)


def _events(
    kind: type[Miniature], served: Served, rules: tuple[str, ...], *, probe: bool
) -> Iterator[Event]:
    webhook = webhook_of(kind)
    with HttpTarget(served.url, timeout=5) as target:
        setup = Setup(
            webhook=webhook,
            spec="mobility-work",
            secret=CANARY,
            other_secret=OTHER_SECRET,
            target=target,
            probe=UrlProbe(served.effects) if probe else None,
            policy=policy_of(kind, ReplayPolicy.EITHER),
            rules=select(rules).rules,
            effect_timeout=2.0,
        )
        yield from Redactor([CANARY, OTHER_SECRET], webhook.scheme).events(run(setup))
