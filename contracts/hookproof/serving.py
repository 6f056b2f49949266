"""Serving a WSGI application from threads of this process, on Werkzeug's server.

Made for receivers under test: quiet, without a version in its answers, calm about broken requests,
and gone without a trace when it is closed.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Self, final
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

STALLED_SECONDS = 30.0
"""How long the server waits for the next bytes of a request."""
LINGER_SECONDS = 1.0
"""How long a connection stays half open for a client that is still sending."""
RAW_HEADERS = "hookproof.headers"
"""In the environ: the header lines as they came, which WSGI alone would join by name."""

log = logging.getLogger(__name__)

Connection = socket.socket | tuple[bytes, socket.socket]
"""What socketserver may hand on; with TCP it is always the socket."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes


_CRASHED = _Answer(500, "Internal Server Error", [("Content-Length", "0")], b"")


def _ask(app: WSGIApplication, environ: WSGIEnvironment) -> _Answer:
    """Call an application and collect its answer; one that raises has answered 500."""
    started: list[tuple[str, Sequence[tuple[str, str]]]] = []
    parts: list[bytes] = []

    def start(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return parts.append

    try:
        answer = app(environ, start)
        try:
            parts.extend(answer)
        finally:
            _close(answer)
        code, _, reason = started[-1][0].partition(" ")
        return _Answer(int(code), reason, started[-1][1], b"".join(parts))
    except Exception:  # whatever an application raises is a 500, as under every server
        log.exception("the application failed")
        return _CRASHED


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()


@final
class _Handler(WSGIRequestHandler):
    """Werkzeug's handler, quiet, with exact header lines, and calm about broken requests."""

    timeout = STALLED_SECONDS
    disable_nagle_algorithm = True  # head and body of an answer are two writes
    protocol_version = "HTTP/1.1"

    def version_string(self) -> str:
        return "hookproof"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass  # Werkzeug's own fails on addresses that are none

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (its name there)
        log.debug(message, *args)

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
        self._send(_Answer(status, status.phrase, [("Content-Length", "0")], b""))

    def make_environ(self) -> WSGIEnvironment:
        environ = super().make_environ()
        environ[RAW_HEADERS] = [
            (name, value.replace("\r\n", "").strip(" \t")) for name, value in self.headers.items()
        ]
        return environ

    def run_wsgi(self) -> None:
        # Werkzeug's own goes on reading after the answer, until a client closes that may itself
        # be waiting for the end.
        self._send(_ask(self.server.app, self.make_environ()))

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def finish(self) -> None:
        super().finish()
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more comes, and take what is still under way.

        Closing at once would reset the connection, and the answer might be lost on its way.
        """
        end = time.monotonic() + LINGER_SECONDS
        self.connection.settimeout(LINGER_SECONDS)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while time.monotonic() < end and self.connection.recv(64 * 1024):
                pass


@final
class _Server(ThreadedWSGIServer):
    """Werkzeug's server with a thread for each connection, all of which end when it is closed."""

    daemon_threads = False

    def __init__(self, host: str, app: WSGIApplication, listening: socket.socket) -> None:
        self._connections: set[Connection] = set()
        port = listening.getsockname()[1]
        super().__init__(host, port, app, _Handler, fd=listening.fileno())

    def process_request(self, request: Connection, client_address: object) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Connection) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("a connection broke", exc_info=True)

    def server_close(self) -> None:
        # Whoever is still sending is cut off; answers in the making are given.
        for connection in self._connections.copy():
            if isinstance(connection, socket.socket):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
        super().server_close()


@final
class RunningServer:
    """A running server; `url` is its address without a path. Closing it frees the port."""

    def __init__(self, server: _Server, url: str) -> None:
        self.url = url
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop accepting, finish what is being answered, and wait for both."""
        self._server.shutdown()
        self._thread.join()


def serve(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> RunningServer:
    """Serve an application in threads of this process; port 0 takes a free one.

    Each connection serves one request and is closed, so that nothing which an application leaves
    unread is taken for the next request. An answer is sent when it is complete.

    Raises:
        HookproofError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise HookproofError(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            hint="take another port, or 0 for a free one",
        ) from error
    with listening:  # the server works on a duplicate
        server = _Server(host, app, listening)
        shown = f"[{host}]" if family is socket.AF_INET6 else host
        return RunningServer(server, f"http://{shown}:{listening.getsockname()[1]}")
