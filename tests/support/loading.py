"""Running `hookproof load` for real, and reading what it tells."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from typing import Any

import jsonschema

from hookproof.load.reports import SCHEMA_FILE
from support.command_line import hookproof_command
from support.loaded import SECRET, Listening

SCHEMA = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8"))
MIX = "valid=40,forged=10,stale=10,replayed=10"
SHORT = ("--users", "4", "--requests", "200", "--effect-timeout", "2")
"""Ended by their number: a busy machine sends as many, and takes longer."""
FEW = ("--users", "2", "--requests", "5", "--mix", "valid=1", "--format", "json")
PATIENCE = 30.0


def load(*arguments: str, secret: str = SECRET) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    return hookproof_command("load", *arguments, secret=secret)


def at(listening: Listening) -> tuple[str, ...]:
    """Return the arguments of a short load with everything in it."""
    return listening.url, "--effects-url", listening.effects_url, "--mix", MIX, *SHORT


def checked(told: bytes) -> Any:  # noqa: ANN401 (JSON)
    """Read a report and hold it against the schema."""
    report = json.loads(told)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    return report


def report(done: subprocess.CompletedProcess[bytes]) -> Any:  # noqa: ANN401 (JSON)
    """Return the report that was printed."""
    assert done.stdout, done.stderr
    return checked(done.stdout)


def of(told: Any, kind: str) -> Any:  # noqa: ANN401 (JSON)
    """Return what a report tells of a kind."""
    return next(one for one in told["kinds"] if one["kind"] == kind)
