"""Whole commands: the contract beside Schemathesis, and how long a command takes to begin.

The contract runs over HTTP against our reference receiver, a process of its own. Schemathesis finds
no operation in a document with webhooks alone, so that it gets the same schema as a POST; its CPU
time is compared for each request, as it decides itself how many it sends.

    .venv/bin/python benchmarks/processes.py [--json FILE]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from measuring import Row, in_environment, peak_memory, report

PEERS = ["schemathesis", "click"]
SECRET = "a-secret-of-32-characters-length"


@dataclass(frozen=True)
class Spent:
    """What a process took: CPU and wall time in seconds, peak memory in MiB."""

    cpu: float
    wall: float
    memory: float
    status: int


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = [*_contract(place), *beginnings(place)]
    report(rows, PEERS)


def spent(
    command: Sequence[str | Path], folder: Path, more: Mapping[str, str] = MappingProxyType({})
) -> Spent:
    """Run a command to its end, with more variables in its environment."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**variables, "HOOKPROOF_SECRET": SECRET, **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Spent(
        usage.ru_utime + usage.ru_stime,
        time.perf_counter() - begun,
        usage.ru_maxrss / 1024,
        process.returncode,
    )


def _contract(folder: Path, rounds: int = 5) -> list[Row]:
    report_path = folder / "report.json"
    document = folder / "openapi.json"
    document.write_text(json.dumps(_as_post()))
    ours, theirs = [], []
    per_request: dict[str, list[float]] = {"Schemathesis": [], "hookproof": []}
    for _ in range(rounds):
        with receiver() as listening:
            command = [script("hookproof"), "verify", f"{listening.url}/webhook"]
            effects = ["--effects-url", f"{listening.url}/effects"]
            one = spent([*command, *effects, "--report", f"json={report_path}"], folder)
        if one.status != 0:
            raise RuntimeError(f"the contract ended with {one.status}")
        requests = json.loads(report_path.read_text())["requests"]
        ours.append(one)
        per_request["hookproof"].append(one.cpu / requests * 1e6)
        other, count = _schemathesis(document, folder)
        theirs.append(other)
        per_request["Schemathesis"].append(other.cpu / count * 1e6)
    return [
        Row(
            f"the whole default contract over HTTP ({requests} requests)",
            "wall",
            "at most 5 s wall, 1.5 s of our CPU",
            "s",
        ).fill({"wall": [one.wall for one in ours], "CPU": [one.cpu for one in ours]}),
        Row("CPU for each request", "Schemathesis", "at most 0.15 x Schemathesis").fill(
            per_request
        ),
        Row("peak memory", "Schemathesis", "at most 0.5 x Schemathesis", "MiB").fill(
            {
                "Schemathesis": [one.memory for one in theirs],
                "hookproof": [one.memory for one in ours],
            }
        ),
    ]


def _schemathesis(document: Path, folder: Path) -> tuple[Spent, int]:
    with _answering() as (url, counted):
        one = spent(
            [
                script("schemathesis"),
                "run",
                str(document),
                "--url",
                url,
                "--max-examples",
                "1000",
                "--checks",
                "not_a_server_error",
                "--phases",
                "fuzzing",
            ],
            folder,
        )
    if counted[0] < 100:
        raise RuntimeError(f"Schemathesis sent {counted[0]} requests: too few to compare")
    return one, counted[0]


def _as_post() -> dict[str, object]:
    from hookproof_spec import load

    webhook = load("mobility-work").webhook()
    # A `$ref` of ours points into the schema itself; Schemathesis wants it in the document.
    text = json.dumps(dict(webhook.schema)).replace("#/$defs/", "#/components/schemas/")
    moved = json.loads(text)
    schemas = moved.pop("$defs", {})
    content = {webhook.media_type: {"schema": moved}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "taken"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "the same as a POST", "version": "1"},
        "paths": {"/webhook": {"post": operation}},
        "components": {"schemas": schemas},
    }


@dataclass(frozen=True)
class Listening:
    """A running `hookproof listen`."""

    url: str
    pid: int

    @property
    def cpu(self) -> float:
        """How many seconds of CPU it has taken so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak(self) -> float:
        """Its peak memory so far, in MiB."""
        return peak_memory(self.pid)


@contextmanager
def receiver() -> Iterator[Listening]:
    """Serve the reference receiver."""
    process = subprocess.Popen(
        [script("hookproof"), "listen", "--port", "0", "-q", "--format", "json"],
        env={**os.environ, "HOOKPROOF_SECRET": SECRET},
        stdout=subprocess.PIPE,
    )
    try:
        first = json.loads(process.stdout.readline())  # type: ignore[union-attr]
        # The rest must be read, or the receiver would wait for it.
        subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield Listening(first["ready"].removesuffix("/webhook"), process.pid)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def _answering() -> Iterator[tuple[str, list[int]]]:
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("answering.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    counted: list[int] = []
    port = int(process.stdout.readline())  # type: ignore[union-attr]
    try:
        yield f"http://127.0.0.1:{port}", counted
    finally:
        out, _ = process.communicate(timeout=10)
        counted.append(int(out))


def beginnings(folder: Path, rounds: int = 15, *, peers: bool = True) -> list[Row]:
    """Measure how long commands take to begin: with their byte code, and where there is none."""
    argparse, click = folder / "bare_argparse.py", folder / "bare_click.py"
    argparse.write_text("import argparse\nargparse.ArgumentParser().parse_args()\n")
    click.write_text("import click\nclick.command()(lambda: None)()\n")
    ours: dict[str, list[str | Path]] = {
        "bare argparse": [sys.executable, argparse, "--help"],
        "hookproof --help": [script("hookproof"), "--help"],
        "bare click": [sys.executable, click, "--help"],
        "hookproof rules": [script("hookproof"), "rules"],
    }
    theirs: dict[str, list[str | Path]] = {
        "schemathesis --help": [script("schemathesis"), "--help"]
    }
    goal = "--help at most 2 x bare argparse"
    whole = Row("a command's beginning", "bare argparse", goal, "ms CPU")
    bare = Row("the same, without byte code of ours and click's", "bare argparse", unit="ms CPU")
    variables = without_byte_code(folder)
    return [
        whole.fill(interleaved({**ours, **theirs} if peers else ours, folder, rounds)),
        bare.fill(interleaved(ours, folder, rounds, variables)),
    ]


def interleaved(
    commands: Mapping[str, Sequence[str | Path]],
    folder: Path,
    rounds: int,
    more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, list[float]]:
    """Run commands in turn; return the milliseconds of CPU that each took each time."""
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            samples[name].append(spent(command, folder, more).cpu * 1e3)
    return samples


def without_byte_code(folder: Path) -> dict[str, str]:
    """Copy ours and click without byte code; return the variables under which it stays so."""
    for name in ("click", "hookproof", "hookproof_spec"):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{name} is not installed")
        source, copy = Path(spec.origin).parent, folder / "bare" / name
        if not copy.exists():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return {"PYTHONPATH": str(folder / "bare"), "PYTHONDONTWRITEBYTECODE": "1"}


def script(name: str) -> str:
    return str(Path(sys.prefix) / "bin" / name)


if __name__ == "__main__":
    in_environment("processes", PEERS)
    main()
