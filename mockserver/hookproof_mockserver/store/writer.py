"""The one thread that writes: what is asked while it commits goes into the next commit together.

A call returns when its change is on disk. Each has a savepoint of its own, so one that fails takes
nothing with it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import repeat
from typing import Generic, TypeVar, final

from hookproof_mockserver.hub import Kind
from hookproof_mockserver.model import DeliveryState
from hookproof_mockserver.sender_errors import Closed, StoreError

Result = TypeVar("Result")


@final
@dataclass(slots=True)
class Transaction:
    """What an operation works with: the connection, and what to tell once it is committed.

    `moved` counts how many deliveries more or fewer there are in each state. `woken` holds the
    subscriptions that have something due, by their row ids.
    """

    connection: sqlite3.Connection
    changed: list[tuple[Kind, str]] = field(default_factory=list)
    moved: Counter[DeliveryState] = field(default_factory=Counter)
    woken: set[int] = field(default_factory=set)

    def tell(self, kind: Kind, id: str) -> None:
        """Have listeners told of a change."""
        self.changed.append((kind, id))

    def tell_all(self, kind: Kind, ids: list[str]) -> None:
        """Have listeners told of many changes."""
        self.changed += zip(repeat(kind), ids)

    def move(self, before: DeliveryState | None, after: DeliveryState, count: int = 1) -> None:
        """Count deliveries that went from one state to another."""
        if before is not None:
            self.moved[before] -= count
        self.moved[after] += count


Operation = Callable[[Transaction], Result]


@final
@dataclass(slots=True)
class _Asked(Generic[Result]):
    operation: Operation[Result]
    answer: Future[Result]
    result: Result | None = None

    def run(self, transaction: Transaction) -> bool:
        """Do it inside a savepoint; tell whether it stands."""
        connection = transaction.connection
        connection.execute("SAVEPOINT one")
        try:
            self.result = self.operation(transaction)
        except BaseException as error:  # whoever asked is told, in their own thread
            self.answer.set_exception(_told(error))
            if not connection.in_transaction:  # a full disk undoes the whole transaction
                raise sqlite3.OperationalError("the group was undone") from error
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return False
        connection.execute("RELEASE one")
        return True

    def stands(self) -> None:
        """Wake whoever asked: it is on disk."""
        self.answer.set_result(self.result)  # type: ignore[arg-type]

    def falls(self, error: BaseException) -> None:
        """Wake whoever asked: it could not be committed."""
        self.answer.set_exception(_told(error))


def _told(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.Error):
        told = StoreError(f"the store could not be written: {error}")
        told.__cause__ = error
        return told
    return error


@final
class Writer:
    """Runs operations one after another and commits them in groups.

    `committed` is called in the writer's thread with each transaction that stands, before anybody
    is woken. `lock` is held while the connection is in use.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        committed: Callable[[Transaction], None],
        lock: threading.RLock,
    ) -> None:
        self._connection = connection
        self._committed = committed
        self._lock = lock
        self._asked: deque[_Asked[object]] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="hookproof store", daemon=True)
        self._thread.start()

    def ask(self, operation: Operation[Result]) -> Future[Result]:
        """Have an operation run; the future is done when it is on disk, or has failed.

        Raises:
            Closed: nothing is written any more.
        """
        asked = _Asked(operation, Future[Result]())
        with self._condition:
            if self._closing:
                raise Closed
            self._asked.append(asked)  # type: ignore[arg-type]
            self._condition.notify()
        return asked.answer

    def close(self) -> None:
        """Write what has been asked, then end the thread."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _work(self) -> None:
        while (group := self._next_group()) is not None:
            with self._lock:
                standing = self._commit(group)
            for asked in standing:
                asked.stands()

    def _next_group(self) -> list[_Asked[object]] | None:
        with self._condition:
            while not self._asked:
                if self._closing:
                    return None
                self._condition.wait()
            group = list(self._asked)
            self._asked.clear()
            return group

    def _commit(self, group: list[_Asked[object]]) -> list[_Asked[object]]:
        """Write a group and return what stands."""
        done: list[tuple[_Asked[object], Transaction]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for asked in group:
                transaction = Transaction(self._connection)
                if asked.run(transaction):
                    done.append((asked, transaction))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:  # such as a full disk: nothing of the group stands
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            for asked in group:
                if not asked.answer.done():
                    asked.falls(error)
            return []
        for _, transaction in done:
            self._committed(transaction)
        return [asked for asked, _ in done]
