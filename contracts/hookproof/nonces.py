"""Remembering nonces, so that one signed event has one effect.

The order is always: verify, claim, act, then commit or release. A claim is provisional: it keeps
every other copy away while the event is being processed. It is committed with the effect, or
released when processing failed, so that the sender's retry is processed.

A claim that is neither committed nor released, because the process died in between, stays
provisional until it expires. Nobody can know whether the effect had happened, and a second effect
is the worse mistake. Its copies are told `IN_FLIGHT`, never `SPENT`, so that a receiver does not
acknowledge an event which may be lost.

Nothing here reads a clock: times are Unix seconds and are given. A nonce is forgotten by time
alone and never because there are many, or whoever sends enough could replay.
"""

from __future__ import annotations

import heapq
import math
import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self, TypeVar, final

from hookproof_spec.errors import HookproofError

T = TypeVar("T")


class NonceStoreError(HookproofError):
    """A store that cannot be opened, read or written."""


class Claim(StrEnum):
    """What became of a claim."""

    GRANTED = "granted"
    """The nonce is new and is now provisionally the caller's, who commits or releases it."""
    IN_FLIGHT = "in flight"
    """Somebody else is processing it; whether that succeeds is not known yet."""
    SPENT = "spent"
    """It was committed: its effect has happened."""


class NonceStore(Protocol):
    """Where nonces are remembered; each method is atomic among all users of the store."""

    def claim(self, nonce: str, *, now: float, until: float) -> Claim:
        """Claim a nonce if it is new.

        Args:
            nonce: the whole text, whatever its length and characters.
            now: Unix seconds; nonces whose time ended before are forgotten.
            until: the last moment at which a message with this nonce would still be fresh, Unix
                seconds; infinite to remember it for ever. A nonce that is known already is kept
                until the later of both ends, as a retry may be signed anew with a later time.
        """

    def commit(self, nonce: str) -> None:
        """Make a provisional claim final; nothing happens when there is none."""

    def release(self, nonce: str) -> None:
        """Give a provisional claim back, so that the nonce is new again; else nothing happens."""


@contextmanager
def settling(store: NonceStore, nonce: str) -> Iterator[None]:
    """Commit a granted claim when the block succeeds; release it when the block raises."""
    try:
        yield
    except BaseException:  # also an interrupt: what did not happen may be tried again
        store.release(nonce)
        raise
    store.commit(nonce)


@final
class MemoryNonceStore:
    """Nonces in this process's memory, for any number of its threads.

    It forgets everything when the process ends and is not shared between processes: with several
    workers, each would accept the same nonce once. Take `SqliteNonceStore` there.
    """

    __slots__ = ("_due", "_lock", "_pending", "_seconds", "_until")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._pending: set[str] = set()
        # Nonces by the whole second in which they end, and a heap of these seconds: forgetting
        # costs one step a nonce, and one heap operation a second that has nonces at all.
        self._due: dict[int, list[str]] = {}
        self._seconds: list[int] = []

    def __len__(self) -> int:
        return len(self._until)

    def claim(self, nonce: str, *, now: float, until: float) -> Claim:
        """Claim a nonce if it is new; see `NonceStore.claim`."""
        with self._lock:
            self._forget_ended(now)
            known = self._until.get(nonce, -math.inf)
            if until > known:
                self._keep(nonce, until)
            if known >= now:
                return Claim.IN_FLIGHT if nonce in self._pending else Claim.SPENT
            self._pending.add(nonce)
            return Claim.GRANTED

    def commit(self, nonce: str) -> None:
        """Make a provisional claim final; see `NonceStore.commit`."""
        with self._lock:
            self._pending.discard(nonce)

    def release(self, nonce: str) -> None:
        """Give a provisional claim back; see `NonceStore.release`."""
        with self._lock:
            if nonce in self._pending:
                self._drop(nonce)

    def _keep(self, nonce: str, until: float) -> None:
        self._until[nonce] = until
        if math.isinf(until):
            return
        second = math.floor(until)
        if second not in self._due:
            self._due[second] = []
            heapq.heappush(self._seconds, second)
        self._due[second].append(nonce)

    def _forget_ended(self, now: float) -> None:
        while self._seconds and self._seconds[0] + 1 <= now:
            for nonce in self._due.pop(heapq.heappop(self._seconds)):
                if self._until.get(nonce, math.inf) < now:
                    self._drop(nonce)

    def _drop(self, nonce: str) -> None:
        del self._until[nonce]
        self._pending.discard(nonce)


SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0
BUSY_PAUSE = 0.01
FORGET_AT_ONCE = 100
"""How many ended nonces one claim removes at most, so that none of them waits for thousands."""

_SCHEMA = (
    "CREATE TABLE nonce (key BLOB PRIMARY KEY, until REAL NOT NULL, spent INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE INDEX nonce_until ON nonce (until)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_FORGET = (
    "DELETE FROM nonce WHERE key IN (SELECT key FROM nonce WHERE until < ? ORDER BY until LIMIT ?)"
)
# An ended nonce that still lies there is new again: it is taken over as if it were not.
_CLAIM = (
    "INSERT INTO nonce VALUES (:key, :until, 0) ON CONFLICT (key)"
    " DO UPDATE SET until = excluded.until, spent = 0 WHERE until < :now"
)
_PROLONG = "UPDATE nonce SET until = max(until, ?) WHERE key = ? RETURNING spent"
_COMMIT = "UPDATE nonce SET spent = 1 WHERE key = ?"
_RELEASE = "DELETE FROM nonce WHERE key = ? AND spent = 0"


