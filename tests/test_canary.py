"""The secret leaves no command, whether it succeeds, fails, or is used wrongly."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookproof.cli.app import COMMANDS
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from support.command_line import (
    CANARY,
    COMMAND,
    all_forms,
    command_here,
    environment,
    hookproof_command,
)

URL = "http://127.0.0.1:8000/webhook"
ELSEWHERE = {
    "demo": "has a secret of its own, public on purpose: test_cli_demo",
    "selftest": "has a secret of its own: test_selftest",
    "report": "test_report_canary",
    "replay": "test_report_canary",
}
"""Commands that other tests run with a receiver that echoes the secret, or that read none."""

CALLS = [
    ("verify", URL, "--only", "valid-basic", "-v"),
    ("verify", URL, "--only", "nonsense"),
    ("verify", URL, "--secret-file", "key"),
    ("send", URL, "-v"),
    ("send", URL, "--format", "json"),
    ("send", URL, "--forge", "forged-wrong-secret", "-v"),
    ("send", URL, "--nonce", "not of the shape"),
    ("sign", "--format", "headers"),
    ("sign", "--format", "json", "--count", "2"),
    ("sign", "--format", "curl", "--url", URL),
    ("sign", "--format", "http"),
    ("sign", "--secret", CANARY),
    ("sign", "--secret-env", CANARY),
    ("sign", "--secret-file", "missing"),
    ("sign", "--spec", "svix"),
    ("check", "--request", "captured", "-v"),
    ("check", "--request", "captured", "--format", "json"),
    ("check", "--request", "captured", "--now", "1"),
    ("check", "--request", "secret-inside"),
    ("load", URL, "--users", "2", "--requests", "5", "-v"),
    ("load", URL, "--mix", "all", "--secret-file", "key"),
    ("rules",),
    ("spec", "list"),
    ("spec", "show", "mobility-work"),
    ("init", "--dry-run"),
    ("config", "show"),
    ("config", "show", "--config", "secret.toml"),
    ("config", "show", "--format", "json"),
    ("completion", "bash"),
]
ENDLESS = [("listen", "--port", "0", "-v"), ("serve", "--port", "0", "--db", ":memory:")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("canary")
    captured = command_here("sign", "--format", "json", secret="another", cwd=path).stdout
    (path / "captured").write_bytes(captured)
    inside = b"POST /webhook HTTP/1.1\r\nHost: h\r\nX-Key: %b\r\n\r\n"
    (path / "secret-inside").write_bytes(inside % CANARY.encode().replace(b"\xc3\xb6", b"o"))
    (path / "key").write_text(CANARY)
    (path / "secret.toml").write_text(f'secret = "{CANARY}"')
    return path


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    app = create_receiver(load("mobility-work").webhook(), [CANARY], nonces=MemoryNonceStore())
    with serve(app) as server:
        yield f"{server.url}/webhook"


def leaks(data: bytes) -> list[bytes]:
    return [form for form in all_forms(CANARY) if form in data]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_command_keeps_the_secret(call: tuple[str, ...], folder: Path, receiver: str) -> None:
    words = [receiver if word == URL else word for word in call]
    result = command_here(*words, cwd=folder)
    assert leaks(result.stdout + result.stderr) == []
    assert result.stdout + result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("call", ENDLESS, ids=" ".join)
def test_command_that_goes_on_keeps_the_secret(
    call: tuple[str, ...], folder: Path, receiver: str
) -> None:
    more = ("--url", receiver) if call[0] == "serve" else ()
    process = subprocess.Popen(
        [*COMMAND, *call, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(HOOKPROOF_SECRET=CANARY, PYTHONUNBUFFERED="1"),
        cwd=folder,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if call[0] == "listen":
            address = first.decode().split()[-1]
            assert hookproof_command("send", address, cwd=folder).returncode == 0
            assert hookproof_command("send", address, secret="x", cwd=folder).returncode == 1
    finally:
        process.terminate()
        rest, error = process.communicate(timeout=30)
    assert leaks(first + rest + error) == []
    assert process.returncode == 0


def test_every_command_is_tried() -> None:
    tried = {call[0] for call in (*CALLS, *ENDLESS)}
    assert tried | set(ELSEWHERE) == set(COMMANDS)
    assert not tried & set(ELSEWHERE)
