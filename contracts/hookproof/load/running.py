"""Locust in a process of its own: started, listened to, and ended when it must be."""

from __future__ import annotations

import json
import math
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self, final
from urllib.parse import urlsplit

from hookproof.load import parts
from hookproof.load.plan import ALLOW_HOST, PIPE, PREFIX, Plan
from hookproof.load.tally import Tally
from hookproof_spec.errors import HookproofError

TICK = 0.5
"""Seconds between two looks at the pipe, at most."""
SLACK = 60.0
"""Seconds beyond its time and its longest request after which Locust is made to end."""
MEMORY_OF_LOG = 4000
"""How many bytes of the end of Locust's log are looked at."""
MASTER_PORT = 5557


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many users there are and how long they work, in seconds; and where the master is.

    Without a `duration` they work until the plan's requests are sent. `workers` is how many a
    master waits for, 0 where there is no master.
    """

    users: int
    duration: float | None
    workers: int = 0
    host: str = "127.0.0.1"
    port: int = MASTER_PORT


@final
@dataclass(frozen=True, slots=True)
class News:
    """What one process has counted since it last told; and whether nothing more comes.

    `silent` is how many workers had gone by then without telling their last counts.
    """

    counted: Tally
    users: int
    ended: bool = False
    silent: int = 0


def locustfile() -> Path:
    """Return where the shipped locustfile is."""
    return Path(__file__).with_name("locustfile.py")


def require_locust() -> None:
    """Make sure that Locust is installed, without importing it.

    Raises:
        HookproofError: it is not.
    """
    if find_spec("locust") is None:
        raise HookproofError(
            "Locust is not installed", where="load", hint="pip install 'hookproof[load]'"
        )


def sender_options(plan: Plan, crowd: Crowd) -> list[str]:
    """Return Locust's options for one that sends alone, or for a master."""
    options = [
        *("--headless", "--only-summary", "--loglevel", "INFO"),
        *("--users", str(crowd.users), "--spawn-rate", str(crowd.users)),
        *("--stop-timeout", str(math.ceil(plan.timeout) + 1)),
    ]
    if crowd.duration is not None:
        options += ["--run-time", f"{max(1, math.ceil(crowd.duration))}s"]
    if crowd.workers:
        options += ["--master", "--expect-workers", str(crowd.workers)]
        options += ["--master-bind-host", crowd.host, "--master-bind-port", str(crowd.port)]
    return options


def worker_options(host: str, port: int) -> list[str]:
    """Return Locust's options for a worker."""
    return [
        *("--worker", "--headless", "--loglevel", "WARNING"),
        *("--master-host", host, "--master-port", str(port)),
    ]


@final
@dataclass(slots=True)
class Locust:
    """Runs Locust with the shipped locustfile; to be used in a `with` statement.

    The secret and the plan travel in its environment. It works in a folder of its own, so that no
    `locust.conf` of the user's project has a say.
    """

    plan: Plan
    secret: str = field(repr=False)
    options: list[str]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log: IO[bytes] = field(default_factory=tempfile.TemporaryFile, init=False)
    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="hookproof-load-"), init=False
    )
    _reading: int = field(default=-1, init=False)
    _rest: bytes = field(default=b"", init=False)

    def __enter__(self) -> Self:
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", str(locustfile()), *self.options],
                env=environment(self.plan, self.secret, os.environ) | {PIPE: str(writing)},
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                cwd=self._folder.name,
                process_group=0,  # a Ctrl-C is for us, who end it and hear what it still tells
            )
        finally:
            os.close(writing)
        self._reading = reading
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(TICK if kind else self.plan.timeout + SLACK)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.close(self._reading)
        self._log.close()
        self._folder.cleanup()

    def news(self) -> Iterator[News | None]:
        """Yield what is told, as it comes, and None where for a moment nothing is; to the end."""
        while True:
            ready, _, _ = select.select([self._reading], [], [], TICK)
            if not ready:
                yield None
                continue
            data = os.read(self._reading, 1 << 20)
            if not data:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from map(_news, lines)

    def ask_to_end(self) -> None:
        """Let the users finish their requests, and Locust tell the last counts."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        """Make it end at once."""
        if self._process is not None:
            self._process.kill()

    def wait(self) -> int:
        """Return the exit status, once it has ended; that must not take long any more."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(SLACK)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

    def last_words(self) -> str:
        """Return the end of the log."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - MEMORY_OF_LOG))
        return self._log.read().decode("utf-8", "replace").strip()


def overdue(plan: Plan, crowd: Crowd, begun: float | None) -> bool:
    """Tell whether Locust should have ended by now; `begun` is when its first user was seen."""
    if begun is None or crowd.duration is None:
        return False
    return time.monotonic() - begun > crowd.duration + plan.timeout + SLACK


def environment(plan: Plan, secret: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of Locust's process.

    Raises:
        HookproofError: the secret cannot stand in one.
    """
    if "\0" in secret:
        raise HookproofError(
            "the secret holds a NUL, which no environment can", where="load", hint="take another"
        )
    kept = {
        name: value for name, value in variables.items() if not name.startswith((PREFIX, "LOCUST_"))
    }
    allowed = {ALLOW_HOST: urlsplit(plan.url).hostname or ""}  # its name was checked before
    return kept | plan.variables() | allowed | {"HOOKPROOF_SECRET": secret}


def _news(line: bytes) -> News:
    told = json.loads(line)
    if told.get("ended"):
        return News(Tally(), 0, ended=True, silent=int(told["silent"]))
    return News(parts.read(told["counted"]), int(told["users"]))
