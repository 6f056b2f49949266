"""How a receiver is reached: one protocol for a URL and for an application in this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, final

from hookproof_spec.request import Header, Request

IN_PROCESS = "in-process"
"""The host in the URLs of an application that is called and not served."""
TEST_HOST = "testserver"
"""The host that Django's and Starlette's test clients name. Suites whose applications serve certain
hosts alone allow this one already."""


class Failure(StrEnum):
    """Why there is no usable answer."""

    UNREACHABLE = "unreachable"
    """No connection: refused, name unknown, certificate not trusted."""
    TIMEOUT = "timeout"
    """No complete answer within the deadline, which counts the exchange as a whole."""
    CLOSED = "closed"
    """The connection ended before an answer was complete."""
    GARBAGE = "garbage"
    """What came back is not an HTTP answer."""


@final
class Exchange(NamedTuple):
    """One request and what came back; a named tuple, made in half of a data class's time.

    Either `status` is given, or `failure` and `detail` say why not. `body` is cut at the target's
    limit (`cut` tells). `seconds` counts from the first byte sent to the end of the answer.
    """

    request: Request
    status: int | None = None
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    cut: bool = False
    seconds: float = 0.0
    failure: Failure | None = None
    detail: str = ""

    def header(self, name: str) -> str | None:
        """Return the first value of an answer's header, found whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How the bytes of one request travel.

    `chunked` sends the body in chunks without a Content-Length. `pauses` are offsets into the body
    (0 is its beginning) before which the sender waits `pause` seconds, each part being a write of
    its own. `fresh` opens a connection of its own instead of using a kept one.
    """

    chunked: bool = False
    pauses: tuple[int, ...] = ()
    pause: float = 0.05
    fresh: bool = False


PLAIN = Framing()


class Capability(StrEnum):
    """What a target can do beyond sending one request after another."""

    RAW = "raw"
    """Framing of every kind, kept connections, bytes that HTTP libraries refuse."""
    TOGETHER = "together"
    """Several requests at the same moment."""


class Target(Protocol):
    """A receiver that can be sent requests."""

    @property
    def url(self) -> str:
        """The address that requests carry."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this kind of target can do."""

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Send one request and return what came back; never raises for what a receiver does."""

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        """Send several requests at once and return the exchanges in the order given.

        With `together`, each has a connection of its own, and the last bytes of all leave in one
        go after everything else has been sent, so that a race in the receiver shows.
        """

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Send requests one after another on one connection, for as long as it stays open.

        Fewer exchanges than requests mean that the receiver closed the connection in between.
        """

    def close(self) -> None:
        """Let go of connections."""
