"""`--restart-command` runs what the user wrote, and says when it went wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hookproof.cli import restart
from hookproof.cli.restart import Restart
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from hookproof_spec.errors import HookproofError
from support.command_line import CANARY, hookproof_command


def test_command_gets_the_variables_of_the_rule(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    Restart(f'printf %s "$TZ" > {zone}')({"TZ": "Asia/Kolkata"})
    assert zone.read_text() == "Asia/Kolkata"


def test_failing_command_is_told_with_its_status() -> None:
    with pytest.raises(HookproofError) as told:
        Restart("exit 3")({})
    assert str(told.value) == "--restart-command: it ended with status 3"


def test_command_that_never_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "LIMIT", 0.2)
    with pytest.raises(HookproofError, match="did not end within"):
        Restart("exec sleep 5")({})


def test_restart_that_fails_leaves_its_rules_unproven(tmp_path: Path) -> None:
    """And the others judged, and the report written."""
    webhook = load("mobility-work").webhook()
    report = tmp_path / "report.json"
    with serve(create_receiver(webhook, CANARY, nonces=MemoryNonceStore())) as server:
        done = hookproof_command(
            *("verify", f"{server.url}/webhook", "--restart-command", "exit 3"),
            *("--only", "replay-restart", "--only", "valid-timezone"),
            *("--report", f"json={report}"),
        )
    assert done.returncode == 0, done.stderr
    rules = {rule["id"]: rule for rule in json.loads(report.read_text())["rules"]}
    assert rules["replay-exact"]["verdict"] == "pass"
    for id in ("replay-restart", "valid-timezone"):
        assert rules[id]["verdict"] == "unproven"
        assert rules[id]["message"] == "--restart-command: it ended with status 3"
