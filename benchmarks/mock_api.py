"""How long the mock sender's API takes to answer while 20 streams are open and 10,000 wait.

    .venv/bin/python benchmarks/mock_api.py [--waiting 10000] [--streams 20] [--json FILE]

The sender runs in this process, the clients in another. Its receiver takes a request and does not
answer; the endpoint's order is kept, so that all deliveries but one are pending.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from measuring import Row, report

STREAMS = 20
WAITING = 10_000
ASKED = 200
PATHS = (
    "/api/health",
    "/api/webhooks",
    "/api/deliveries?limit=50",
    "/api/deliveries?limit=50&state=pending",
    "/api/events?limit=50",
)


def connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=60)


def asked(url: str, method: str, path: str, token: str = "") -> float:
    """Send one request and return how many seconds its whole answer took."""
    started = time.perf_counter()
    connection = connect(url)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, b"{}" if token else None, headers if token else {})
    response = connection.getresponse()
    response.read()
    connection.close()
    if response.status >= 300:
        raise SystemExit(f"{method} {path} answered {response.status}")
    return time.perf_counter() - started


def listen(url: str, opened: threading.Semaphore) -> None:
    """Read a stream until it ends."""
    connection = connect(url)
    connection.request("GET", "/api/stream")
    response = connection.getresponse()
    opened.release()
    while response.readline():
        pass
    connection.close()


def measure(url: str, token: str, streams: int) -> dict[str, list[float]]:
    """Open streams, and ask for everything in turn."""
    opened = threading.Semaphore(0)
    for _ in range(streams):
        threading.Thread(target=listen, args=[url, opened], daemon=True).start()
    for _ in range(streams):
        opened.acquire()
    found: dict[str, list[float]] = {path: [] for path in (*PATHS, "POST /api/events")}
    for _ in range(ASKED):
        for path in PATHS:
            found[path].append(asked(url, "GET", path))
        found["POST /api/events"].append(asked(url, "POST", "/api/events", token))
    return found


@contextmanager
def deaf() -> Iterator[str]:
    """Listen and answer nothing; connections wait in the backlog."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def serve_and_measure(waiting: int, streams: int, store: Path) -> Row:
    """Run a sender with so many deliveries waiting, and have another process measure it."""
    from hookproof_mockserver.app import create_app
    from hookproof_mockserver.model import DeliveryPolicy
    from hookproof_mockserver.sender import MockSender, Setup
    from hookproof_mockserver.server import serve
    from hookproof_spec import load

    setup = Setup(
        document=load("mobility-work"), store=store, random=random.Random(1), on_error=_end
    )
    with MockSender(setup) as sender, deaf() as receiver:
        policy = DeliveryPolicy(ordered=True, concurrency=1, timeout=300.0)
        sender.register(url=receiver, policy=policy)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: sender.trigger(), range(waiting)))
        app = create_app(sender, report=_end)
        with serve(app, report=_end) as running:
            command = [sys.executable, __file__, "--measure", running.url, "--token", app.token]
            result = subprocess.run(
                [*command, "--streams", str(streams)], check=True, capture_output=True
            )
    samples = {
        path: [each * 1e3 for each in seconds]
        for path, seconds in json.loads(result.stdout).items()
    }
    title = f"an answer of the API, with {streams} streams and {waiting:,} deliveries waiting"
    return Row(title, PATHS[0], unit="ms").fill(samples)


def _end(error: BaseException) -> None:
    raise error


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--waiting", type=int, default=WAITING)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    told = parser.parse_known_args()[0]
    if told.measure:
        print(json.dumps(measure(told.measure, told.token, told.streams)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            serve_and_measure(told.waiting, streams, Path(folder) / f"{streams}.db")
            for streams in (0, told.streams)
        ]
    report(rows)


if __name__ == "__main__":
    main()
