"""One HTTP/1.1 request, byte for byte, within one deadline; what came back, or why nothing did.

No redirect is followed and no proxy is used. A request goes out on a connection of its own. The
deadline holds for everything but the look-up of a host's name, which the system bounds.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit

from hookproof_mockserver.model import Response
from hookproof_spec.request import Request
from hookproof_spec.scheme import on_the_wire

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

KEPT = 65_536
"""How many bytes of an answer's body are kept; the rest is not read."""

_INTERIM = 20
_DRIPS = 20


class Manner(StrEnum):
    """How a request's bytes leave."""

    PLAIN = "plain"
    SLOW_BODY = "slow body"
    RESET = "reset"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms requests go out: `timeout` bounds the whole exchange; `slow` is how long a
    slow body takes, which comes on top. `ca_file` is trusted beside the system's certificates.
    """

    timeout: float
    manner: Manner = Manner.PLAIN
    slow: float = 0.0
    ca_file: Path | None = None


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: a response, or a failure in words; and how many seconds it took."""

    response: Response | None
    failure: str
    seconds: float


def wire(request: Request) -> tuple[bytes, bytes]:
    """Return a request's head and body as they travel. Nothing is added to it."""
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{request.method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")]
    lines += [on_the_wire(name) + b": " + on_the_wire(value) for name, value in request.headers]
    return b"\r\n".join(lines) + b"\r\n\r\n", request.body


def framed(request: Request) -> Request:
    """Return a request with the header lines that HTTP needs, where it does not name them."""
    named = {name.lower() for name, _ in request.headers}
    host = () if "host" in named else (("Host", host_header(request.url)),)
    end = () if "connection" in named else (("Connection", "close"),)
    if not named & {"content-length", "transfer-encoding"}:
        end = (("Content-Length", str(len(request.body))), *end)
    return Request(request.method, request.url, (*host, *request.headers, *end), request.body)


@lru_cache(maxsize=1_024)
def host_header(url: str) -> str:
    """Return what the Host header says of a URL."""
    host, port, secure = address(url)
    name = f"[{host}]" if ":" in host else host
    return name if port == (443 if secure else 80) else f"{name}:{port}"


def address(url: str) -> tuple[str, int, bool]:
    """Return a URL's host, port, and whether it is reached through TLS."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return parts.hostname or "", parts.port or (443 if secure else 80), secure


def exchange(request: Request, terms: Terms) -> Answer:
    """Send one request and return what came of it; never raises for what a receiver does."""
    return exchange_at_once([request], terms)[0]


def exchange_at_once(requests: Sequence[Request], terms: Terms) -> list[Answer]:
    """Send requests on a connection each, all of them before the first answer is read."""
    with ExitStack() as stack:
        flights = [stack.enter_context(_Flight(request, terms)) for request in requests]
        for step in (_Flight.connect, _Flight.send):
            for flight in flights:
                flight.attempt(step)
        return [flight.land() for flight in flights]


@final
class _Flight:
    """One request on its way."""

    def __init__(self, request: Request, terms: Terms) -> None:
        self._request = request
        self._terms = terms
        self._begun = time.monotonic()
        slow = terms.slow if terms.manner is Manner.SLOW_BODY else 0.0
        self._ends = self._begun + terms.timeout + slow
        self._socket: socket.socket | None = None
        self._failure = ""

    def __enter__(self) -> _Flight:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def attempt(self, step: Callable[[_Flight], None]) -> None:
        """Take a step, unless one before has failed."""
        if self._failure:
            return
        try:
            step(self)
        except TimeoutError:
            self._failure = self._late()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._failure = _words(error)

    def land(self) -> Answer:
        """Read the answer."""
        responses: list[Response] = []
        self.attempt(lambda flight: responses.append(flight.read()))
        seconds = time.monotonic() - self._begun
        if self._failure:
            return Answer(None, self._failure, seconds)
        return Answer(responses[0], "", seconds)

    def connect(self) -> None:
        """Reach the receiver."""
        host, port, secure = address(self._request.url)
        self._socket = _connected(host, port, self._left)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            context = ssl.create_default_context()
            if self._terms.ca_file is not None:
                context.load_verify_locations(self._terms.ca_file)
            self._socket.settimeout(self._left())
            self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def send(self) -> None:
        """Let the bytes leave in the manner asked for."""
        head, body = wire(self._request)
        try:
            self._send(head, body)
        except (BrokenPipeError, ConnectionResetError):
            if self._terms.manner is Manner.RESET:
                raise
            # It may have answered before it closed, as for a body that is too large.

    def _send(self, head: bytes, body: bytes) -> None:
        match self._terms.manner:
            case Manner.PLAIN:
                self._write(head + body)
            case Manner.SLOW_BODY:
                self._write(head)
                for drip in _drips(body):
                    time.sleep(self._terms.slow / _DRIPS)
                    self._write(drip)
            case Manner.RESET:
                self._write(head + body[: len(body) // 2])
                _reset(self._connected_socket())
                self._failure = "the connection was reset in mid-body, on purpose"

    def read(self) -> Response:
        """Read one final answer."""
        stream = _Stream(self._connected_socket(), self._left)
        interim = 0
        while True:
            answer = http.client.HTTPResponse(stream, method=self._request.method)  # type: ignore[arg-type]
            answer.begin()
            if not 100 <= answer.status < 200 or answer.status == 101:
                break
            answer.fp = None  # type: ignore[assignment]  # or it closes the stream when it goes
            interim += 1
            if interim > _INTERIM:
                raise http.client.HTTPException("more interim answers than anybody sends")
        body = _body(answer)
        headers = tuple(answer.headers.raw_items()) if answer.headers else ()
        return Response(
            status=answer.status,
            headers=tuple((name, str(value)) for name, value in headers),
            body=body[:KEPT],
            cut=len(body) > KEPT,
        )

    def _connected_socket(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("not connected")
        return self._socket

    def _write(self, data: bytes) -> None:
        connection = self._connected_socket()
        connection.settimeout(self._left())
        connection.sendall(data)

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _late(self) -> str:
        return f"no answer within {self._terms.timeout:g} s"


def _body(answer: http.client.HTTPResponse) -> bytes:
    """Return what is kept of a body, and one byte more where there is more."""
    try:
        body = answer.read(KEPT + 1)
    except http.client.IncompleteRead as error:
        raise _cut_short(answer, len(error.partial)) from error
    if len(body) <= KEPT and answer.length:
        raise _cut_short(answer, len(body))
    return body


def _cut_short(answer: http.client.HTTPResponse, length: int) -> http.client.HTTPException:
    return http.client.HTTPException(
        f"the answer {answer.status} was cut after {length} bytes of its body"
    )


@final
class _Stream(io.RawIOBase):
    """A socket as a file whose every read ends at one deadline, however the bytes drip."""

    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left
        self._buffered = io.BufferedReader(self)

    def makefile(self, _mode: str) -> io.BufferedIOBase:
        return self._buffered

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connection.settimeout(self._left())
        return self._connection.recv_into(buffer)


_Place = tuple[int, int, int, tuple[Any, ...]]
"""A family, a kind and a protocol of sockets, and an address of theirs."""


def _connected(host: str, port: int, left: Callable[[], float]) -> socket.socket:
    """Connect to the first address of a host that answers."""
    problem: OSError = ConnectionError("the host has no address")
    for family, kind, protocol, where in _addresses(host, port, left):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left())
            connection.connect(where)
        except OSError as error:
            connection.close()
            problem = error
        else:
            return connection
    raise problem


def _addresses(host: str, port: int, left: Callable[[], float]) -> list[_Place]:
    """Return a host's addresses.

    A name is looked up in a thread of its own, which is left behind when the time is over: the
    system's resolver knows no deadline.
    """
    if _is_address(host):
        return _looked_up(host, port)
    found: SimpleQueue[list[_Place] | OSError] = SimpleQueue()

    def look() -> None:
        try:
            found.put(_looked_up(host, port))
        except OSError as error:
            found.put(error)

    threading.Thread(target=look, name="hookproof look-up", daemon=True).start()
    try:
        answer = found.get(timeout=left())
    except Empty as error:
        raise TimeoutError("the name was not found in time") from error
    if isinstance(answer, OSError):
        raise answer
    return answer


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _looked_up(host: str, port: int) -> list[_Place]:
    # RFC 6761, 6.3: every name under it is this machine, whatever a name server says of it.
    here = "localhost" if host.endswith(".localhost") else host
    listed = socket.getaddrinfo(here, port, type=socket.SOCK_STREAM)
    return [(family, kind, protocol, where) for family, kind, protocol, _, where in listed]


def _drips(body: bytes) -> Iterator[bytes]:
    size = max(1, -(-len(body) // _DRIPS))
    for place in range(0, len(body), size):
        yield body[place : place + size]


def _reset(connection: socket.socket) -> None:
    """Close so that the other side sees a reset: what is unsent is thrown away (SO_LINGER 0)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _words(error: Exception) -> str:
    match error:
        case ConnectionRefusedError():
            return "connection refused: nothing listens there"
        case http.client.RemoteDisconnected():
            return "the receiver closed the connection without an answer"
        case ConnectionResetError() | BrokenPipeError():
            return "the receiver reset the connection"
        case socket.gaierror():
            return "the host's name has no address"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case http.client.BadStatusLine():
            return "the receiver did not answer in HTTP"
        case OSError():
            return error.strerror or str(error)
    text = str(error)[:200]
    return text if text.startswith("the answer") else f"the answer cannot be read: {text}"
