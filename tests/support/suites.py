"""Suites of users that a test of the plugin runs: their receiver, their tests, their pytest."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

for _name in (
    "hookproof.miniatures.catalogue",
    "hookproof.pytest_support.contract_file",
    "hookproof.pytest_support.merged",
    "hookproof.pytest_support.trying",
    "hookproof.pytest_support.webhook",
    "hookproof.reports.json_report",
    "hookproof_spec.documents",
    "hypothesis",
    "time_machine",
    "yaml",
):  # a run in this process forgets what it imports, which not every module survives
    importlib.import_module(_name)

ABSENT = ("randomly", "asyncio", "django", "anyio", "timeout", "schemathesis")
"""Plugins that happen to be installed here and that most of these tests are not about."""
QUIET = tuple(word for name in ABSENT for word in ("-p", f"no:{name}"))
FEW = ("-o", "hookproof_examples=3")
"""Properties are not what is tested here."""

CONTRACT = """
import hookproof

@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)
"""

CONFTEST = """
import pytest
import hookproof
from hookproof.miniatures import broken_payload, broken_replay, broken_valid, correct
from hookproof.miniatures.base import Miniature

@pytest.fixture(scope="session")
def webhook_receiver():
    app = {kind}("s3cret-s3cret")
    return hookproof.Receiver(app=app, secret="s3cret-s3cret", {options})
"""
BY_EFFECT = "effects=lambda: list(app.names), tolerance=3600"


class Suite:
    """A directory with a conftest and tests, and how pytest is run in it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path: Path = pytester.path

    def receiver(self, kind: str = "Miniature", options: str = BY_EFFECT) -> Suite:
        """Write a conftest with a receiver that is one of our miniatures."""
        self.pytester.makeconftest(CONFTEST.format(kind=kind, options=options))
        return self

    def file(self, name: str, text: str) -> Suite:
        """Write a file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return self

    def ini(self, *lines: str) -> Suite:
        """Write a pytest.ini."""
        return self.file("pytest.ini", "\n".join(("[pytest]", *lines, "")))

    def contract(self) -> Suite:
        """Write the test of the contract, as the documentation has it."""
        return self.file("test_hooks.py", CONTRACT)

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process, where warnings are errors unless we say otherwise."""
        options = (*QUIET, *FEW, "-p", "no:xdist", "-W", "default", *arguments)
        return self.pytester.runpytest_inprocess(*options)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess(*QUIET, *FEW, *arguments)

    def report(self, name: str = "report.json") -> Any:  # noqa: ANN401 (JSON)
        """Read a JSON report."""
        return json.loads((self.path / name).read_bytes())


def text(result: pytest.RunResult) -> str:
    """Return what pytest printed."""
    return "\n".join((*result.outlines, *result.errlines))
