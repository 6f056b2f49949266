"""`docs/describe-your-webhook.md` works as it is written, from top to bottom."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load, names
from support.command_line import environment

PAGE = Path(__file__).parent.parent / "docs" / "describe-your-webhook.md"
TEXT = PAGE.read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRET = "acme_5fca0d7b1e2a4c3389d0b6f1a7e45c21"
DOCUMENTED = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(TEXT) if found == language]


def steps() -> list[tuple[str, str]]:
    """Return each command of the page with the output that it shows."""
    parts = re.split(r"^\$ (.*)\n", "".join(blocks("console")), flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def shown_in(pattern: str, output: str) -> bool:
    pieces = [re.escape(piece) for piece in pattern.strip().split("…")]
    return re.search(r"[\s\S]*?".join(pieces), output) is not None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the page tells to save."""
    (document,) = blocks("yaml")
    (sample,) = blocks("json")
    (tmp_path / "acme.yaml").write_text(document)
    (tmp_path / "sample.json").write_text(sample.rstrip("\n"))
    return tmp_path


@pytest.fixture
def receiver(folder: Path) -> Iterator[str]:
    webhook = load(folder / "acme.yaml").webhook()
    with serve(create_receiver(webhook, SECRET, nonces=MemoryNonceStore())) as server:
        yield server.url


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(HOOKPROOF_SECRET=SECRET, PATH=here),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_commands_print_what_the_page_shows(folder: Path, receiver: str) -> None:
    assert len(steps()) > 5
    for command, output in steps():
        done = run(folder, "bash", "-c", command.replace(DOCUMENTED, receiver))
        assert done.returncode == 0, done.stdout + done.stderr
        assert shown_in(output, done.stdout.replace(receiver, DOCUMENTED)), done.stdout


def test_code_of_the_page_runs(folder: Path) -> None:
    (snippet,) = blocks("python")
    done = run(folder, sys.executable, "-W", "error", "-c", snippet)
    assert done.returncode == 0, done.stderr


def test_every_block_is_run_or_saved() -> None:
    assert {language for language, _ in BLOCK.findall(TEXT)} == {
        "console",
        "json",
        "python",
        "yaml",
    }


def test_documents_named_in_the_tables_are_shipped() -> None:
    cells = re.findall(r"\| ([^|]+) \|$", TEXT.split("## The other words")[1], re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)}
    assert named
    assert named <= set(names())


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
