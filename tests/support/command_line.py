"""Running the command line: in this process where that is enough, for real where it matters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import hookproof
import hookproof_spec

CANARY = "whsec-c4n4ry/+5ecret=ö"
"""A secret with every character that an encoding changes. It must appear in no output."""

COMMAND = (sys.executable, "-m", "hookproof.cli")


UNWANTED = ("NO_COLOR", "TERM", "PYTHONUNBUFFERED")
"""Variables of whoever runs the tests that change what is tested."""


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which our packages can be imported, however they are installed."""
    roots = {str(Path(str(package.__file__)).parents[1]) for package in (hookproof, hookproof_spec)}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOOKPROOF_") and name not in UNWANTED
    }
    return kept | {"PYTHONPATH": os.pathsep.join(sorted(roots))} | more


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
        timeout=60,
        check=False,
    )


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
