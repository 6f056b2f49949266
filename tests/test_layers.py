"""Imports go down only, the ground floor stays pure, and what everybody loads stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "hookproof_spec": ROOT / "spec",
    "hookproof_mockserver": ROOT / "mockserver",
    "hookproof": ROOT / "contracts",
}
HEAVY = {
    "click",
    "cryptography",
    "hookproof_mockserver",
    "hypothesis",
    "jsonschema",
    "jsonschema_rs",
    "openapi_core",
    "rstr",
    "sqlite3",
    "werkzeug",
    "yaml",
}


def modules(package: str) -> list[Path]:
    return sorted((PACKAGES[package] / package).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def imports_of(path: Path) -> set[str]:
    return set(imported(ast.parse(path.read_text())))


def imports_at_load(path: Path) -> set[str]:
    found: set[str] = set()
    for statement in ast.parse(path.read_text()).body:
        if not isinstance(statement, LATER) and not for_type_checkers(statement):
            found.update(imported(statement))
    return found


LATER = ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef


def for_type_checkers(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("path", modules("hookproof_spec"), ids=lambda path: path.name)
def test_ground_floor_imports_nothing_above(path: Path) -> None:
    assert not imports_of(path) & {"hookproof", "hookproof_mockserver"}


@pytest.mark.parametrize("path", modules("hookproof_spec"), ids=lambda path: path.name)
def test_ground_floor_has_no_clock_and_no_network(path: Path) -> None:
    impure = {"time", "secrets", "socket", "http", "asyncio", "threading"}
    assert not imports_of(path) & impure


@pytest.mark.parametrize("path", modules("hookproof_spec"), ids=lambda path: path.name)
def test_ground_floor_draws_nothing_without_a_seed(path: Path) -> None:
    """An example built from a pattern uses a seeded generator: the same at every call."""
    used = re.findall(r"\brandom\.(\w+\(?\)?)", path.read_text())
    assert set(used) <= {"Random("}


@pytest.mark.parametrize("path", modules("hookproof_mockserver"), ids=lambda path: path.name)
def test_mock_sender_does_not_know_the_contract(path: Path) -> None:
    assert "hookproof" not in imports_of(path)


@pytest.mark.parametrize("path", modules("hookproof"), ids=lambda path: path.name)
def test_contract_reaches_the_mock_sender_inside_functions(path: Path) -> None:
    assert "hookproof_mockserver" not in imports_at_load(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_source_root_holds_its_package_alone(package: str) -> None:
    entries = {entry.name for entry in PACKAGES[package].iterdir()}
    assert entries - {"__pycache__"} == {package}


@pytest.mark.parametrize("module", ["hookproof", "hookproof.pytest_plugin", "hookproof_spec"])
def test_module_that_everybody_loads_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not HEAVY & set(loaded)


def test_command_line_help_imports_click_and_no_more() -> None:
    code = (
        "import sys\nfrom hookproof.cli import main\nsys.argv = ['hookproof', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not (HEAVY - {"click"}) & set(done.stderr.split())
