"""Whole commands: the contract beside Schemathesis, and how long a command takes to begin.

The contract runs over HTTP against our reference receiver, a process of its own. Schemathesis finds
no operation in a document with webhooks alone, so that it gets the same schema as a POST; its CPU
time is compared for each request, as it decides itself how many it sends.

    .venv/bin/python benchmarks/processes.py [--json FILE]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
        rows = [*_contract(place), *_beginnings(place)]
    report(rows, PEERS)


def spent(command: Sequence[str | Path], folder: Path) -> Spent:
    """Run a command to its end."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**variables, "HOOKPROOF_SECRET": SECRET},
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


def _beginnings(folder: Path, rounds: int = 15) -> list[Row]:
    argparse, click = folder / "bare_argparse.py", folder / "bare_click.py"
    argparse.write_text("import argparse\nargparse.ArgumentParser().parse_args()\n")
    click.write_text("import click\nclick.command()(lambda: None)()\n")
    commands: dict[str, list[str | Path]] = {
        "bare argparse": [sys.executable, argparse, "--help"],
        "hookproof --help": [script("hookproof"), "--help"],
        "bare click": [sys.executable, click, "--help"],
        "hookproof rules": [script("hookproof"), "rules"],
        "schemathesis --help": [script("schemathesis"), "--help"],
    }
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            samples[name].append(spent(command, folder).cpu * 1e3)
    return [
        Row(
            "a command's beginning", "bare argparse", "--help at most 2 x bare argparse", "ms CPU"
        ).fill(samples)
    ]


def script(name: str) -> str:
    return str(Path(sys.prefix) / "bin" / name)


if __name__ == "__main__":
    in_environment("processes", PEERS)
    main()
