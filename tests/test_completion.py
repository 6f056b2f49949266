"""A shell completes commands, options, rules, documents and the configuration's receivers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from support.command_line import environment, hookproof_command


def completed(tmp_path: Path, *words: str) -> list[str]:
    """Return what bash would offer for the last of some words."""
    command = tmp_path / "bin" / "hookproof"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hookproof.cli "$@"\n')
    command.chmod(0o755)
    quoted = " ".join(f"'{word}'" for word in ("hookproof", *words))
    script = (
        'eval "$(hookproof completion bash)"\n'
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}\n"
        "_hookproof_completion hookproof\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    variables = environment()
    variables["PATH"] = f"{command.parent}:{variables['PATH']}"
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert result.stderr == b""
    return result.stdout.decode().split()


@pytest.mark.skipif(which("bash") is None, reason="bash is not installed")
def test_bash_offers_what_fits(tmp_path: Path) -> None:
    (tmp_path / "hookproof.toml").write_text('receivers.shop.url = "http://127.0.0.1/"')
    assert completed(tmp_path, "ver") == ["verify"]
    assert completed(tmp_path, "verify", "sh") == ["shop"]
    assert completed(tmp_path, "verify", "--only", "replay-ra") == ["replay-race"]
    assert completed(tmp_path, "send", "--forge", "forged-no-h") == ["forged-no-header"]
    assert completed(tmp_path, "sign", "--spec", "mobility") == ["mobility-work"]
    assert completed(tmp_path, "rules", "stale-f") == ["stale-future"]


def test_broken_configuration_breaks_no_completion(tmp_path: Path) -> None:
    (tmp_path / "hookproof.toml").write_text("receivers = 3")
    variables = {
        "_HOOKPROOF_COMPLETE": "fish_complete",
        "COMP_WORDS": "hookproof verify s",
        "COMP_CWORD": "s",
    }
    result = hookproof_command(cwd=tmp_path, env=variables)
    assert result.stdout.strip() == b""
    assert result.stderr == b""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_one_that_the_shell_can_read(shell: str, tmp_path: Path) -> None:
    result = hookproof_command("completion", shell, cwd=tmp_path)
    assert result.returncode == 0
    assert b"_HOOKPROOF_COMPLETE" in result.stdout
    if which(shell) is None:
        pytest.skip(f"{shell} is not installed; its script was printed and not read")
    subprocess.run([shell, "-n"], input=result.stdout, check=True, timeout=60)


def test_unknown_shell_is_told_with_those_there_are(tmp_path: Path) -> None:
    result = hookproof_command("completion", "csh", cwd=tmp_path)
    assert result.returncode == 2
    assert b"bash, zsh, fish" in result.stderr
