"""Serving the mock sender's site from threads of this process, on Werkzeug's server.

A thread for each connection, since a pool would starve under server-sent events; as many as
`MOST_CONNECTIONS`, and no more. Quiet, without a version in its answers, and gone without a trace
when it is closed, streams included.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, Self, final
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from hookproof_mockserver.safety import HEADERS
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_CONNECTIONS = 512
REQUEST_SECONDS = 20.0
"""How long a client may take to send a request, whole."""
STALLED_SECONDS = 20.0
"""How long an answer waits for a client that does not read."""
LINGER_SECONDS = 1.0
"""How long a connection stays half open for a client that is still sending."""
CLOSING_SECONDS = 1.0
"""How long answers in the making may take when the server is closed."""

_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a server that listens on every address is found from here."""

Connection = socket.socket | tuple[bytes, socket.socket]
"""What socketserver may hand on; with TCP it is always the socket."""
Report = Callable[[BaseException], None]


class Application(Protocol):
    """A WSGI application whose long answers can be ended."""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse, /) -> Iterable[bytes]: ...

    def close(self) -> None:
        """End all answers that have no end of their own."""


@final
class _Deadline(io.RawIOBase):
    """A socket's bytes until a moment, after which reading times out."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(STALLED_SECONDS)


@final
class _Handler(WSGIRequestHandler):
    """Werkzeug's handler: quiet, calm about broken requests, and writing answers as they come."""

    server: _Server
    timeout = STALLED_SECONDS
    disable_nagle_algorithm = True  # head and body of an answer are two writes
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Deadline(self.connection, REQUEST_SECONDS))

    def version_string(self) -> str:
        return ""

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)
        self.send_header("Date", self.date_time_string())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass  # Werkzeug's own fails on addresses that are none

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (its name there)
        pass  # a request may hold a token, and the terminal belongs to the deliveries

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        try:
            urlsplit(self.path)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        # What cannot be parsed is the client's mistake (an unknown HTTP version would be 505), and
        # is not repeated in the answer.
        self.request_version = self.protocol_version
        status = HTTPStatus.BAD_REQUEST if code >= 500 else HTTPStatus(code)
        self._begin(f"{status.value} {status.phrase}", [*HEADERS.items(), ("Content-Length", "0")])

    def run_wsgi(self) -> None:
        # Werkzeug's own goes on reading after the answer, until a client closes that may itself
        # be waiting for the end.
        begun: list[tuple[str, Sequence[tuple[str, str]]]] = []

        def start(
            status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
        ) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return self.wfile.write

        with _closed(self.server.site(self.make_environ(), start)) as parts:
            self._write(iter(parts), begun)

    def _write(
        self, parts: Iterator[bytes], begun: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    ) -> None:
        first = next(parts, b"")
        self._begin(*begun[-1])
        self.wfile.write(first)
        for part in parts:
            self.wfile.write(part)

    def _begin(self, status: str, headers: Sequence[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def finish(self) -> None:
        super().finish()
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more comes, and take what is still under way.

        Closing at once would reset the connection, and the answer might be lost on its way.
        """
        end = time.monotonic() + LINGER_SECONDS
        with suppress(OSError):
            self.connection.settimeout(LINGER_SECONDS)
            self.connection.shutdown(socket.SHUT_WR)
            while time.monotonic() < end and self.connection.recv(64 * 1024):
                pass


@contextmanager
def _closed(parts: Iterable[bytes]) -> Iterator[Iterable[bytes]]:
    try:
        yield parts
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


@final
class _Server(ThreadedWSGIServer):
    """Werkzeug's server with a thread for each connection, all of which end when it is closed."""

    daemon_threads = False

    def __init__(
        self, site: Application, host: str, listening: socket.socket, report: Report
    ) -> None:
        self.site = site
        self._report = report
        self._connections: set[Connection] = set()
        port = listening.getsockname()[1]
        super().__init__(host, port, site, _Handler, fd=listening.fileno())

    def process_request(self, request: Connection, client_address: object) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            self.shutdown_request(request)
            return
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Connection) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):  # those are the client's leaving
            self._report(error)

    def server_close(self) -> None:
        """Close the port; cut off who is still sending, and later who does not read."""
        if not self._connections:  # as when Werkzeug sets its server up
            super().server_close()
            return
        self._cut(socket.SHUT_RD)
        patience = threading.Timer(CLOSING_SECONDS, self._cut, [socket.SHUT_RDWR])
        patience.start()
        super().server_close()
        patience.cancel()
        patience.join()

    def _cut(self, how: int) -> None:
        for connection in self._connections.copy():
            if isinstance(connection, socket.socket):
                with suppress(OSError):
                    connection.shutdown(how)


@final
class RunningServer:
    """A running server; `url` is its address without a path. Closing it frees the port."""

    def __init__(self, site: Application, server: _Server, url: str) -> None:
        self.url = url
        self._site = site
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="hookproof-site"
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop accepting, end streams, finish what is being answered, and wait for all of it."""
        self._server.shutdown()
        self._site.close()
        self._thread.join()


def serve(
    site: Application, host: str = "127.0.0.1", port: int = 0, *, report: Report
) -> RunningServer:
    """Serve the site in threads of this process; port 0 takes a free one.

    What breaks in a thread, other than a client that leaves, is given to `report`.

    Raises:
        HookproofError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bare = host.strip("[]")
    listening = _listening(bare, port, family)
    with listening:  # the server works on a duplicate
        server = _Server(site, bare, listening, report)
        here = _THIS_MACHINE.get(bare, bare)
        shown = f"[{here}]" if family is socket.AF_INET6 else here
        return RunningServer(site, server, f"http://{shown}:{listening.getsockname()[1]}")


def _listening(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    try:
        if not 0 <= port <= 65535:
            raise OSError("a port is a number from 0 to 65535")
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise HookproofError(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            hint="take another port, or 0 for a free one",
        ) from error
