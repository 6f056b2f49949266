"""Reading a JSON report back into the run that it tells of."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookproof.reports.json_report import SCHEMA_FILE
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.subject import UNKNOWN, Place, Subject
from hookproof.targets.base import Exchange, Failure
from hookproof.verdicts import (
    EffectCount,
    Evidence,
    ForgedPolicy,
    Level,
    Policy,
    ReplayPolicy,
    Verdict,
)
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme_reader import read_scheme

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Valid = Mapping[str, Any]
"""An object that the schema has accepted."""
_ADVICE = "give a file that `hookproof verify --report json=PATH` wrote"


def read_report(path: Path) -> RunReport:
    """Read a JSON report.

    Raises:
        HookproofError: it cannot be read, is no JSON, or breaks the schema of reports.
    """
    value = _parsed(path)
    _check(value, path)
    try:
        return _run(value, str(path))
    except (ValueError, OverflowError) as error:  # base64 of a wrong length, the 32nd of a month
        raise HookproofError(f"it is damaged: {error}", where=str(path), hint=_ADVICE) from error


def _parsed(path: Path) -> Valid:
    """Return what a file holds, which need not be an object before `_check` has seen it."""
    try:
        value: Valid = json.loads(path.read_bytes())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise HookproofError(f"cannot be read: {why}", where=str(path), hint=_ADVICE) from error
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise HookproofError(f"it is not JSON: {why}", where=str(path), hint=_ADVICE) from error
    return value


def _check(value: Valid, path: Path) -> None:
    from jsonschema.exceptions import best_match

    error = best_match(_validator().iter_errors(value))
    if error is None:
        return
    what = error.message if len(error.message) <= 200 else f"{error.message[:199]}…"
    pointer = "".join(f"/{step}" for step in error.absolute_path)
    raise HookproofError(
        f"it is no report of this version at #{pointer}: {what}", where=str(path), hint=_ADVICE
    )


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = (resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8")
    return Draft202012Validator(
        json.loads(text), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


# --- from here on the schema holds --------------------------------------------------------------


def _run(value: Valid, path: str) -> RunReport:
    policy = value["policy"]
    return RunReport(
        version=value["hookproof"],
        target=value["target"],
        spec=value["spec"],
        webhook=value["webhook"],
        scheme=value["scheme"],
        effects=value["effects"],
        seed=value["seed"],
        policy=Policy(
            replay=ReplayPolicy(policy["replay"]),
            forged=ForgedPolicy(policy["forged"]),
            tolerance=policy["tolerance"],
        ),
        started=datetime.fromisoformat(value["started"]).timestamp(),
        seconds=value["seconds"],
        requests=value["requests"],
        complete=value["complete"],
        exit=value["exit"],
        exit_words=value["exit_words"],
        notes=tuple(value["notes"]),
        summary={verdict: value["summary"].get(verdict.value, 0) for verdict in Verdict},
        rules=tuple(map(_rule, value["rules"])),
        subject=_subject(value),
        saved=path,
    )


def _subject(value: Valid) -> Subject:
    """Return what a report says of its webhook; reports of older versions say nothing."""
    if "signature" not in value:
        return Subject.named(value["spec"], value["webhook"], value["scheme"])
    place, words = value.get("document"), value["signature"]
    scheme, _ = (None, ()) if words is None else read_scheme(words, pointer="/signature")
    known = UNKNOWN.place if place is None else Place(**{key: place[key] for key in _PLACE})
    return Subject(scheme, known)


_PLACE = ("file", "shipped", "pointer", "line")


def _rule(value: Valid) -> RuleReport:
    return RuleReport(
        id=value["id"],
        category=value["category"],
        level=Level(value["level"]),
        verdict=Verdict(value["verdict"]),
        title=value["title"],
        requirement=value["requirement"],
        source=value["source"],
        sends=value.get("sends", ""),
        message=value["message"],
        expected=value["expected"],
        settle=value["settle"],
        script=value["script"],
        remedy=value["remedy"],
        requests=value["requests"],
        seconds=value["seconds"],
        evidence=tuple(map(_evidence, value["evidence"])),
        effects=_effects(value["effects"]),
    )


def _effects(value: Valid | None) -> EffectCount | None:
    if value is None:
        return None
    return EffectCount(before=value["before"], after=value["after"], expected=value["expected"])


def _evidence(value: Valid) -> Evidence:
    sent = value["sent"]
    exchange = Exchange(
        request=Request(sent["method"], sent["url"], _headers(sent["headers"]), _body(sent)),
        status=value["status"],
        headers=_headers(value["headers"]),
        body=_body(value),
        cut=value["cut"],
        seconds=value["seconds"],
        failure=None if value["failure"] is None else Failure(value["failure"]),
        detail=value["detail"],
    )
    return Evidence(value["note"], exchange)


def _headers(lines: Iterable[list[str]]) -> tuple[Header, ...]:
    return tuple((name, value) for name, value in lines)


def _body(value: Valid) -> bytes:
    return base64.b64decode(value["body_base64"], validate=True)
