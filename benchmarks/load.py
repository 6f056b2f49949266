"""Load tests: memory against the number of requests, and what judging costs beside bare Locust.

    .venv/bin/python benchmarks/load.py [--million] [--json FILE]

Sizes go up to 10^5, with `--million` to 10^6. A peak is that of a whole process: Locust's, and that
of `hookproof load`, which adds up and judges. The receiver answers 200 to everything.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from measuring import Row, in_environment, peak_memory, report
from processes import SECRET, _answering, script, spent

PEERS = ["locust"]
SIZES = (1_000, 10_000, 100_000)
USERS = "20"
COUNT, ROUNDS = 20_000, 3
LOOK = 0.2
BARE = f"""
import gevent
from locust import FastHttpUser, task

class Bare(FastHttpUser):
    host = {{host!r}}
    count = 0

    @task
    def send(self):
        headers = {{{{"Content-Type": "application/json"}}}}
        self.client.post("/webhook", data={{body!r}}, headers=headers)
        Bare.count += 1
        if Bare.count == {COUNT}:
            gevent.spawn(self.environment.runner.quit)
"""
"""The same client, sending the same bytes again and again: no signature, no counts by kind."""


@dataclass(frozen=True)
class Peaks:
    """The peaks in MiB of Locust's process and of ours, the CPU of both, and how many requests."""

    locust: float
    ours: float
    cpu: float
    requests: int


def main() -> None:
    in_environment("load", PEERS)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="up to 10^6")
    asked = parser.parse_known_args()[0]
    sizes = (*SIZES, 1_000_000) if asked.million else SIZES
    with tempfile.TemporaryDirectory() as folder:
        report([*by_requests(sizes, Path(folder)), *beside_locust(Path(folder))], PEERS)


def by_requests(sizes: Sequence[int], folder: Path) -> Iterator[Row]:
    peaks = [loaded(size, folder) for size in sizes]
    names = [f"{one.requests:,} requests" for one in peaks]
    for title, figures, unit in (
        ("peak memory of Locust's process, by requests", [p.locust for p in peaks], "MiB"),
        ("peak memory of hookproof load, by requests", [p.ours for p in peaks], "MiB"),
        (
            "CPU of both, a request, start included",
            [p.cpu / p.requests * 1e6 for p in peaks],
            "us CPU",
        ),
    ):
        samples = {name: [figure] for name, figure in zip(names, figures, strict=True)}
        yield Row(title, names[0], unit=unit).fill(samples)


def loaded(count: int, folder: Path) -> Peaks:
    """Send at least so many requests, and look at both processes while they are sent."""
    told = folder / "load.json"
    with _answering() as (url, _):
        process = subprocess.Popen(
            [*command(url, count), "--report", f"json={told}"],
            cwd=folder,
            env={**os.environ, "HOOKPROOF_SECRET": SECRET},
            stdout=subprocess.DEVNULL,
        )
        locust = ours = 0.0
        while process.returncode is None:
            ours = max(ours, peak(process.pid))
            locust = max([locust, *map(peak, children(process.pid))])
            time.sleep(LOOK)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"hookproof load ended with {process.returncode}")
    requests = json.loads(told.read_text())["requests"]
    return Peaks(locust, ours, usage.ru_utime + usage.ru_stime, requests)


def command(url: str, count: int) -> list[str | Path]:
    options = ["--users", USERS, "--requests", str(count), "--mix", "valid=1"]
    return [script("hookproof"), "load", f"{url}/webhook", *options]


def children(process: int) -> list[int]:
    with suppress(FileNotFoundError):
        path = Path(f"/proc/{process}/task/{process}/children")
        return [int(word) for word in path.read_text().split()]
    return []


def peak(process: int) -> float:
    """Return the peak of a process; 0 where it has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError, StopIteration):
        return peak_memory(process)
    return 0.0


def beside_locust(folder: Path) -> Iterator[Row]:
    """Compare with bare Locust, both with their start: fractions of a second of it."""
    from hookproof_spec import load, payloads

    webhook = load("mobility-work").webhook()
    body = payloads.write(webhook, payloads.example(webhook))
    costs: dict[str, list[float]] = {"bare Locust": [], "hookproof load": []}
    told = folder / "load.json"
    for _ in range(ROUNDS):
        with _answering() as (url, _counted):
            bare = folder / "bare.py"
            bare.write_text(BARE.format(host=url, body=body))
            options = ["--headless", "--users", USERS, "--spawn-rate", USERS, "--only-summary"]
            one = spent([sys.executable, "-m", "locust", "-f", bare, *options], folder)
            costs["bare Locust"].append(one.cpu / COUNT * 1e6)
        with _answering() as (url, _counted):
            one = spent([*command(url, COUNT), "--report", f"json={told}"], folder)
            requests = json.loads(told.read_text())["requests"]
            costs["hookproof load"].append(one.cpu / requests * 1e6)
    yield Row(f"CPU of both, a request ({COUNT:,} of them)", "bare Locust").fill(costs)


if __name__ == "__main__":
    main()
