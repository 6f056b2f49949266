"""A secret that a receiver echoes in every form leaves no command and no report."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hookproof.reports.formats import FORMATS
from hookproof.serving import serve
from support.command_line import CANARY, all_forms, hookproof_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ECHO = b" ".join(all_forms(CANARY))


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Accept everything, and say the secret in each way that there is."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("X-Key", CANARY.encode().decode("latin-1"))])
    return [ECHO]


def leaks(data: bytes) -> list[bytes]:
    raw = CANARY.encode()
    forms = [*all_forms(CANARY), raw.hex(" ").encode(), raw.decode("latin-1").encode()]
    return [form for form in forms if form in data]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with what every command wrote of the echoing receiver."""
    path = tmp_path_factory.mktemp("canary")
    wanted = [word for name in FORMATS for word in ("--report", f"{name}={path / name}")]
    with serve(echo) as server:
        rules = ["--only", "forged-signature", "--only", "forged-no-header"]
        outputs = [
            hookproof_command("verify", f"{server.url}/webhook", "-v", *rules, *wanted),
            hookproof_command("replay", str(path / "json"), "forged-signature", "-v"),
            hookproof_command("replay", str(path / "json"), "forged-signature", "-v", "--verbatim"),
            hookproof_command(
                "report", str(path / "json"), "--html", str(path / "two"), "--github"
            ),
        ]
    assert [result.returncode for result in outputs] == [1, 1, 1, 0]
    for number, result in enumerate(outputs):
        (path / f"output-{number}").write_bytes(result.stdout + result.stderr)
    return path


def test_no_file_and_no_output_holds_the_secret(directory: Path) -> None:
    files = sorted(directory.iterdir())
    assert len(files) == len(FORMATS) + 1 + 4
    assert {file.name: leaks(file.read_bytes()) for file in files} == {
        file.name: [] for file in files
    }


def test_no_coded_body_holds_the_secret(directory: Path) -> None:
    report = json.loads((directory / "json").read_bytes())
    bodies = [
        base64.b64decode(body)
        for rule in report["rules"]
        for item in rule["evidence"]
        for body in (item["body_base64"], item["sent"]["body_base64"])
    ]
    assert bodies
    assert not any(leaks(body) for body in bodies)


def test_no_bytes_in_hexadecimal_hold_the_secret(directory: Path) -> None:
    page = (directory / "html").read_text("utf-8")
    rows = re.findall(r'<span class="digits">(.*?)</span>  <', page)
    digits = re.sub(r"<[^>]*>| ", "", "".join(rows))
    assert len(digits) > 1000
    assert not leaks(bytes.fromhex(digits))
