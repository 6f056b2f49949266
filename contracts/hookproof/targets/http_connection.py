"""One connection to a receiver. But for one, its methods do not wait: whoever calls does that."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import threading
from dataclasses import dataclass
from typing import final

from hookproof.targets.http_address import Address

_QUICKACK = getattr(socket, "TCP_QUICKACK", None)

CHUNK = 65_536
"""How many bytes are read or written at once."""
SOON = 0.05
"""How many seconds `read_soon` waits; the kernel keeps longer times less exactly than a poll."""
_SOON = struct.pack("ll", 0, int(SOON * 1e6))

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
"""As IPv4 and IPv6 sockets want it (the third is what resolvers give without IPv6)."""


@final
@dataclass(frozen=True, slots=True)
class Route:
    """One of the addresses that a host name stands for."""

    family: int
    address: SocketAddress


class Connection:
    """A TCP connection that is opened by `establish`, step by step.

    Errors of the network come out as OSError from every method.
    """

    def __init__(self, route: Route) -> None:
        self.route = route
        self.established = False
        self.kept_since = 0.0
        """When it was last put aside for another request."""
        self.reused = False
        self._socket: socket.socket | None = None
        self._poll: select.poll | None = None
        self._awaited = 0
        self._waits = False

    @property
    def socket(self) -> socket.socket:
        """The socket, open as soon as `establish` has been called."""
        if self._socket is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._socket

    def establish(self) -> int:
        """Go on opening; return the poll events to wait for, or 0 once it is open."""
        if self._socket is None:
            return self._begin()
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        self.established = True
        return 0

    def _begin(self) -> int:
        opened = self._socket = socket.socket(self.route.family, socket.SOCK_STREAM)
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = opened.connect_ex(self.route.address)
        if error == errno.EINPROGRESS:
            return select.POLLOUT
        if error:
            raise OSError(error, os.strerror(error))
        self.established = True
        return 0

    def read(self) -> bytes | None:
        """Return what has arrived, b"" at the end, None when there is nothing yet."""
        try:
            return self.socket.recv(CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    def read_soon(self) -> bytes | None:
        """Return what arrives within `SOON` seconds, as `read` does: the only method that waits.

        The kernel waits within the call that reads; a poll would be a call more.
        """
        opened = self.socket
        if not self._waits:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SOON)
            os.set_blocking(opened.fileno(), True)  # Python still takes it for one that never waits
            self._waits = True
        try:
            return opened.recv(CHUNK)
        except BlockingIOError:
            return None

    def write(self, data: bytes | memoryview) -> int:
        """Hand on as many bytes as fit and return their number."""
        try:
            return self.socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def expects_more(self) -> bool:
        """Take note that an answer is not whole; tell whether more of it is there already.

        A receiver that writes its answer in pieces may wait for our ACK in between, which Linux
        delays by 40 ms from the second exchange on.
        """
        if _QUICKACK is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        return False

    def fileno(self) -> int:
        """Return the socket's number, for a poll."""
        return self.socket.fileno()

    def await_events(self, wanted: int, seconds: float) -> int:
        """Wait for poll events; return those that came, 0 when the time is over."""
        if self._poll is None:
            self._poll = select.poll()
        if wanted != self._awaited:
            self._poll.register(self.socket, wanted)
            self._awaited = wanted
        found = self._poll.poll(max(0.0, seconds) * 1000)
        return found[0][1] if found else 0

    def is_quiet(self) -> bool:
        """Tell whether it is open and nothing has arrived, not even its end."""
        if self._poll is None or self._awaited != select.POLLIN:
            return not self.await_events(select.POLLIN, 0)
        return not self._poll.poll(0)

    def close(self) -> None:
        """Let go of it, at whatever stage it is."""
        if self._socket is not None:
            self._socket.close()


def look_up(address: Address, timeout: float) -> tuple[Route, ...]:
    """Return the addresses of a host, in the order in which they are to be tried.

    A resolver cannot be told to hurry, so it runs in a thread that is left behind. A number needs
    neither, nor a wait for a thread that a busy machine starts late.

    Raises:
        OSError: the name is unknown, or nothing came within `timeout` seconds.
    """
    numeric = _resolve(address, socket.AI_NUMERICHOST)
    if not isinstance(numeric, OSError):  # else it is a name
        return numeric
    answer: list[tuple[Route, ...] | OSError] = []
    thread = threading.Thread(target=lambda: answer.append(_resolve(address)), daemon=True)
    thread.start()
    thread.join(timeout)
    if not answer:
        raise TimeoutError(errno.ETIMEDOUT, f"no address was found within {timeout:.3g} s")
    if isinstance(answer[0], OSError):
        raise answer[0]
    return answer[0]


def _resolve(address: Address, flags: int = 0) -> tuple[Route, ...] | OSError:
    # RFC 6761, 6.3: every name under it is this machine, whatever a name server says of it.
    host = "localhost" if address.host.endswith(".localhost") else address.host
    try:
        found = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM, flags=flags)
    except OSError as error:
        return error
    return tuple(Route(family, place) for family, _, _, _, place in found)
