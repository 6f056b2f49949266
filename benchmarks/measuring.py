"""How every benchmark here measures: in one run, interleaved, in CPU time, beside its peers.

A benchmark is a table of contenders, one of them the reference that ratios are taken of. Rounds go
through all contenders in turn, so that whatever else the machine does falls on all of them alike.
Figures are medians over the rounds, with the quartiles beside them. Nothing here judges.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".cache" / "bench"
Call = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """What one contender took, in microseconds of CPU a call unless the row says otherwise."""

    name: str
    median: float
    low: float
    high: float
    ratio: float


@dataclass
class Row:
    """One row of the table of goals: contenders, the reference, and the goal for ours in words.

    Growth has no goal but a reference: the smallest, beside which the others are seen.
    """

    title: str
    reference: str
    goal: str = ""
    unit: str = "us CPU"
    figures: list[Figure] = field(default_factory=list)

    def fill(self, samples: Mapping[str, Sequence[float]]) -> Row:
        """Take the samples of all contenders."""
        base = statistics.median(samples[self.reference])
        for name, values in samples.items():
            many = len(values) > 1
            low, median, high = statistics.quantiles(values, n=4) if many else [*values] * 3
            self.figures.append(Figure(name, median, low, high, median / base))
        return self


def calls(title: str, contenders: Mapping[str, Call], *, goal: str = "", rounds: int = 15) -> Row:
    """Measure calls that take microseconds; the first contender is the reference."""
    times = {name: _enough(call) for name, call in contenders.items()}
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            samples[name].append(_cost(call, times[name]))
    return Row(title, next(iter(contenders)), goal).fill(samples)


def _enough(call: Call, seconds: float = 0.02) -> int:
    """Return how many calls fill some milliseconds, after warming up."""
    number = 1
    while True:
        begun = time.process_time()
        for _ in range(number):
            call()
        spent = time.process_time() - begun
        if spent > seconds:
            return max(1, int(number * seconds / spent))
        number *= 2


def _cost(call: Call, number: int) -> float:
    gc.collect()
    gc.disable()
    begun = time.process_time()
    for _ in range(number):
        call()
    spent = time.process_time() - begun
    gc.enable()
    return spent / number * 1e6


def in_environment(name: str, packages: Sequence[str]) -> None:
    """Run the calling script in a virtual environment of its own, made where it is missing.

    Peers are installed there and nowhere else. Byte code is compiled, as users have it.
    """
    home = HOME / name
    python = home / "bin" / "python"
    if Path(sys.prefix).resolve() == home.resolve():
        return
    wanted = "\n".join([*packages, str(ROOT)])
    stamp = home / "packages"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *packages, "--editable", str(ROOT)], check=True)
        subprocess.run([python, "-m", "compileall", "-q", home], check=False)
        stamp.write_text(wanted)
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    os.execve(python, [str(python), *sys.argv], variables)


def report(rows: Sequence[Row], versions: Sequence[str] = ()) -> None:
    """Print the rows, and write them to the file that `--json` names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    path = parser.parse_known_args()[0].json
    print(_machine())
    print(", ".join(f"{name} {_version(name)}" for name in versions))
    for row in rows:
        print(f"\n{row.title}" + (f"  (goal: {row.goal})" if row.goal else ""))
        for figure in row.figures:
            spread = f"{figure.low:.2f}-{figure.high:.2f}"
            print(
                f"  {figure.name:34} {figure.median:10.2f} {row.unit}"
                f"  {figure.ratio:8.2f} x  quartiles {spread}"
            )
    if path is not None:
        _write(path, rows, versions)


def _write(path: Path, rows: Sequence[Row], versions: Sequence[str]) -> None:
    told = {
        "command": ["python", *sys.argv],
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": _machine(),
        "versions": {name: _version(name) for name in versions},
        "rows": [asdict(row) for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


def peak_memory(process: int | str = "self") -> float:
    """Return the most memory in MiB that a process has had (Linux).

    `getrusage` would tell that of the parent where it was larger at the fork.
    """
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _machine() -> str:
    load = os.getloadavg()[0]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{platform.platform()}, {os.cpu_count()} CPUs, {python}, load {load:.1f}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
