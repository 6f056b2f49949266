"""An application in this process as a target, whichever interface it has; a restart may swap it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast, final

from hookproof.targets.asgi import AsgiTarget
from hookproof.targets.base import PLAIN, Capability, Exchange, Framing, Target
from hookproof.targets.transactions import transactions_kept
from hookproof.targets.wsgi import WsgiTarget
from hookproof.under_test import Interface, interface_of
from hookproof_spec.request import Header, Request


@final
class InProcessTarget:
    """Calls an application by WSGI or ASGI. `headers` follow those of every request.

    They are those of the way there, as a proxy's: no exchange shows them, nor the `host` that is
    named to the application.

    Raises:
        HookproofError: it has neither interface.
    """

    def __init__(
        self,
        app: object,
        path: str = "/webhook",
        *,
        interface: str | None = None,
        headers: Iterable[Header] = (),
        timeout: float = 10.0,
        host: str = "",
    ) -> None:
        self._path = path
        self._interface = interface
        self._headers = tuple(headers)
        self._timeout = timeout
        self._host = host
        self._target = self._made(app)

    @property
    def url(self) -> str:
        """The address that requests carry; it names no host on a network."""
        return self._target.url

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Several requests at once; the wire itself is not there."""
        return self._target.capabilities

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Call the application with a request; a transaction that is open stays open."""
        with transactions_kept():
            return _of(request, self._target.send(self._with_headers(request), framing))

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        """Call the application with all requests at once."""
        exchanges = self._target.send_all(
            [self._with_headers(request) for request in requests], together=together
        )
        return list(map(_of, requests, exchanges))

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Call the application with each request in turn."""
        return [self.send(request) for request in requests]

    def replace(self, app: object) -> None:
        """Stop the application and go on with another."""
        self._target.close()
        self._target = self._made(app)

    def close(self) -> None:
        """Stop the application."""
        self._target.close()

    def _made(self, app: object) -> Target:
        if interface_of(app, self._interface) is Interface.ASGI:
            return AsgiTarget(cast(Any, app), self._path, timeout=self._timeout, host=self._host)
        return WsgiTarget(cast(Any, app), self._path, host=self._host)

    def _with_headers(self, request: Request) -> Request:
        if not self._headers:
            return request
        return request.with_headers((*request.headers, *self._headers))


def _of(request: Request, exchange: Exchange) -> Exchange:
    """Return an exchange as one of the request without the headers of every request."""
    return exchange if exchange.request is request else exchange._replace(request=request)
