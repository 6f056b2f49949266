"""Miniatures over a real socket: HTTP/1.1 with kept connections, and steps to get wrong.

Header lines keep their names' case, their order, their duplicates and every byte (as Latin-1).
The body is read whole, chunked or not, before a request is judged, so that nothing of it is taken
for the next request.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, ClassVar, final

from hookproof.miniatures.base import Miniature
from hookproof_spec.request import Header, Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STALLED_SECONDS = 5.0
LINGER_SECONDS = 1.0
EFFECTS = "/effects"
DROP = 0
"""The status of a request whose connection is closed without an answer."""


class _Arriving(RawIOBase):
    """What arrives on a connection; counts how often it was read."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self.count = 0
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self.count += 1
        return self._connection.recv_into(buffer)


class Stream(BufferedReader):
    """A connection's bytes, read ahead as they arrive; `reads` tells how many arrivals it took."""

    def __init__(self, connection: socket.socket) -> None:
        self._arriving = _Arriving(connection)
        super().__init__(self._arriving)

    @property
    def reads(self) -> int:
        """How often the connection was read."""
        return self._arriving.count


class Steps:
    """How a request comes off its connection: the correct way."""

    keeps_open: ClassVar[bool] = False
    """Whether a connection is kept although a body on it was refused unread."""

    def refuse_unread(self, head: Request) -> int | None:
        """Return a status that refuses a request before its body is read, `DROP`, or None."""
        return None

    def read_body(self, stream: Stream, head: Request) -> bytes:
        """Read the body to its end."""
        if "chunked" in (head.header("Transfer-Encoding") or "").lower():
            return b"".join(_chunks(stream))
        return stream.read(int(head.header("Content-Length") or 0))


class OnTheWire(Steps, Miniature):
    """A miniature with steps of its own in `Steps`, judged over HTTP alone."""

    wire: ClassVar[bool] = True


def _chunks(stream: Stream) -> Iterator[bytes]:
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass


@final
@dataclass(frozen=True, slots=True)
class Served:
    """Where a served miniature is, and where its effects are told."""

    url: str
    effects_url: str


@contextmanager
def serve(receiver: Miniature) -> Iterator[Served]:
    """Serve a miniature on a free port of this machine, one thread for each connection."""
    with _Server(receiver) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield Served(f"{base}/webhook", f"{base}{EFFECTS}")
        finally:
            server.shutdown()
            thread.join()


@final
class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False

    def __init__(self, receiver: Miniature) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receiver = receiver
        self.steps = receiver if isinstance(receiver, Steps) else Steps()

    def handle_error(self, request: object, client_address: object) -> None:
        """A bug has shown itself as 500, and a broken connection is the client's business."""


@dataclass(slots=True)
class _Answer:
    status: int = 500
    headers: tuple[Header, ...] = (("Connection", "close"),)
    body: bytes = b""

    def start(
        self, status: str, headers: list[Header], _: object = None, /
    ) -> Callable[[bytes], object]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = tuple(headers)
        return bytes


@final
class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = STALLED_SECONDS
    wbufsize = -1  # head and body of an answer leave in one write
    disable_nagle_algorithm = True
    server: _Server
    lingers = False

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = self.stream = Stream(self.connection)

    def serve(self) -> None:
        """Answer one request."""
        head = Request(self.command, self.path, tuple(self.headers.items()), b"")
        refused = self.server.steps.refuse_unread(head)
        if refused is not None:
            self._refuse_unread(refused)
            return
        body = self.server.steps.read_body(self.stream, head)
        if len(body) < int(head.header("Content-Length") or 0):
            self.close_connection = True  # what is left would be taken for a request
        if (head.method, head.url) == ("GET", EFFECTS):
            self._send(_Answer(200, (), json.dumps(self.server.receiver.names).encode()))
        else:
            self._judge(head.with_body(body))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def _judge(self, request: Request) -> None:
        """A bug that raises has answered 500, and ends its connection."""
        answer = crashed = _Answer()
        try:
            told = _Answer()
            told.body = b"".join(self.server.receiver.respond(request, told.start))
            answer = told
        finally:
            self.close_connection |= answer is crashed
            self._send(answer)

    def _refuse_unread(self, status: int) -> None:
        if status != DROP:
            kept = self.server.steps.keeps_open
            self._send(_Answer(status, () if kept else (("Connection", "close"),)))
        self.close_connection = self.close_connection or not self.server.steps.keeps_open
        self.lingers = self.close_connection and status != DROP

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status, "")
        named = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in named and answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection and "connection" not in named:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if self.lingers:
            self._linger()

    def _linger(self) -> None:
        """Take what is still under way: closing at once would reset the connection, and the answer
        might be lost."""
        end = time.monotonic() + LINGER_SECONDS
        self.connection.settimeout(LINGER_SECONDS)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while time.monotonic() < end and self.connection.recv(64 * 1024):
                pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""
