"""Every format is written by pytest too, with and without xdist, and is the command line's own."""

from __future__ import annotations

import json

import pytest

from hookproof.reports.formats import FORMATS
from support.suites import Suite, text

pytest_plugins = ["pytester"]
SECRET = b"s3cret-s3cret"
WANTED = [word for name in FORMATS for word in ("--hookproof-report", f"{name}=report.{name}")]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester).receiver("broken_replay.ForgetsNonces").contract()


@pytest.mark.parametrize("workers", ["0", "1"])
def test_every_format_is_written(suite: Suite, workers: str) -> None:
    suite.run_apart("-n", workers, "-k", "replay-exact", *WANTED)
    for name in FORMATS:
        data = (suite.path / f"report.{name}").read_bytes()
        assert b"replay-exact" in data, name
        assert SECRET not in data
    report = json.loads((suite.path / "report.json").read_bytes())
    assert report["document"]["line"] == 9
    assert "hookproof replay report.json replay-exact" in (suite.path / "report.html").read_text()


def test_annotations_stand_on_lines_of_their_own(suite: Suite) -> None:
    result = suite.run_apart("-k", "replay-exact", "--hookproof-report", "github=-")
    lines = text(result).splitlines()
    (line,) = [line for line in lines if "::error" in line]
    assert line.startswith("::error title=replay-exact%3A The same bytes have one effect::")
    assert not (suite.path / "-").exists()


def test_annotations_of_several_contracts_are_all_printed(suite: Suite) -> None:
    contract = (suite.path / "test_hooks.py").read_text()
    suite.file("test_other.py", contract)
    result = suite.run_apart("-k", "replay-exact", "--hookproof-report", "github=-")
    assert text(result).count("::error title=replay-exact") == 2
