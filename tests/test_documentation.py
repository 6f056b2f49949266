"""Documentation runs: every command and snippet of the README and the guides is executed.

In a `console` block a line that begins with `$ ` is a command, and what follows is its output, in
which `…` stands for anything. The receiver that the commands talk to is the reference receiver.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from hookproof.cli.showing import SECRET
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from support.command_line import environment

ROOT = Path(__file__).parent.parent
GUIDES = [ROOT / "docs" / "configuration.md", ROOT / "docs" / "init.md"]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *GUIDES,
]
DOCUMENTED = "http://127.0.0.1:8000"
RUN_BY_OTHERS = {"text": "a sample", "sh": "the Makefile's targets, and serve: see test_mock_docs"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks_of(page) if block.language in languages]


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page.name, line, match[1], match[2])


def steps(block: Block) -> list[tuple[str, str]]:
    """Return each command with the output that the page shows for it."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def shown_in(pattern: str, output: str) -> bool:
    pieces = [re.escape(piece) for piece in re.split("…", pattern.strip())]
    return re.search(r"[\s\S]*?".join(pieces), output) is not None


@pytest.fixture
def receiver() -> Iterator[str]:
    webhook = load("mobility-work").webhook()
    with serve(create_receiver(webhook, SECRET, nonces=MemoryNonceStore())) as server:
        yield server.url


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_print_what_the_page_shows(block: Block, receiver: str, tmp_path: Path) -> None:
    bin_folder = str(Path(sys.executable).parent)
    variables = environment(
        HOOKPROOF_SECRET=SECRET, PATH=os.pathsep.join([bin_folder, os.environ["PATH"]])
    )
    for command, output in steps(block):
        done = subprocess.run(
            ["bash", "-c", command.replace(DOCUMENTED, receiver)],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert shown_in(output, done.stdout.replace(receiver, DOCUMENTED)), done.stdout


SHOP = """
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof_spec import load

processed = []
webhook = load("mobility-work").webhook()
app = create_receiver(webhook, "s3cret", nonces=MemoryNonceStore(), on_event=processed.append)
"""
"""The application that the README's tests are about."""


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_snippets_run(block: Block, tmp_path: Path) -> None:
    (tmp_path / "test_snippet.py").write_text(block.text)
    (tmp_path / "shop.py").write_text(SHOP)
    pytest_too = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    run = pytest_too if "import pytest" in block.text else []
    done = subprocess.run(
        [sys.executable, "-W", "error", *run, "test_snippet.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_configuration_snippets_are_accepted(block: Block, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(block.text)
    receivers = tomllib.loads(block.text)["tool"]["hookproof"].get("receivers", {})
    for receiver in ([], *([name] for name in receivers)):
        done = subprocess.run(
            [sys.executable, "-m", "hookproof.cli", "config", "show", *receiver],
            cwd=tmp_path,
            env=environment(BILLING_PORT="8002"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("yaml", "json"), ids=str)
def test_data_snippets_can_be_read(block: Block) -> None:
    parse = yaml.safe_load if block.language == "yaml" else json.loads
    assert parse(block.text)


def test_scheme_in_the_readme_is_the_shipped_one() -> None:
    (block,) = [block for block in blocks("yaml") if "x-webhook-signature" in block.text]
    shown = yaml.safe_load(block.text)["components"]["securitySchemes"]
    path = ROOT / "spec/hookproof_spec/documents/mobility-work.yaml"
    shipped = yaml.safe_load(path.read_text())["components"]["securitySchemes"]
    key = "x-webhook-signature"
    assert shown["X-MW-Signature"][key] == shipped["X-MW-Signature"][key]


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    known = {"console", "python", "toml", "yaml", "json", *RUN_BY_OTHERS}
    assert {block.language for page in PAGES for block in blocks_of(page)} <= known


def test_readme_names_targets_that_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {match for block in blocks("sh") for match in re.findall(r"make (\w+)", block.text)}
    assert named
    assert all(f"\n{target}:" in makefile for target in named)


def test_links_of_pages_lead_to_files() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
