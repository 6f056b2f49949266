"""The report for programs: one JSON object, described by `schemas/report-1.schema.json`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from hookproof.reports.again import again
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.words import scheme_words
from hookproof.verdicts import EffectCount, Evidence, Policy, Verdict
from hookproof_spec.request import Request

SCHEMA = 1
SCHEMA_FILE = "report-1.schema.json"

Json = Mapping[str, object]


def rendered(run: RunReport) -> bytes:
    """Write a run as a file of JSON in ASCII, so that no tool can misread its encoding."""
    return json.dumps(run_object(run), indent=1, allow_nan=False).encode() + b"\n"


def run_object(run: RunReport) -> Json:
    """Return a whole run."""
    scheme, place = run.subject.scheme, run.subject.place
    return {
        "hookproof": run.version,
        "schema": SCHEMA,
        "target": run.target,
        "spec": run.spec,
        "webhook": run.webhook,
        "document": None if place is None else asdict(place),
        "scheme": run.scheme,
        "signature": None if scheme is None else scheme_words(scheme),
        "effects": run.effects,
        "seed": run.seed,
        "policy": _policy(run.policy),
        "started": moment(run.started),
        "seconds": round(run.seconds, 6),
        "requests": run.requests,
        "complete": run.complete,
        "exit": run.exit,
        "exit_words": run.exit_words,
        "notes": list(run.notes),
        "summary": {verdict.value: run.summary.get(verdict, 0) for verdict in Verdict},
        "rules": [rule_object(run, rule) for rule in run.rules],
    }


def rule_object(run: RunReport, rule: RuleReport) -> Json:
    """Return one rule and how it ended."""
    how = again(run, rule)
    return {
        "id": rule.id,
        "category": rule.category,
        "level": rule.level.value,
        "verdict": rule.verdict.value,
        "title": rule.title,
        "requirement": rule.requirement,
        "source": rule.source,
        "sends": rule.sends,
        "message": rule.message,
        "expected": rule.expected,
        "settle": rule.settle,
        "script": rule.script,
        "remedy": rule.remedy,
        "again": None if how is None else asdict(how),
        "requests": rule.requests,
        "seconds": round(rule.seconds, 6),
        "evidence": [_evidence(item) for item in rule.evidence],
        "effects": _effects(rule.effects),
    }


def request_object(request: Request) -> Json:
    """Return a request as `hookproof sign --format json` writes it and `check` reads it."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": [list(header) for header in request.headers],
        "body_base64": _base64(request.body),
    }


def moment(seconds: float) -> str:
    """Write Unix seconds as a date and time of RFC 3339 in UTC."""
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


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
    return None if counts is None else asdict(counts)


def _policy(policy: Policy) -> Json:
    return {
        "replay": policy.replay.value,
        "forged": policy.forged.value,
        "tolerance": policy.tolerance,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
