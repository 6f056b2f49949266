"""What a plugin costs a pytest run that does not use it: ours beside its peers, interleaved.

Each plugin has a virtual environment of its own under `.cache/bench`, made on the first call. Byte
code is compiled at first, and then taken away from all that is installed, as in an image that is
built without it. Hypothesis, which hookproof depends on, brings a plugin too: "hookproof alone" is
without that one.

    .venv/bin/python benchmarks/pytest_startup.py [--runs 20] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from measuring import HOME, ROOT, Row, report

KINDS = {
    "plain": ["pytest"],
    "hookproof": ["pytest", str(ROOT)],
    "hookproof alone": ["pytest", str(ROOT)],
    "pytest-httpserver": ["pytest", "pytest-httpserver"],
    "schemathesis": ["pytest", "schemathesis"],
}


WITHOUT = {"hookproof alone": ["-p", "no:hypothesispytest"]}
SHARED = {"hookproof alone": "hookproof"}


def prepared(name: str, packages: list[str]) -> Path:
    """Return the Python of a plugin's environment, made where it is missing; ours is always new."""
    python = HOME / name / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME / name], check=True)
        subprocess.run([*install, *packages], check=True)
    elif str(ROOT) in packages:
        subprocess.run([*install, "--no-deps", "--force-reinstall", ROOT], check=True)
    subprocess.run([python, "-m", "compileall", "-q", HOME / name], check=False)
    return python


def cpu_milliseconds(command: Sequence[str | Path], environment: Mapping[str, str]) -> float:
    """Run pytest on one empty test and return the CPU time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return spent * 1000


def without_byte_code(python: Path) -> None:
    """Remove the byte code of all that is installed in an environment."""
    for cache in list(python.parent.parent.glob("lib/**/__pycache__")):
        shutil.rmtree(cache)


def measured(
    pythons: Mapping[str, Path], folder: str, runs: int, more: Mapping[str, str]
) -> dict[str, list[float]]:
    """Run pytest in each environment in turn; the first time is not counted."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    times: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(runs + 1):
        for name, python in pythons.items():
            command = [python, *pytest, *WITHOUT.get(name, []), folder]
            times[name].append(cpu_milliseconds(command, {**kept, **more}))
    return {name: counted for name, (_, *counted) in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_known_args()[0].runs
    pythons = {name: prepared(SHARED.get(name, name), KINDS[name]) for name in KINDS}
    whole = Row("a run of one empty test", "plain", "at most 5 ms more than plain", "ms CPU")
    bare = Row("the same without byte code", "plain", "at most 20 ms more than plain", "ms CPU")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing() -> None:\n    pass\n")
        whole.fill(measured(pythons, folder, runs, {}))
        for python in pythons.values():
            without_byte_code(python)
        bare.fill(measured(pythons, folder, runs, {"PYTHONDONTWRITEBYTECODE": "1"}))
    report([whole, bare])


if __name__ == "__main__":
    main()
