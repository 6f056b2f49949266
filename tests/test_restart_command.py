"""`--restart-command` runs what the user wrote, and says when it went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hookproof.cli import restart
from hookproof.cli.restart import Restart
from hookproof_spec.errors import HookproofError


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
