"""SARIF 2.1.0 for code scanning: what is broken, at the webhook in its document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from hookproof.reports.finding import told_lines
from hookproof.reports.json_report import moment
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.subject import Place
from hookproof.verdicts import Level, Verdict

Json = dict[str, object]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://pypi.org/project/hookproof/"
SHIPPED = "HOOKPROOF"
"""The base of documents that come with hookproof: they lie where it is installed."""
LEVELS: Mapping[Verdict, str] = {
    Verdict.FAIL: "error",
    Verdict.WARN: "warning",
    Verdict.ACCEPTED: "warning",
}
_DEFAULTS: Mapping[Level, str] = {Level.MUST: "error", Level.SHOULD: "warning", Level.INFO: "note"}
_SEVERITIES: Mapping[Level, str] = {Level.MUST: "8.0", Level.SHOULD: "5.0", Level.INFO: "1.0"}
"""GitHub's scale for what concerns security: 7 and more is high, 4 and more medium."""


def rendered(run: RunReport) -> bytes:
    """Write a run as a SARIF log in ASCII."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(run)]}
    return json.dumps(log, indent=1).encode() + b"\n"


def _run(run: RunReport) -> Json:
    place = run.subject.place or Place(file=run.spec, shipped=False, pointer="", line=0)
    results = [rule for rule in run.rules if rule.verdict in LEVELS]
    rules = [rule for rule in run.rules if rule in results]
    value: Json = {
        "tool": {
            "driver": {
                "name": "hookproof",
                "version": run.version,
                "semanticVersion": run.version,
                "informationUri": HOME,
                "rules": [_descriptor(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": f"hookproof/{run.webhook}/"},
        "invocations": [_invocation(run)],
        "results": [_result(run, rule, rules.index(rule), place) for rule in results],
        "columnKind": "unicodeCodePoints",
    }
    if place.shipped:
        value["originalUriBaseIds"] = {
            SHIPPED: {"description": {"text": "The documents that come with hookproof."}}
        }
    return value


def _invocation(run: RunReport) -> Json:
    return {
        "executionSuccessful": run.complete and run.exit != 2,
        "exitCode": run.exit,
        "exitCodeDescription": run.exit_words,
        "startTimeUtc": moment(run.started),
        "endTimeUtc": moment(run.started + run.seconds),
    }


def _descriptor(rule: RuleReport) -> Json:
    help_text = f"{rule.requirement}\n\nSource: {rule.source}\n\nRemedy: {rule.remedy}"
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": _sentence(rule.requirement)},
        "help": {
            "text": help_text,
            "markdown": f"{rule.requirement}\n\n**Source:** {rule.source}\n\n"
            f"**Remedy:** {rule.remedy}\n\n`hookproof rules {rule.id}` says more.",
        },
        "helpUri": HOME,
        "defaultConfiguration": {"level": _DEFAULTS[rule.level]},
        "properties": {
            "tags": ["security", "webhook", rule.category],
            "precision": "high",
            "security-severity": _SEVERITIES[rule.level],
        },
    }


def _result(run: RunReport, rule: RuleReport, index: int, place: Place) -> Json:
    accepted = rule.verdict is Verdict.ACCEPTED
    return {
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": LEVELS[rule.verdict],
        "message": {
            "text": _sentence(f"{rule.title}. Found: {rule.message}")
            + f"\n\n{rule.remedy}\n\n"
            + "\n".join(told_lines(rule, run.saved))
        },
        "locations": [_location(run, place)],
        "partialFingerprints": {"hookproofRule/v1": _fingerprint(run, rule)},
        "suppressions": [{"kind": "external", "justification": rule.message}] if accepted else [],
        "properties": {"target": run.target, "seed": run.seed, "level": rule.level.value},
    }


def _location(run: RunReport, place: Place) -> Json:
    artifact: Json = {"uri": _uri(place)}
    if place.shipped:
        artifact["uriBaseId"] = SHIPPED
    return {
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": {"startLine": max(place.line, 1)},
        },
        "logicalLocations": [
            {"fullyQualifiedName": f"{run.spec}#{place.pointer}", "kind": "object"}
        ],
    }


def _uri(place: Place) -> str:
    path = quote(place.file)
    return f"file://{path}" if PurePosixPath(place.file).is_absolute() else path


def _fingerprint(run: RunReport, rule: RuleReport) -> str:
    """Return what tells a finding from others and stays the same from run to run."""
    told = "\0".join((run.spec, run.webhook, run.target, rule.id))
    return hashlib.sha256(told.encode()).hexdigest()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
