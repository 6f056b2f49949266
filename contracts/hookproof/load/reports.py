"""The reports of a load test: JSON for programs, one page of HTML for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import final

from hookproof.load.histogram import Histogram
from hookproof.load.judging import Row
from hookproof.load.session import Loaded
from hookproof.load.tally import Slice
from hookproof.load.telling import PERCENTILES, exit_line
from hookproof.reports.files import ReportFile
from hookproof.reports.json_report import moment
from hookproof.verdicts import Outcome
from hookproof_spec.errors import HookproofError, did_you_mean, one_of

Json = Mapping[str, object]
SCHEMA = 1
SCHEMA_FILE = "load-1.schema.json"
NAMES = {
    Outcome.REJECTED: "refused",
    Outcome.THROTTLED: "put-off",
    Outcome.CRASHED: "error",
    Outcome.DROPPED: "no-answer",
}


@final
@dataclass(frozen=True, slots=True)
class Output:
    """A report that will be written."""

    file: ReportFile
    render: Callable[[Loaded], bytes]

    def write(self, loaded: Loaded) -> None:
        """Write it.

        Raises:
            HookproofError: the file cannot be written.
        """
        self.file.write(self.render(loaded))


def outputs(wanted: Iterable[str], where: str) -> list[Output]:
    """Return the reports that texts like `json=PATH` ask for; each file is tried out.

    Raises:
        HookproofError: a format is unknown, a path is missing, used twice or not writable.
    """
    found: dict[Path, Output] = {}
    for text in wanted:
        name, _, path = text.partition("=")
        if name not in FORMATS:
            raise HookproofError(
                f"unknown report format {name[:40]!r}",
                where=where,
                hint=did_you_mean(name, FORMATS) or one_of(FORMATS),
            )
        if not path:
            raise HookproofError("a path is missing", where=where, hint=f"write {name}=PATH")
        if Path(path).resolve() in found:
            raise HookproofError(
                f"two reports go to {path}", where=where, hint="give each a file of its own"
            )
        found[Path(path).resolve()] = Output(ReportFile(Path(path)), FORMATS[name])
    return list(found.values())


def as_object(loaded: Loaded) -> Json:
    """Return a load test as JSON; times in seconds, and none where nothing was measured."""
    plan, judged, effects = loaded.plan, loaded.judged, loaded.effects
    return {
        "hookproof": version("hookproof"),
        "schema": SCHEMA,
        "target": dict(loaded.facts)["target"],
        "spec": plan.spec,
        "webhook": plan.webhook.name,
        "users": loaded.users,
        "rate": plan.rate,
        "mix": {kind.value: weight for kind, weight in plan.mix.weights.items()},
        "policy": {"replay": plan.replay.value, "forged": plan.forged.value},
        "started": moment(loaded.started),
        "seconds": round(loaded.seconds, 3),
        "requests": loaded.tally.sent,
        "complete": loaded.complete,
        "exit": loaded.exit,
        "exit_words": exit_line(loaded).partition(": ")[2],
        "effects": None
        if effects is None
        else {**asdict(effects), "lost": judged.lost, "doubled": judged.doubled},
        "kinds": [_row(row) for row in judged.rows],
        "findings": [asdict(finding) for finding in judged.findings],
        "timeline": {
            "seconds": loaded.tally.timeline.width,
            "slices": [_slice(number, one) for number, one in _in_order(loaded)],
        },
    }


def as_json(loaded: Loaded) -> bytes:
    """Write a load test as a file of JSON in ASCII."""
    return json.dumps(as_object(loaded), indent=1, allow_nan=False).encode() + b"\n"


def as_line(loaded: Loaded) -> str:
    """Write a load test as one line of JSON."""
    return json.dumps(as_object(loaded), allow_nan=False)


def as_html(loaded: Loaded) -> bytes:
    """Write a load test as a page."""
    from hookproof.load.page import page

    return page(loaded)


FORMATS: Mapping[str, Callable[[Loaded], bytes]] = {"json": as_json, "html": as_html}


def _row(row: Row) -> Json:
    return {
        "kind": row.kind.value,
        "sent": row.count.sent,
        "accepted": row.accepted,
        "ignored": row.ignored,
        "unknown": row.unknown,
        **{name.replace("-", "_"): row.had(outcome) for outcome, name in NAMES.items()},
        "unfinished": row.count.unfinished,
        "answers": dict(row.count.answers.most_common()),
        "latency": _latency(row.count.latencies),
    }


def _latency(measured: Histogram) -> Json:
    told = {f"p{percent}": measured.percentile(percent) for percent in PERCENTILES}
    told["max"] = measured.longest if measured.count else None
    return {name: None if value is None else round(value, 6) for name, value in told.items()}


def _in_order(loaded: Loaded) -> list[tuple[int, Slice]]:
    return sorted(loaded.tally.timeline.slices.items())


def _slice(number: int, one: Slice) -> Json:
    return {
        "number": number,
        "taken": one.outcomes[Outcome.ACCEPTED],
        **{name.replace("-", "_"): one.outcomes[outcome] for outcome, name in NAMES.items()},
        "latency": _latency(one.latencies),
    }
