"""An ASGI application in this process as a target: called directly, on an event loop of our own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import final
from urllib.parse import unquote, urlsplit

from hookproof.targets.asgi_call import AsgiApp, Call, Gate, Message
from hookproof.targets.asgi_lifespan import Lifespan
from hookproof.targets.asgi_loop import LoopRunner
from hookproof.targets.base import PLAIN, Capability, Exchange, Framing
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request

VERSION = {"version": "3.0", "spec_version": "2.3"}


@final
class AsgiTarget:
    """Calls an application as a server would. An exception in it becomes the answer 500.

    The application is started before the first request, and stopped by `close`. `timeout` is the
    number of seconds that it may take for an answer, as far as it lets go of the loop. `host` is
    what requests name as theirs, "" for that of their address.
    """

    def __init__(
        self, app: AsgiApp, path: str = "/webhook", *, timeout: float = 10.0, host: str = ""
    ) -> None:
        self._app = app
        self._host = host.encode("latin-1")
        self._url = f"http://in-process{path}"
        self._timeout = timeout
        self._calls: dict[Call, asyncio.Task[object] | None] = {}
        self._starting = threading.Lock()
        self._runner: LoopRunner | None = None
        self._lifespan: Lifespan | None = None
        self._refusal: HookproofError | None = None

    @property
    def url(self) -> str:
        """The address that requests carry; it names no host on a network."""
        return self._url

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Several requests at once; the wire itself is not there."""
        return frozenset({Capability.TOGETHER})

    def send(self, request: Request, framing: Framing = PLAIN) -> Exchange:
        """Call the application with a request; pauses and connections have no meaning here.

        Raises:
            HookproofError: the application cannot start, or a header is not made of bytes.
        """
        runner = self._runner or self._start()
        return runner.run(self._exchange(request, framing))

    def send_all(self, requests: Sequence[Request], *, together: bool = False) -> list[Exchange]:
        """Call the application with all requests at once, as tasks of one loop.

        With `together`, no body is given to the application before every request is waiting for
        its own.
        """
        runner = self._runner or self._start()
        return runner.run(self._exchanges(requests, together=together))

    def converse(self, requests: Iterable[Request]) -> list[Exchange]:
        """Call the application with each request in turn."""
        return [self.send(request) for request in requests]

    def close(self) -> None:
        """Stop the application, and cancel what it left behind.

        Raises:
            HookproofError: it says that stopping failed.
        """
        runner, self._runner = self._runner, None
        if runner is None:
            return
        try:
            if self._lifespan is not None:
                runner.run(self._lifespan.stop())
        finally:
            runner.close()

    def _start(self) -> LoopRunner:
        with self._starting:  # several threads may come to a target that nobody has used yet
            if self._refusal is not None:  # it may have taken long, and would at every request
                raise self._refusal.with_traceback(None)
            return self._runner or self._started_anew()

    def _started_anew(self) -> LoopRunner:
        runner = LoopRunner()
        try:
            self._lifespan = runner.run(self._started(runner))
        except BaseException as error:
            runner.close()
            self._refusal = error if isinstance(error, HookproofError) else None
            raise
        self._runner = runner
        return runner

    async def _started(self, runner: LoopRunner) -> Lifespan:
        lifespan = Lifespan(self._app)
        await lifespan.start(runner.keep)
        self._watch(runner.loop)
        return lifespan

    async def _exchanges(self, requests: Sequence[Request], *, together: bool) -> list[Exchange]:
        gate = Gate(len(requests)) if together else None
        return list(
            await asyncio.gather(*(self._exchange(request, PLAIN, gate) for request in requests))
        )

    async def _exchange(
        self, request: Request, framing: Framing, gate: Gate | None = None
    ) -> Exchange:
        scope = self._scope(request, framing)
        call = Call(request, gate)
        self._calls[call] = asyncio.current_task()
        try:
            await self._app(scope, call.receive, call.send)
        except (Exception, asyncio.CancelledError) as error:
            # Whatever the application raises is its crash, which a server answers with 500.
            call.error = error
        finally:
            del self._calls[call]
            call.end()
        return call.exchange()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """End calls that take too long. One timer for all costs a call nothing."""
        for call, task in self._calls.items():
            if task is not None and call.outlasts(self._timeout):
                task.cancel()
        loop.call_later(min(self._timeout / 4, 1.0), self._watch, loop)

    def _scope(self, request: Request, framing: Framing) -> Message:
        path, raw_path, query, host = _address(request.url)
        return {
            "type": "http",
            "asgi": VERSION,
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": _headers(request, framing, self._host or host),
            "client": ("127.0.0.1", 50_000),
            "server": ("in-process", 80),
            "state": dict(self._lifespan.state) if self._lifespan is not None else {},
        }


@lru_cache(maxsize=256)
def _address(url: str) -> tuple[str, bytes, bytes, bytes]:
    """Return a URL's path decoded and as it stands, its query and its host."""
    parts = urlsplit(url)
    raw_path = parts.path or "/"
    return (
        unquote(raw_path),
        raw_path.encode("latin-1", "replace"),
        parts.query.encode("latin-1", "replace"),
        parts.netloc.encode("latin-1", "replace"),
    )


def _headers(request: Request, framing: Framing, host: bytes) -> list[tuple[bytes, bytes]]:
    """Return the header lines in their order, names in lower case as the specification has them."""
    try:
        lines = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ]
    except UnicodeEncodeError as error:
        raise HookproofError("a header line holds a character that is not one byte") from error
    names = {name for name, _ in lines}
    if b"host" not in names:
        lines.insert(0, (b"host", host))
    if framing.chunked:
        lines.append((b"transfer-encoding", b"chunked"))
    elif b"content-length" not in names:
        lines.append((b"content-length", b"%d" % len(request.body)))
    return lines
