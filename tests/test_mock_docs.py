"""docs/mock-sender.md runs: its commands against a sender that the page itself starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from support.command_line import CANARY, environment
from test_documentation import blocks_of, shown_in, steps

ROOT = Path(__file__).parent.parent
PAGE = list(blocks_of(ROOT / "docs" / "mock-sender.md"))
RECEIVER, SENDER = "http://127.0.0.1:8000", "http://127.0.0.1:8025"
TOKEN = "a-token-for-the-page"


@pytest.fixture
def receiver() -> Iterator[str]:
    webhook = load("mobility-work").webhook()
    app = create_receiver(webhook, CANARY, nonces=MemoryNonceStore(), replay="reject")
    with serve(app) as server:
        yield server.url


def variables() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return environment(HOOKPROOF_SECRET=CANARY, TOKEN=TOKEN, PATH=path)


def test_commands_print_what_the_page_shows(receiver: str, tmp_path: Path) -> None:
    commands = [step for block in PAGE if block.language == "console" for step in steps(block)]
    (start, shown), *others = commands
    words = start.replace(RECEIVER, receiver).split()
    process = subprocess.Popen(
        [*words, "--port", "0", "--token-env", "TOKEN"],
        cwd=tmp_path,
        env=variables(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = process.stdout.readline() + process.stdout.readline()
        address = ready.split()[1].rstrip("/")
        port = address.rpartition(":")[2]
        assert shown_in(shown.replace(SENDER, address).replace("8025", port), ready)
        for command, output in others:
            done = subprocess.run(
                ["bash", "-c", command.replace(RECEIVER, receiver).replace(SENDER, address)],
                cwd=tmp_path,
                env=variables(),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert shown_in(output, done.stdout), done.stdout
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_snippet_of_a_test_passes(tmp_path: Path) -> None:
    (snippet,) = (block.text for block in PAGE if block.language == "python")
    (tmp_path / "test_snippet.py").write_text(snippet)
    (tmp_path / "conftest.py").write_text(
        "import pytest\n"
        "from hookproof.nonces import MemoryNonceStore\n"
        "from hookproof.receiver import create_receiver\n"
        "from hookproof.serving import serve\n"
        "from hookproof_spec import load\n\n"
        "@pytest.fixture\n"
        "def receiver():\n"
        "    webhook = load('mobility-work').webhook()\n"
        "    app = create_receiver(webhook, 's3cret', nonces=MemoryNonceStore())\n"
        "    with serve(app) as server:\n"
        "        yield server.url + '/webhook'\n"
    )
    plugins = ["-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:randomly"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", *plugins],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
