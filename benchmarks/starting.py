"""How long a command and a pytest run take to begin, with byte code and where none is written.

    .venv/bin/python benchmarks/starting.py [--json FILE]

A few rounds in the environment it is called from, for CI to print; `processes.py` and
`pytest_startup.py` measure more of them, beside peers. Nothing is judged.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from measuring import Row, report
from processes import beginnings, interleaved, without_byte_code

ROUNDS = 7
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""No plugin but those that are named: other people's are not what is measured."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report([*beginnings(folder, ROUNDS, peers=False), *test_runs(folder)])


def test_runs(folder: Path) -> list[Row]:
    """Measure a run that does not use the plugin, with it and without."""
    (folder / "test_nothing.py").write_text("def test_nothing() -> None:\n    pass\n")
    plain = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_nothing.py"]
    runs = {"plain": plain, "hookproof": [*plain, "-p", "hookproof.pytest_plugin"]}

    def row(title: str, goal: str, more: Mapping[str, str]) -> Row:
        return Row(title, "plain", goal, "ms CPU").fill(interleaved(runs, folder, ROUNDS, more))

    bare = {**ALONE, **without_byte_code(folder)}
    return [
        row("a pytest run of one empty test", "at most 5 ms more than plain", ALONE),
        row("the same, without byte code of ours", "at most 20 ms more than plain", bare),
    ]


if __name__ == "__main__":
    main()
