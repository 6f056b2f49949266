"""The limits that the machine sets, and how close together the last bytes of a race arrive.

Twenty requests wait for their last byte; it leaves for all of them in one go. A receiver in another
process asks the kernel when each arrived (SO_TIMESTAMPNS, Linux alone), so that its own slowness
does not count: the spread is the time from the first to the last of them. It is measured alone, and
while a process for each processor keeps them all busy.

    .venv/bin/python benchmarks/limits.py [--json FILE]
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measuring import ROOT, Row, calls, report

from hookproof.targets.base import Exchange
from hookproof.targets.http import HttpTarget
from hookproof_spec.request import Request

BODY = b'{"_event":"Spare part was out of stock"}'.ljust(449)
KEY = b"a-secret-of-32-characters-length"
CONNECTIONS = 20
BURSTS = 60
ARRIVING = Path(__file__).with_name("arriving.py")
BUSY = "while True: sum(range(10_000))"


def main() -> None:
    report([_computing(), _waiting(), _race()])


def _computing() -> Row:
    return calls(
        "what signing cannot do without",
        {
            "hmac.digest, SHA-256 of 449 bytes": lambda: hmac.digest(KEY, BODY, "sha256"),
            "secrets.token_hex(20)": lambda: secrets.token_hex(20),
            "time.time()": time.time,
        },
    )


def _waiting(rounds: int = 200) -> Row:
    """Measure in time, not CPU: a durable write, and a byte to another process and back."""
    samples: dict[str, list[float]] = {}
    with tempfile.NamedTemporaryFile(dir=ROOT) as file, _process(ECHO) as port:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def durable() -> None:
            os.write(file.fileno(), BODY)
            os.fdatasync(file.fileno())

        def echo() -> None:
            connection.send(b"x")
            connection.recv(1)

        limits: dict[str, Callable[[], None]] = {
            "fdatasync of 449 bytes more": durable,
            "a byte there and back on loopback": echo,
        }
        for name, limit in limits.items():
            samples[name] = [_microseconds(limit) for _ in range(rounds)]
        connection.close()
    return Row("what a delivery waits for", next(iter(samples)), unit="us").fill(samples)


def _microseconds(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1e6


ECHO = """
import socket
with socket.create_server(("127.0.0.1", 0)) as listening:
    print(listening.getsockname()[1], flush=True)
    connection, _ = listening.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(1):
        connection.send(data)
"""


@contextmanager
def _process(*command: str | Path) -> Iterator[int]:
    """Run a receiver that prints its port: a file, or a program's text."""
    first, *_ = command
    how = [first] if isinstance(first, Path) else ["-c", first]
    process = subprocess.Popen([sys.executable, *how], stdout=subprocess.PIPE)
    try:
        yield int(process.stdout.readline())  # type: ignore[union-attr]
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def _busy() -> Iterator[None]:
    """Keep every processor busy."""
    count = os.cpu_count() or 1
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait(10)


def _race() -> Row:
    samples: dict[str, list[float]] = {}
    with _process(ARRIVING) as port, HttpTarget(f"http://127.0.0.1:{port}/") as target:
        _burst(target)  # the kernel takes a moment until it notes when bytes arrive
        samples["alone"] = [_spread(target) for _ in range(BURSTS)]
        with ExitStack() as stack:
            stack.enter_context(_busy())
            samples["under load"] = [_spread(target) for _ in range(BURSTS)]
    title = f"last bytes of {CONNECTIONS} requests, from the first to the last"
    return Row(title, "alone", "at most 500 us", "us").fill(samples)


def _spread(target: HttpTarget) -> float:
    moments = [int(exchange.header("X-Arrived") or 0) for exchange in _burst(target)]
    if 0 in moments:
        raise RuntimeError("a request was not answered")
    return (max(moments) - min(moments)) / 1e3


def _burst(target: HttpTarget) -> list[Exchange]:
    request = Request("POST", target.url, (("Content-Type", "application/json"),), BODY)
    return target.send_all([request] * CONNECTIONS, together=True)


if __name__ == "__main__":
    main()
