"""The report for programs: one JSON object, described by `schemas/report-1.schema.json`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import final

from hookproof.events import Event, RuleFinished, RuleResult, RunFinished, RunStarted
from hookproof.reports.files import ReportFile
from hookproof.reports.outcome import exit_code, exit_words
from hookproof.rule import Rule
from hookproof.verdicts import EffectCount, Evidence, Policy, Verdict
from hookproof_spec.request import Request

SCHEMA = 1
SCHEMA_FILE = "report-1.schema.json"

Json = Mapping[str, object]


@final
@dataclass(slots=True)
class JsonReport:
    """Collects a run and writes it when it has finished, also when it was interrupted."""

    file: ReportFile
    _started: RunStarted | None = field(default=None, init=False)
    _rules: list[Json] = field(default_factory=list, init=False)

    def hear(self, event: Event) -> None:
        """Take an event; see `Report.hear`."""
        match event:
            case RunStarted():
                self._started = event
            case RuleFinished(rule, result):
                self._rules.append(rule_object(rule, result))
            case RunFinished() if self._started is not None:
                self.file.write(encoded(run_object(self._started, self._rules, event)))


def encoded(value: object) -> bytes:
    """Write a value as a file of JSON in ASCII, so that no tool can misread its encoding."""
    return json.dumps(value, indent=1, allow_nan=False).encode() + b"\n"


def run_object(started: RunStarted, rules: list[Json], finished: RunFinished) -> Json:
    """Return a whole run."""
    return {
        "hookproof": version("hookproof"),
        "schema": SCHEMA,
        "target": started.target,
        "spec": started.spec,
        "webhook": started.webhook,
        "scheme": started.scheme,
        "effects": started.effects,
        "seed": started.seed,
        "policy": _policy(started.policy),
        "started": _moment(started.started),
        "seconds": round(finished.seconds, 6),
        "requests": finished.requests,
        "complete": finished.complete,
        "exit": exit_code(finished),
        "exit_words": exit_words(finished),
        "notes": list(finished.notes),
        "summary": {verdict.value: finished.summary.get(verdict, 0) for verdict in Verdict},
        "rules": rules,
    }


def rule_object(rule: Rule, result: RuleResult) -> Json:
    """Return one rule and how it ended."""
    return {
        "id": rule.id,
        "category": rule.category.value,
        "level": rule.level.value,
        "verdict": result.verdict.value,
        "title": rule.title,
        "requirement": rule.requirement,
        "source": rule.source,
        "message": result.message,
        "expected": result.expected,
        "settle": result.settle,
        "script": result.script,
        "remedy": rule.remedy,
        "requests": result.requests,
        "seconds": round(result.seconds, 6),
        "evidence": [_evidence(item) for item in result.evidence],
        "effects": _effects(result.effects),
    }


def request_object(request: Request) -> Json:
    """Return a request as `hookproof sign --format json` writes it and `check` reads it."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": [list(header) for header in request.headers],
        "body_base64": _base64(request.body),
    }


def _evidence(item: Evidence) -> Json:
    exchange = item.exchange
    return {
        "note": item.note,
        "sent": request_object(exchange.request),
        "status": exchange.status,
        "failure": exchange.failure.value if exchange.failure else None,
        "detail": exchange.detail,
        "headers": [list(header) for header in exchange.headers],
        "body_base64": _base64(exchange.body),
        "cut": exchange.cut,
        "seconds": round(exchange.seconds, 6),
    }


def _effects(counts: EffectCount | None) -> Json | None:
    if counts is None:
        return None
    return {"before": counts.before, "after": counts.after, "expected": counts.expected}


def _policy(policy: Policy) -> Json:
    return {
        "replay": policy.replay.value,
        "forged": policy.forged.value,
        "tolerance": policy.tolerance,
    }


def _moment(seconds: float) -> str:
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
