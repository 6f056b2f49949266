"""Running the command line: in this process where that is enough, for real where it matters."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import hookproof
import hookproof_mockserver
import hookproof_spec
from hookproof.cli import main

CANARY = "whsec-c4n4ry/+5ecret=ö"
"""A secret with every character that an encoding changes. It must appear in no output."""

COMMAND = (sys.executable, "-m", "hookproof.cli")


UNWANTED = ("NO_COLOR", "TERM", "PYTHONUNBUFFERED")
"""Variables of whoever runs the tests that change what is tested."""


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which our packages can be imported, however they are installed."""
    packages = (hookproof, hookproof_mockserver, hookproof_spec)
    roots = {str(Path(str(package.__file__)).parents[1]) for package in packages}
    return _wanted() | {"PYTHONPATH": os.pathsep.join(sorted(roots))} | more


def _wanted() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOOKPROOF_") and name not in UNWANTED
    }


def hookproof_command(
    *arguments: str,
    secret: str | None = CANARY,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the real command to its end."""
    variables = environment(**(env or {}))
    if secret is not None:
        variables["HOOKPROOF_SECRET"] = secret
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=variables,
        timeout=110,
        check=False,
    )


def command_here(
    *arguments: str, secret: str | None = CANARY, cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in this process, which spares the start of one: what is told is the same."""
    out, err = io.BytesIO(), io.BytesIO()
    told, mistakes = (
        io.TextIOWrapper(raw, "utf-8", newline="\n", write_through=True) for raw in (out, err)
    )
    variables = _wanted() | ({} if secret is None else {"HOOKPROOF_SECRET": secret})
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        chdir(cwd or "."),
        redirect_stdout(told),
        redirect_stderr(mistakes),
    ):
        status = main(list(arguments))
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def one_line_error(result: subprocess.CompletedProcess[bytes]) -> str:
    """Return the one line of a mistake; fail when it is told in any other way."""
    text = result.stderr.decode()
    assert result.returncode == 2, text
    assert "Traceback" not in text
    assert text.startswith("hookproof: ")
    assert text.count("\n") == 1, text
    assert text.endswith("\n")
    return text.removeprefix("hookproof: ").rstrip("\n")


def all_forms(secret: str) -> Sequence[bytes]:
    """Return the forms of a secret in which it must not leave."""
    import base64
    import json
    from urllib.parse import quote, quote_plus

    raw = secret.encode()
    return [
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        base64.b64encode(raw).rstrip(b"="),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        quote(secret, safe="").encode(),
        quote_plus(secret).encode(),
        quote(secret).encode(),
        json.dumps(secret)[1:-1].encode(),
        json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        json.dumps(secret)[1:-1].replace("/", "\\/").encode(),
    ]
