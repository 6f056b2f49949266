"""The event loop on which an application in this process runs: ours, and nobody else's.

It runs in the caller's thread and only while a call lasts, which is by far the fastest. As soon as
the application leaves tasks of its own behind, or the caller's thread has a loop running already,
it moves to a thread of its own for good: tasks go on between calls there, as under a server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar, final

Result = TypeVar("Result")
STOP_SECONDS = 5.0
"""How long tasks that the application left behind may take to be cancelled."""


@final
class LoopRunner:
    """Runs coroutines from synchronous code, whichever thread that is in."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._lasting: asyncio.Task[None] | None = None

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end and return its result, or raise what it raises."""
        if self._thread is None and asyncio._get_running_loop() is None:
            with self._turn:
                if self._thread is None:
                    return self._run_here(coroutine)
        self._move()
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def keep(self, task: asyncio.Task[None]) -> None:
        """Know a task as one that lasts, and has nothing to do between calls."""
        self._lasting = task

    def close(self) -> None:
        """Cancel what is left and end the loop."""
        if self.loop.is_closed():
            return
        self.run(self._clean_up())
        if self._thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
        self.loop.close()

    def _run_here(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        task = self.loop.create_task(coroutine)
        try:
            # A loop that is stopped before it runs takes one turn, which is most often enough, and
            # cheaper than to wait for the task.
            self.loop.stop()
            self.loop.run_forever()
            return task.result() if task.done() else self.loop.run_until_complete(task)
        finally:
            if len(asyncio.all_tasks(self.loop)) > self._known():
                self._start_thread()

    def _known(self) -> int:
        return 0 if self._lasting is None or self._lasting.done() else 1

    def _move(self) -> None:
        with self._turn:
            if self._thread is None:
                self._start_thread()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(
            target=self.loop.run_forever, name="hookproof-asgi", daemon=True
        )
        self._thread.start()

    async def _clean_up(self) -> None:
        left = asyncio.all_tasks(self.loop) - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=STOP_SECONDS)
        await self.loop.shutdown_asyncgens()
        await self.loop.shutdown_default_executor()
