"""The example projects, run as a user would: against the built wheel, each with its own pytest.

In each, all tests pass; and every mistake that its README names turns the named test red.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NODE_MODULES = ROOT / "tests/receivers/express/node_modules"
NEEDED = {
    "aiohttp": ("aiohttp",),
    "django": ("django", "pytest_django"),
    "express": (),
    "fastapi": ("fastapi", "httpx", "time_machine"),
    "flask": ("flask",),
}
FEW = ("-o", "hookproof_examples=3")
"""Properties are not what is tested here."""
BUG = re.compile(r"^\| `(\S+)` \|.*\| `test_\w+\[(\S+)\]` \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake that a README names, and the rule whose test it turns red."""

    example: str
    bug: str
    rule: str


def planted() -> list[Planted]:
    return [
        Planted(name, *found)
        for name in sorted(NEEDED)
        for found in BUG.findall((EXAMPLES / name / "README.md").read_text())
    ]


def missing(example: str) -> str:
    """Return why an example cannot be run here, or nothing."""
    absent = [name for name in NEEDED[example] if importlib.util.find_spec(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if example == "express" and not shutil.which("node"):
        return "node is not installed"
    if example == "express" and not (NODE_MODULES / "express/package.json").is_file():
        return f"express is not installed (npm install in {NODE_MODULES.parent})"
    return ""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and installed into a directory of its own, by the first worker to ask."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    site = shared / "site"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            install(tmp_path_factory.mktemp("wheel")).rename(site)
    where = [sys.executable, "-c", "import hookproof; print(hookproof.__file__)"]
    found = subprocess.run(where, env=environment(site), capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(site))  # and not this repository
    return site


def install(folder: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = str(next(folder.glob("*.whl")))
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--no-compile"]
    pip += ["--disable-pip-version-check", "--no-index", "--target", str(site), wheel]
    subprocess.run(pip, check=True, capture_output=True)
    return site


def environment(site: Path, bug: str = "") -> dict[str, str]:
    unwanted = (
        *("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "WEBHOOK_SECRET"),
        "PYTHONDONTWRITEBYTECODE",  # what was installed is compiled once for all runs
    )
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "PYTHONPATH": str(site), "BUG": bug, "NO_COLOR": "1"}


def run(example: str, installed: Path, folder: Path, *arguments: str, bug: str = "") -> str:
    """Run an example's tests in a copy of it, and return what pytest printed."""
    if reason := missing(example):
        pytest.skip(reason)
    copy = folder / example
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "*.sqlite3")
    shutil.copytree(EXAMPLES / example, copy, ignore=ignored)
    if example == "express":
        (copy / "node_modules").symlink_to(NODE_MODULES)
    absent = (
        "asyncio",
        "anyio",
        "randomly",
        "xdist",
        *(() if example == "django" else ("django",)),
    )
    others = [word for name in absent for word in ("-p", f"no:{name}")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *FEW, *others, *arguments],
        cwd=copy,
        env=environment(installed, bug),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("example", sorted(NEEDED))
def test_example_passes_its_tests(example: str, installed: Path, tmp_path: Path) -> None:
    out = run(example, installed, tmp_path, "-W", "error::hookproof.HookproofWarning")
    assert re.search(r"^=+ \d+ passed, [^=]*\bskipped", out, re.MULTILINE), out
    assert not re.search(r"\d+ (failed|error)", out), out
    assert "every applicable MUST rule passed" in out
    for case in planted():
        assert case.example != example or re.search(rf"\[{case.rule}\] PASSED", out), case


@pytest.mark.once
@pytest.mark.parametrize("case", planted(), ids=lambda case: f"{case.example}-{case.bug}")
def test_planted_mistake_turns_its_test_red(case: Planted, installed: Path, tmp_path: Path) -> None:
    out = run(case.example, installed, tmp_path, "-k", case.rule, bug=case.bug)
    assert re.search(rf"^FAILED .*\[{case.rule}\]", out, re.MULTILINE), out


def test_every_example_plants_at_least_two_mistakes() -> None:
    for example in NEEDED:
        assert len([case for case in planted() if case.example == example]) >= 2, example
