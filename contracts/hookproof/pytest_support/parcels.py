"""Results on their way from a worker to whoever writes the reports: JSON text, as every plugin that
handles reports on tests can pass it on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from hookproof.catalogue import BY_ID
from hookproof.events import RuleFinished, RuleResult, RunStarted
from hookproof.targets.base import Exchange, Failure
from hookproof.verdicts import (
    EffectCount,
    Evidence,
    ForgedPolicy,
    Policy,
    ReplayPolicy,
    Verdict,
)
from hookproof_spec.request import Header, Request

Simple = Mapping[str, Any]
"""What JSON has; it was written by us."""


@final
@dataclass(frozen=True, slots=True)
class Parcel:
    """What one test found out: of which run it is a part, and rules with their results."""

    run: str
    started: RunStarted
    finished: tuple[RuleFinished, ...]


def run_name(nodeid: str, rule_id: str) -> str:
    """Return what the tests of one contract on one receiver have in common."""
    function, bracket, parameters = nodeid.partition("[")
    rest = f"-{parameters.removesuffix(']')}-".replace(f"-{rule_id}-", "-", 1).strip("-")
    return f"{function}[{rest}]" if bracket and rest else function


def packed(run: str, started: RunStarted, finished: Iterable[RuleFinished]) -> str:
    """Return the text of a parcel."""
    policy = started.policy
    return json.dumps(
        {
            "run": run,
            "started": {
                "target": started.target,
                "spec": started.spec,
                "webhook": started.webhook,
                "scheme": started.scheme,
                "effects": started.effects,
                "seed": started.seed,
                "started": started.started,
                "document": started.document,
            },
            "policy": [policy.replay.value, policy.forged.value, policy.tolerance],
            "results": {event.rule.id: _from_result(event.result) for event in finished},
        }
    )


def unpacked(text: str) -> Parcel:
    """Return the parcel of a text."""
    value: Simple = json.loads(text)
    finished = tuple(
        RuleFinished(BY_ID[id], _to_result(result)) for id, result in value["results"].items()
    )
    replay, forged, tolerance = value["policy"]
    policy = Policy(replay=ReplayPolicy(replay), forged=ForgedPolicy(forged), tolerance=tolerance)
    rules = tuple(event.rule for event in finished)
    return Parcel(
        value["run"], RunStarted(**value["started"], policy=policy, rules=rules), finished
    )


def _from_result(result: RuleResult) -> Simple:
    counts = result.effects
    return {
        "verdict": result.verdict.value,
        "message": result.message,
        "expected": result.expected,
        "settle": result.settle,
        "script": result.script,
        "requests": result.requests,
        "seconds": result.seconds,
        "effects": None if counts is None else [counts.before, counts.after, counts.expected],
        "evidence": [[item.note, _from_exchange(item.exchange)] for item in result.evidence],
    }


def _to_result(value: Simple) -> RuleResult:
    counts = value["effects"]
    return RuleResult(
        verdict=Verdict(value["verdict"]),
        message=value["message"],
        expected=value["expected"],
        settle=value["settle"],
        script=value["script"],
        requests=value["requests"],
        seconds=value["seconds"],
        effects=None
        if counts is None
        else EffectCount(before=counts[0], after=counts[1], expected=counts[2]),
        evidence=tuple(Evidence(note, _to_exchange(seen)) for note, seen in value["evidence"]),
    )


def _from_exchange(exchange: Exchange) -> Simple:
    request = exchange.request
    return {
        "request": [request.method, request.url, request.headers, _text(request.body)],
        "status": exchange.status,
        "headers": exchange.headers,
        "body": _text(exchange.body),
        "cut": exchange.cut,
        "seconds": exchange.seconds,
        "failure": exchange.failure.value if exchange.failure else None,
        "detail": exchange.detail,
    }


def _to_exchange(value: Simple) -> Exchange:
    method, url, headers, body = value["request"]
    return Exchange(
        request=Request(method, url, _headers(headers), _bytes(body)),
        status=value["status"],
        headers=_headers(value["headers"]),
        body=_bytes(value["body"]),
        cut=value["cut"],
        seconds=value["seconds"],
        failure=Failure(value["failure"]) if value["failure"] else None,
        detail=value["detail"],
    )


def _headers(lines: Iterable[list[str]]) -> tuple[Header, ...]:
    return tuple((name, value) for name, value in lines)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
