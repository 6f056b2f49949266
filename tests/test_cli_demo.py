"""`demo` shows a pass and a finding, and leaves something running to be tried."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from hookproof.catalogue import select
from hookproof.cli import showing
from support.command_line import COMMAND, command_here, environment


def test_demo_ends_well_when_both_were_judged_rightly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(showing, "RULES", select(("valid-basic", "replay-race")).rules)
    result = command_here("demo", "--once", "-q", secret=None, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, b"")


def test_demo_that_shows_no_bug_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(showing, "RULES", select(("valid-basic",)).rules)
    result = command_here("demo", "--once", "-q", secret=None, cwd=tmp_path)
    assert result.returncode == 1
    assert b"please report it as a bug of hookproof" in result.stdout


def test_demo_leaves_a_sender_running_until_it_is_told_to_end(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "demo", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
        cwd=tmp_path,
        text=True,
    )
    try:
        assert process.stdout is not None
        address, told = "", ""
        for line in process.stdout:
            told += line
            found = re.fullmatch(r"  (http://127\.0\.0\.1:\d+/)\n", line)
            address = found[1] if found else address
            if "--forge replay-exact" in line:
                break
        assert "1. replay-race: Twenty copies at once have one effect [MUST, fail]" in told
        assert "The correct receiver passed, and the bug was found." in told
        with urllib.request.urlopen(f"{address}api/webhooks", timeout=30) as answer:
            assert [one["signed"] for one in json.load(answer)["items"]] == [True]
        process.terminate()
        _, error = process.communicate(timeout=30)
        assert (process.returncode, error) == (0, "")
    finally:
        process.kill()
        process.communicate()