class _SqliteStore(ABC):
    """What a table of nonces is asked, wherever it lies."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def claim(self, nonce: str, *, now: float, until: float) -> Claim:
        """Claim a nonce if it is new; see `NonceStore.claim`."""
        key = _key(nonce)

        def claim(database: sqlite3.Connection) -> Claim:
            database.execute(_FORGET, (now, FORGET_AT_ONCE))
            values = {"key": key, "until": until, "now": now}
            if database.execute(_CLAIM, values).rowcount == 1:
                return Claim.GRANTED
            (spent,) = database.execute(_PROLONG, (until, key)).fetchone()
            return Claim.SPENT if spent else Claim.IN_FLIGHT

        return self._use(claim)

    def commit(self, nonce: str) -> None:
        """Make a provisional claim final; see `NonceStore.commit`."""
        self._use(lambda database: database.execute(_COMMIT, (_key(nonce),)))

    def release(self, nonce: str) -> None:
        """Give a provisional claim back; see `NonceStore.release`."""
        self._use(lambda database: database.execute(_RELEASE, (_key(nonce),)))

    @abstractmethod
    def close(self) -> None:
        """Close what is open; the store cannot be used afterwards."""

    @abstractmethod
    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some work in one transaction that holds the write lock from its beginning."""


@final
class SqliteNonceStore(_SqliteStore):
    """Nonces in a SQLite file of their own, for threads and processes of one machine.

    They survive restarts and killed processes. After a loss of power the last of them may be
    missing (WAL with synchronous=NORMAL). A connection serves one thread at a time and goes back
    to a pool, so that a server with a thread for each request opens few of them; a forked process
    opens its own and never touches those it inherited.
    """

    __slots__ = ("_closed", "_idle", "_path")

    def __init__(self, path: Path | str) -> None:
        """Open the file, or make it.

        Raises:
            NonceStoreError: it cannot be opened, or is something else than such a store.
        """
        if str(path) == ":memory:":
            raise NonceStoreError(
                "a database in memory is not shared between connections",
                hint="use MemoryNonceStore, or name a file",
            )
        self._path = str(path)
        self._closed = False
        self._idle: dict[int, deque[sqlite3.Connection]] = {}
        try:
            self._use(_prepare)
        except NonceStoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close this process's connections; the store cannot be used afterwards."""
        self._closed = True
        idle = self._pool()
        while idle:
            idle.pop().close()

    def _pool(self) -> deque[sqlite3.Connection]:
        # By process: a connection must not be used, nor even closed, on the far side of a fork.
        # `setdefault`, `pop` and `append` are atomic, so that no lock can be inherited locked.
        return self._idle.setdefault(os.getpid(), deque())

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise NonceStoreError("the nonce store is closed", where=self._path)
        hint = "it needs a writable file of its own in an existing directory"
        with _explained(self._path, hint), self._connection() as database, _transaction(database):
            return work(database)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        idle = self._pool()
        try:
            database = idle.pop()
        except IndexError:
            database = _open(self._path)
        try:
            yield database
        finally:
            idle.append(database)
            if self._closed:
                self.close()


@final
class TemporaryNonceStore(_SqliteStore):
    """Nonces in a SQLite file without a name, for any number of threads of one process.

    Like `MemoryNonceStore` it forgets everything when the process ends, but memory does not grow
    with what is remembered. SQLite makes the file when there is more than its cache of 2 MB holds,
    and takes the name away at once: nothing is left of it, however the process ends. A forked
    process must not use it.
    """

    __slots__ = ("_database", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._use(_prepare)

    def close(self) -> None:
        """Forget everything; the store cannot be used afterwards."""
        with self._lock:
            self._database.close()

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        hint = "it needs room for temporary files; TMPDIR names another directory for them"
        with _explained("a temporary file", hint), self._lock, _transaction(self._database):
            return work(self._database)


def _key(nonce: str) -> bytes:
    # Bytes, because a text with a lone surrogate cannot be stored as text.
    return nonce.encode("utf-8", "surrogatepass")


def _open(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _write_ahead(database)
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _write_ahead(database: sqlite3.Connection) -> None:
    # SQLite's own waiting does not help here: of two that switch a new file at once, each holds
    # what the other needs, and one is told at once that it is locked. It has let go then.
    for _ in range(round(BUSY_SECONDS / BUSY_PAUSE)):
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(BUSY_PAUSE)
        else:
            return
    database.execute("PRAGMA journal_mode = WAL")


@contextmanager
def _explained(where: str, hint: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        problem = f"the nonce store cannot be used: {error}"
        raise NonceStoreError(problem, where=where, hint=hint) from error


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def _prepare(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version or tables:
        raise sqlite3.DatabaseError("the file holds something else, or is of another version")
    for statement in _SCHEMA:
        database.execute(statement)
