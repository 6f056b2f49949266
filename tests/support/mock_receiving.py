"""A receiver on a loopback port that keeps what it gets and answers as a test says."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 30.0
"""After so many seconds a test gives up waiting."""


@dataclass(frozen=True)
class Received:
    """One request as it arrived; `number` counts them from 1."""

    number: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"


Answering = Callable[[Received], Reply]


@dataclass
class Receiver:
    """A running receiver. `gate` is open; a test that closes it makes every answer wait."""

    url: str
    received: list[Received] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def took(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Received:
        """Keep a request."""
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            number = len(self.received) + 1
            self.received.append(Received(number, method, path, tuple(headers), body))
            return self.received[-1]

    def done(self) -> None:
        """Count a request as answered."""
        with self._lock:
            self.at_once -= 1

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have come."""
        until(lambda: len(self.received) >= count)


def until(true: Callable[[], bool]) -> None:
    """Wait for something to come true."""
    ends = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > ends:
            raise AssertionError("it has not come true in time")
        time.sleep(0.005)


def answers(*replies: Reply) -> Answering:
    """Answer with one reply after another; the last one remains."""
    return lambda request: replies[min(request.number, len(replies)) - 1]


@contextmanager
def receiving(answering: Answering = lambda _: Reply()) -> Iterator[Receiver]:
    """Serve."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            request = receiver.took(self.command, self.path, self.headers.items(), body)
            receiver.gate.wait(PATIENCE)
            reply = answering(request)
            receiver.done()
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = False
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """A sender that hangs up is nothing to tell."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/webhook")
    receiver.gate.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
