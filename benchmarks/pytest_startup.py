"""What a plugin costs a pytest run that does not use it: ours beside its peers, interleaved.

Each plugin has a virtual environment of its own under `.cache/bench`, made on the first call. Byte
code is compiled. Hypothesis, which hookproof depends on, brings a plugin too: "hookproof alone" is
without that one.

    .venv/bin/python benchmarks/pytest_startup.py [--runs 20] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
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


def cpu_milliseconds(name: str, python: Path, folder: str) -> float:
    """Run pytest on one empty test and return the CPU time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *WITHOUT.get(name, []), folder],
        check=True,
        capture_output=True,
        env=environment,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return spent * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_known_args()[0].runs
    pythons = {name: prepared(SHARED.get(name, name), KINDS[name]) for name in KINDS}
    times: dict[str, list[float]] = {name: [] for name in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing() -> None:\n    pass\n")
        for name, python in pythons.items():
            cpu_milliseconds(name, python, folder)
        for _ in range(runs):
            for name, python in pythons.items():
                times[name].append(cpu_milliseconds(name, python, folder))
    whole = Row("a run of one empty test", "plain", "at most 5 ms more than plain", "ms CPU")
    report([whole.fill(times)])


if __name__ == "__main__":
    main()
