"""`hookproof init` in the example projects, stripped of their tests: filled in, they are green."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hookproof.cli import main
from support.command_line import environment

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NODE_MODULES = ROOT / "tests/receivers/express/node_modules"
SECRET = "a-secret-for-tests"
RULES = ("valid-basic", "forged-no-header", "stale-old", "replay-exact", "replay-race")
PROBE = re.compile(r"        # FILL IN how many(?:.*\n)+?        raise .*\n")
"""The body of `effects`, as it is written."""
STAND_IN = re.compile(r"    # FILL IN your application(?:.*\n)+?        raise .*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What somebody fills in: how effects are counted, and the application where it is unknown."""

    counts: str
    application: str = ""
    needed: tuple[str, ...]


FILLED = {
    "aiohttp": Filled(counts="from app import ORDERS\n        return app[ORDERS]", needed=()),
    "django": Filled(
        counts="from shop.models import Order\n        return Order.objects.count()",
        needed=("django", "pytest_django"),
    ),
    "fastapi": Filled(
        counts="return app.state.shop.orders if hasattr(app.state, 'shop') else []",
        needed=("fastapi",),
    ),
    "flask": Filled(
        counts="return orders(database)",
        application="    from app import create_app, orders\n"
        "    database = str(tmp_path_factory.mktemp('shop') / 'shop.sqlite3')\n"
        f"    app = create_app('{SECRET}', database)\n",
        needed=("flask",),
    ),
}


def started(example: str, tmp_path: Path) -> Path:
    """Return a copy of an example without its tests, in which `init` has run."""
    for name in FILLED[example].needed if example in FILLED else ():
        pytest.importorskip(name)
    own = ("conftest.py", "test_*.py", "pytest.ini", "*.hookproof.yaml", "README.md")
    ignored = shutil.ignore_patterns(*own, "node_modules", "__pycache__", ".*", "*.sqlite3")
    copy = tmp_path / example
    shutil.copytree(EXAMPLES / example, copy, ignore=ignored)
    assert main(["init", str(copy)]) == 0
    return copy


def fill_in(folder: Path, filled: Filled) -> None:
    """Do what the comments of the fixture ask for."""
    conftest = folder / "tests/conftest.py"
    text = PROBE.sub(f"        {filled.counts}\n", conftest.read_text(), count=1)
    if filled.application:
        text = STAND_IN.sub(lambda _: filled.application, text, count=1)
        text = text.replace("webhook_receiver()", "webhook_receiver(tmp_path_factory)")
    assert "FILL IN" not in text
    conftest.write_text(text)


def run(folder: Path, *arguments: str, bug: str = "") -> str:
    """Run pytest in a project, with a few rules of the contract, and return what it prints."""
    absent = ["asyncio", "anyio", "randomly", "xdist", "timeout"]
    absent += [] if (folder / "shop/settings.py").exists() else ["django"]
    others = [word for name in absent for word in ("-p", f"no:{name}")]
    few = ["-o", f"hookproof_only={' '.join(RULES)}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *few, *others, *arguments],
        cwd=folder,
        env=environment(WEBHOOK_SECRET=SECRET, HOOKPROOF_SECRET=SECRET, BUG=bug, NO_COLOR="1"),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


def assert_green(out: str) -> None:
    assert all(f"[{rule}] PASSED" in out for rule in RULES), out
    assert "every applicable MUST rule passed" in out
    assert not re.search(r"\d+ (failed|error)", out), out


@pytest.mark.parametrize("example", ["aiohttp", "django", "fastapi"])
def test_started_contract_is_green_when_filled_in(example: str, tmp_path: Path) -> None:
    folder = started(example, tmp_path)
    fill_in(folder, FILLED[example])
    assert_green(run(folder, "-W", "error::hookproof.HookproofWarning"))


def test_started_contract_passes_only_when_filled_in(tmp_path: Path) -> None:
    folder = started("flask", tmp_path)
    unfilled = run(folder)
    assert "tests/conftest.py: fill in effects, see FILL IN" in unfilled
    assert "1 failed, " in unfilled
    assert "passed" not in unfilled
    fill_in(folder, FILLED["flask"])
    assert_green(run(folder))
    red = run(folder, "-k", "replay-race", bug="check-then-set")
    assert "test_webhook_contract.py::test_receiver[replay-race] FAILED" in red


def test_effects_alone_do_not_make_it_pass(tmp_path: Path) -> None:
    folder = started("flask", tmp_path)
    conftest = folder / "tests/conftest.py"
    conftest.write_text(PROBE.sub("        return 0\n", conftest.read_text()))
    out = run(folder)
    assert "[valid-basic] FAILED" in out
    assert "passed" not in out


@pytest.fixture
def express(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A started project in JavaScript, and the address at which its receiver listens."""
    if not shutil.which("node") or not (NODE_MODULES / "express/package.json").is_file():
        pytest.skip("node or express is not installed")
    folder = started("express", tmp_path)
    (folder / "node_modules").symlink_to(NODE_MODULES)
    with subprocess.Popen(
        ["node", str(folder / "app.js")],
        env={**os.environ, "WEBHOOK_SECRET": SECRET, "PORT": "0", "BUG": ""},
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdout is not None
        port = node.stdout.readline().rpartition(" ")[2].strip()
        try:
            yield folder, f"http://127.0.0.1:{port}"
        finally:
            node.terminate()


def test_started_contract_by_url_is_green(express: tuple[Path, str]) -> None:
    folder, address = express
    (contract,) = (folder / "tests").glob("*.hookproof.yaml")
    text = contract.read_text().replace("http://127.0.0.1:8000", address)
    contract.write_text(text)
    assert_green(run(folder))
