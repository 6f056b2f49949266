"""The mock sender's server: its port, its streams, its end, and clients that misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, final
from urllib.parse import urlsplit

import pytest
from werkzeug import Request, Response

from hookproof_mockserver import server as serving
from hookproof_mockserver.server import RunningServer, serve
from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATIENCE = 20.0


@final
class EchoSite:
    """Answers with the body it got, streams on /stream until it is closed, breaks on /broken."""

    def __init__(self) -> None:
        self.ending = threading.Event()
        self.left = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse, /) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == "/broken":
            raise LookupError("broken on purpose")
        if request.path == "/stream":
            return Response(self._stream(), direct_passthrough=True)(environ, start)
        return Response(request.get_data())(environ, start)

    def _stream(self) -> Iterator[bytes]:
        try:
            yield b"first\n"
            while not self.ending.wait(0.02):
                yield b"more\n"
        finally:
            self.left.set()

    def close(self) -> None:
        self.ending.set()


@contextmanager
def served(
    site: EchoSite | None = None, errors: list[BaseException] | None = None, host: str = "127.0.0.1"
) -> Iterator[RunningServer]:
    kept: list[BaseException] = [] if errors is None else errors
    with serve(site or EchoSite(), host, report=kept.append) as running:
        yield running


def connected(running: RunningServer) -> socket.socket:
    parts = urlsplit(running.url)
    assert parts.port is not None
    return socket.create_connection((parts.hostname or "", parts.port), timeout=PATIENCE)


def said(running: RunningServer, request: bytes) -> bytes:
    """Send bytes and return all that comes until the server closes."""
    with connected(running) as connection:
        connection.sendall(request)
        return rest(connection)


def rest(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def test_taken_port_is_a_clear_error() -> None:
    with served() as running:
        port = urlsplit(running.url).port
        assert port is not None
        with pytest.raises(HookproofError, match=r"cannot listen: Address already in use"):
            serve(EchoSite(), port=port, report=lambda _: None)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_impossible_port_is_a_clear_error(port: int) -> None:
    with pytest.raises(HookproofError, match="cannot listen"):
        serve(EchoSite(), port=port, report=lambda _: None)


def test_unknown_host_is_a_clear_error() -> None:
    with pytest.raises(HookproofError, match="cannot listen"):
        serve(EchoSite(), "no-such-host.invalid", report=lambda _: None)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6_address_is_served_and_shown(host: str) -> None:
    with served(host=host) as running:
        assert running.url.startswith("http://[::1]:")
        assert said(running, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_port_is_free_again_after_closing() -> None:
    with served() as running:
        port = urlsplit(running.url).port or 0
    with serve(EchoSite(), port=port, report=lambda _: None) as again:
        assert urlsplit(again.url).port == port


def test_answer_carries_no_version() -> None:
    with served() as running:
        answer = said(running, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"\r\nServer:" not in answer
    assert b"Werkzeug" not in answer
    assert b"Python" not in answer


def test_answer_to_head_has_no_body() -> None:
    with served() as running:
        head, _, body = said(
            running, b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        ).partition(b"\r\n\r\n")
    assert b"Content-Length: 2" in head
    assert body == b""


def test_stream_arrives_part_by_part() -> None:
    with served() as running, connected(running) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        seen = b""
        while b"more" not in seen:
            seen += connection.recv(4096)
    assert b"\r\n\r\nfirst\n" in seen


def test_closing_ends_open_streams() -> None:
    site = EchoSite()
    with served(site) as running:
        connections = [connected(running) for _ in range(10)]
        for connection in connections:
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(64, socket.MSG_PEEK)
    for connection in connections:
        with closing(connection):
            assert rest(connection).startswith(b"HTTP/1.1 200 OK")
    assert site.left.is_set()
    assert not [t for t in threading.enumerate() if t.name == "hookproof-site"]


def test_closing_cuts_off_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CLOSING_SECONDS", 0.2)
    with served() as running:
        connection = connected(running)
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 20_000_000
        )
    connection.close()


def test_closing_cuts_off_a_client_that_still_sends() -> None:
    with served() as running:
        connection = connected(running)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        wait_until(lambda: threading.active_count() > 2)
    connection.close()


def test_client_that_leaves_a_stream_ends_it() -> None:
    site = EchoSite()
    errors: list[BaseException] = []
    with served(site, errors) as running:
        with connected(running) as connection:
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(64)
        assert site.left.wait(PATIENCE)
    assert errors == []


def test_error_of_a_thread_is_reported() -> None:
    errors: list[BaseException] = []
    with served(errors=errors) as running:
        said(running, b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [type(error) for error in errors] == [LookupError]


def test_dripping_client_is_cut_off_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.05)
    with served() as running, connected(running) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        ended = threading.Event()
        threading.Thread(target=_drip, args=[connection, ended], daemon=True).start()
        assert ended.wait(PATIENCE)


def _drip(connection: socket.socket, ended: threading.Event) -> None:
    try:
        while True:
            connection.sendall(b"X-Drip: 1\r\n")
            time.sleep(0.05)
    except OSError:
        ended.set()


def test_connections_beyond_the_limit_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 5)
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.05)
    with served() as running:
        waiting = [connected(running) for _ in range(5)]
        with connected(running) as one_more:
            assert one_more.recv(10) == b""
        for connection in waiting:
            connection.close()
        wait_until(lambda: b"200 OK" in _tried(running))


def _tried(running: RunningServer) -> bytes:
    try:
        return said(running, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    except OSError:
        return b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[bad HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_broken_request_breaks_nothing(
    request_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.05)
    errors: list[BaseException] = []
    with served(errors=errors) as running:
        with connected(running) as connection:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            answer = rest(connection)
        assert b"Traceback" not in answer
        assert not answer or answer.startswith(b"HTTP/1.1 4")
        host, port = running.url.removeprefix("http://").split(":")
        client = HTTPConnection(host, int(port), timeout=PATIENCE)
        client.request("POST", "/", b"still here")
        assert client.getresponse().read() == b"still here"
        client.close()
