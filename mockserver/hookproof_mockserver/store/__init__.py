"""The store of the mock sender: SQLite, one writer, readers beside it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, final

from hookproof_mockserver.hub import Change, Hub
from hookproof_mockserver.model import DeliveryState
from hookproof_mockserver.sender_errors import Closed, StoreError
from hookproof_mockserver.store.opening import FileLock, open_for_reading, open_for_writing
from hookproof_mockserver.store.rows import STATES
from hookproof_mockserver.store.writer import Operation, Transaction, Writer

Result = TypeVar("Result")

_READERS = 4
"""How many reading connections are kept for the next question."""


@final
class Store:
    """A store file, or one in memory where `path` is None; to be closed.

    `woken` is called with row ids of subscriptions that have something due, after each commit.

    Raises:
        StoreError: the file is no store, of a later version, in use, or cannot be read or written.
    """

    def __init__(
        self,
        path: Path | None,
        hub: Hub,
        *,
        clock: Callable[[], float] = time.time,
        woken: Callable[[set[int]], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._hub = hub
        self._clock = clock
        self.woken = woken
        self._file_lock = None if path is None else FileLock(path)
        self._lock = threading.RLock()
        self._keeping = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        try:
            self._connection = open_for_writing(path)
            self._counts = _counted(self._connection, path)
        except StoreError:
            self._free()
            raise
        self._writer = Writer(self._connection, self._committed, self._lock)

    def write(self, operation: Operation[Result]) -> Result:
        """Run an operation and return when it is on disk.

        Raises:
            HookproofError: what the operation raised, or StoreError where it cannot be written.
        """
        return self._writer.ask(operation).result()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read with; what has been committed is seen.

        Raises:
            Closed, StoreError: the store is closed, or cannot be read.
        """
        if self._closed:
            raise Closed
        try:
            with self._shared() if self._path is None else self._reader(self._path) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(
                f"the store could not be read: {error}", where=_name(self._path)
            ) from error

    @contextmanager
    def _shared(self) -> Iterator[sqlite3.Connection]:
        """Give the only connection that there is to a database in memory."""
        with self._lock:
            yield self._connection

    @contextmanager
    def _reader(self, path: Path) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = open_for_reading(path)
        try:
            yield connection
        finally:
            with self._keeping:
                kept = len(self._readers) < _READERS and not self._closed
                if kept:
                    self._readers.append(connection)
            if not kept:
                connection.close()

    def counts(self) -> Mapping[DeliveryState, int]:
        """Return how many deliveries there are in each state."""
        return {state: self._counts[state] for state in STATES}

    def close(self) -> None:
        """Write what has been asked, and let go of the file."""
        self._writer.close()
        with self._keeping:
            self._closed = True
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()
        self._connection.close()
        self._free()

    def _free(self) -> None:
        if self._file_lock is not None:
            self._file_lock.free()

    def _committed(self, transaction: Transaction) -> None:
        if transaction.moved:
            counts = self._counts.copy()
            counts.update(transaction.moved)
            self._counts = counts  # in one step, so that no reader sees half of it
        if self._hub and transaction.changed:
            now = self._clock()
            self._hub.tell(Change(kind, id, now) for kind, id in transaction.changed)
        if transaction.woken:
            self.woken(transaction.woken)


def _counted(connection: sqlite3.Connection, path: Path | None) -> Counter[DeliveryState]:
    """Count once what is kept in mind from then on."""
    try:
        listed = connection.execute(
            "SELECT state, count(*) FROM delivery GROUP BY state"
        ).fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"the store cannot be used: {error}", where=_name(path)) from error
    return Counter({STATES[state]: count for state, count in listed})


def _name(path: Path | None) -> str:
    return "memory" if path is None else str(path)
