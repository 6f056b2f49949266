"""Opening a store file: ours, of a version we know, and nobody else's at the same time."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from pathlib import Path
from typing import final

from hookproof_mockserver.sender_errors import StoreError
from hookproof_mockserver.store.schema import APPLICATION_ID, MIGRATIONS, VERSION


@final
class FileLock:
    """Held by the one process that may use a store file; the system frees it when that dies.

    Raises:
        StoreError: another process holds it, or it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(f"{os.path.realpath(path)}-lock")  # the same, whatever name leads there
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._descriptor = self._taken()
        except BlockingIOError as error:
            raise StoreError(
                "another mock sender uses this store",
                where=str(path),
                hint="end it, or choose another file with --db",
            ) from error
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error

    def _taken(self) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._still_there(descriptor):
                    return descriptor
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its holder removed it before we had the lock

    def _still_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def free(self) -> None:
        """Let another process use the store."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def connect(path: Path | None) -> sqlite3.Connection:
    """Return a connection in autocommit mode; a new database in memory where there is no path."""
    connection = sqlite3.connect(
        ":memory:" if path is None else path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        timeout=30.0,
    )
    return _told(connection, "foreign_keys = ON")


def _told(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    """Return a connection that has been told something; close one that cannot be."""
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_for_writing(path: Path | None) -> sqlite3.Connection:
    """Return the writer's connection to a store, made or brought up to date where needed.

    Raises:
        StoreError: it is no store of ours, of a later version, or cannot be read or written.
    """
    try:
        if path is not None:
            _make_private(path)
        connection = connect(path)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    return connection


def _make_private(path: Path) -> None:
    """Make a file that is not there yet, for its owner's eyes: it will hold secrets."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Return a connection that can change nothing."""
    return _told(connect(path), "query_only = ON")


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    version = _checked_version(connection, path)
    if path is not None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    for number in range(version, VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number]}"
            f" PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {number + 1}; COMMIT;"
        )


def _checked_version(connection: sqlite3.Connection, path: Path | None) -> int:
    """Return how many migrations the file has had; 0 for an empty one."""
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    tables = _number(connection, "SELECT count(*) FROM sqlite_schema")
    if tables and application != APPLICATION_ID:
        raise _unusable(path, "the file is a database of another program")
    if version > VERSION:
        raise StoreError(
            f"the store has version {version}; this hookproof knows up to {VERSION}",
            where=str(path),
            hint="use a later hookproof, or choose another file with --db",
        )
    return version


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _unusable(path: Path | None, problem: str) -> StoreError:
    where = "memory" if path is None else str(path)
    return StoreError(
        f"the store cannot be used: {problem}", where=where, hint="choose another file with --db"
    )
