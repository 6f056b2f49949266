"""One request on its way through an ASGI application: what it receives, and what it sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, final

from hookproof.targets.base import Exchange, Failure
from hookproof_spec.request import Header, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Receive, Send], Awaitable[None]]

LIMIT = 65_536
"""How many bytes of an answer's body are kept."""
GATE_SECONDS = 0.5
"""How long requests wait for each other, where an application takes them one at a time."""
START, BODY = "http.response.start", "http.response.body"


@final
class Gate:
    """Holds bodies back until every request is waiting for its own, or has ended without it."""

    def __init__(self, expected: int) -> None:
        self._missing = expected
        self._opened = asyncio.Event()
        self._deadline = asyncio.get_running_loop().call_later(GATE_SECONDS, self._opened.set)

    def arrive(self) -> None:
        """Count one request that has come as far."""
        self._missing -= 1
        if self._missing <= 0:
            self._deadline.cancel()
            self._opened.set()

    async def passed(self) -> None:
        """Wait until the gate opens."""
        await self._opened.wait()


@final
class Call:
    """One request and what the application does with it."""

    __slots__ = (
        "_begun",
        "_body",
        "_complete",
        "_ended",
        "_gate",
        "_headers",
        "_late",
        "_parts",
        "_request",
        "_status",
        "_waiting",
        "error",
    )

    def __init__(self, request: Request, gate: Gate | None) -> None:
        self._request = request
        self._gate = gate
        self._body: bytes | None = request.body
        self._parts: list[bytes] = []
        self._waiting: asyncio.Future[None] | None = None
        self._status: int | None = None
        self._headers: tuple[Header, ...] = ()
        self._complete = False
        self._late = False
        self._ended = 0.0
        self.error: BaseException | None = None
        self._begun = time.perf_counter()

    async def receive(self) -> Message:
        """Give the application its body, and after its answer the news that the client is gone."""
        body, self._body = self._body, None
        if body is None:
            await self._disconnected()
            return {"type": "http.disconnect"}
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.arrive()
            await gate.passed()
            self._begun = time.perf_counter()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a part of the answer.

        Raises:
            RuntimeError: it is not this part's turn, as servers have it.
        """
        kind = message["type"]
        if self._complete or kind != (START if self._status is None else BODY):
            raise RuntimeError(f"the message {kind!r} is out of place")
        if kind == START:
            lines = message.get("headers", ())
            self._headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in lines)
            self._status = int(message["status"])
            return
        self._parts.append(bytes(message.get("body", b"")))
        if not message.get("more_body", False):
            self._complete = True
            self._finish()

    def outlasts(self, limit: float) -> bool:
        """Tell whether it has taken longer than so many seconds, and remember it."""
        self._late = time.perf_counter() - self._begun > limit
        return self._late

    def end(self) -> None:
        """Know that the application has returned."""
        if self._gate is not None:
            self._gate.arrive()
        self._finish()

    def exchange(self) -> Exchange:
        """Return what a client would have seen."""
        seconds = self._ended - self._begun
        if not self._complete:
            return self._broken(seconds)
        body = b"".join(self._parts)
        return Exchange(
            request=self._request,
            status=self._status,
            headers=self._headers,
            body=body[:LIMIT],
            cut=len(body) > LIMIT,
            seconds=seconds,
        )

    def _broken(self, seconds: float) -> Exchange:
        crash = "returned" if self.error is None else f"raised {type(self.error).__name__}"
        detail = f"the application {crash}"
        if not self._late and self._status is None:
            return Exchange(request=self._request, status=500, seconds=seconds, detail=detail)
        return Exchange(
            request=self._request,
            failure=Failure.TIMEOUT if self._late else Failure.CLOSED,
            detail=f"no answer within {seconds:.1f} s"
            if self._late
            else f"{detail} amid its answer",
            seconds=seconds,
        )

    def _finish(self) -> None:
        if not self._ended:
            self._ended = time.perf_counter()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _disconnected(self) -> None:
        if self._ended:
            return
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting
