"""A receiver at a URL: byte-exact HTTP/1.1 on sockets of our own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, final

from hookproof.targets.base import PLAIN, Capability, Exchange, Framing
from hookproof.targets.http_address import Address, parse_address
from hookproof.targets.http_burst import send_fast, send_together
from hookproof.targets.http_connection import Connection
from hookproof.targets.http_lines import Dial, Lines
from hookproof.targets.http_sender import Sender
from hookproof.targets.http_wire import Encoder, check_extra
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request

LIMIT = 65_536
"""How many bytes of an answer's body are kept, unless told otherwise."""


@final
class HttpTarget:
    """Sends requests to a URL, whatever host the requests themselves name.

    A request's header lines travel as they are, then `headers`, the same for every request. Only
    what HTTP needs is added: Host, and Content-Length or Transfer-Encoding, where the request does
    not name them. Redirects are not followed, and no proxy is used, whatever the environment says.

    `timeout` is the number of seconds an exchange may take in all, `limit` the number of bytes kept
    of an answer's body. https is checked against the system's certificates, or those of the PEM
    file `ca_file`; `insecure` turns that off.

    To be used by one thread at a time. `close` it, or use it in a `with` statement.

    Raises:
        HookproofError: the URL, a header, a number or the file is not fit for use.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        headers: Iterable[Header] = (),
        ca_file: str | Path | None = None,
        insecure: bool = False,
        limit: int = LIMIT,
    ) -> None:
        address = parse_address(url)
        self._url = url
        self._sender = Sender(
            Lines(address, _dialler(address, ca_file, insecure=insecure)),
            Encoder(address, check_extra(headers)),
            _checked_timeout(timeout),
            limit,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address that requests carry."""
        return self._url

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Everything."""
        return frozenset(Capability)

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Send one request and return what came back; never raises for what a receiver does.

        A request is never sent twice: a kept connection that breaks after the first byte was
        accepted is a failure.

        Raises:
            HookproofError: the request holds a character that is not one byte.
        """
        return self._sender.send(request, framing)

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        """Send several requests at once and return the exchanges in the order given.

        Up to 32 connections are in use at the same time. With `together`, each request has one of
        its own, and the last bytes leave in one go when everything else has arrived; `seconds`
        counts from there.
        """
        burst = send_together if together else send_fast
        return burst(self._sender, requests)

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Send requests one after another on one connection, for as long as it stays open.

        The last exchange is a failure where the receiver took bytes of a request and then closed.
        """
        return self._sender.converse(requests)

    def close(self) -> None:
        """Let go of connections."""
        self._sender.lines.close()


def _checked_timeout(timeout: float) -> float:
    if not 0 < timeout < math.inf:
        raise HookproofError(f"the timeout is {timeout:g} s", hint="give more than 0 seconds")
    return timeout


def _dialler(address: Address, ca_file: str | Path | None, *, insecure: bool) -> Dial:
    if not address.secure:
        return Connection
    from hookproof.targets.http_tls import TlsConnection, client_context  # slow to import

    context = client_context(ca_file, insecure=insecure)
    return partial(TlsConnection, context=context, host=address.host)
