"""The lifespan of an ASGI application: begun before the first request, ended after the last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from hookproof_spec.errors import HookproofError

if TYPE_CHECKING:
    from hookproof.targets.asgi_call import AsgiApp, Message

SECONDS = 30.0
"""How long an application may take to start or to stop."""
VERSION = {"version": "3.0", "spec_version": "2.0"}


@final
class Lifespan:
    """One lifespan. An application that raises instead of starting has none, as Django does.

    `state` is what the application put there for its requests.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.state: dict[str, object] = {}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._failure: str | None = None
        self._is_up = False

    async def start(self, keep: Callable[[asyncio.Task[None]], None]) -> None:
        """Start the application; `keep` is told the task that lasts until it stops.

        Raises:
            HookproofError: it says that it cannot start, or takes too long.
        """
        self._task = asyncio.create_task(self._run())
        keep(self._task)
        await self._step("startup")

    async def stop(self) -> None:
        """Stop the application, where it has a lifespan.

        Raises:
            HookproofError: it says that this failed, or takes too long.
        """
        if not self._task.done():
            await self._step("shutdown")
            await asyncio.wait([self._task], timeout=SECONDS)

    async def _step(self, name: str) -> None:
        self._changed.clear()
        self._inbox.put_nowait({"type": f"lifespan.{name}"})
        try:
            await asyncio.wait_for(self._changed.wait(), SECONDS)
        except TimeoutError as error:
            raise HookproofError(
                f"the application's {name} did not end within {SECONDS:g} s", where="lifespan"
            ) from error
        if self._failure is not None:
            raise HookproofError(f"the application's {name} failed: {self._failure}")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": VERSION, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except Exception as error:
            # Not every application knows of lifespans; the specification lets those that do not
            # raise anything, and a server go on without. One that has started does know.
            if self._is_up and self._failure is None:
                self._failure = f"{type(error).__name__}: {_last_line(str(error))}"
        finally:
            self._changed.set()

    async def _send(self, message: Message) -> None:
        kind = str(message["type"])
        self._is_up = self._is_up or kind == "lifespan.startup.complete"
        if kind.endswith(".failed"):
            self._failure = _last_line(message.get("message"))
        self._changed.set()


def _last_line(message: object) -> str:
    """Return the line that says it: Starlette sends a whole traceback."""
    lines = str(message or "no reason given").strip().splitlines()
    return lines[-1]
