"""A test's own transaction, kept open while Django serves a request in the same thread.

Django closes old connections when a request begins and when it ends; one in which a transaction is
open counts as old. Its own test client knows that, and so do we.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


def transactions_kept() -> AbstractContextManager[None]:
    """Return a context in which Django leaves connections alone that are in a transaction."""
    database = sys.modules.get("django.db")
    configured = getattr(getattr(sys.modules.get("django.conf"), "settings", None), "configured", 0)
    return _kept(database) if database is not None and configured else nullcontext()


@contextmanager
def _kept(database: Any) -> Iterator[None]:  # noqa: ANN401 (Django is not typed, nor needed)
    """Connections belong to one thread, so that nobody else sees what is changed here."""
    busy = [c for c in database.connections.all(initialized_only=True) if c.in_atomic_block]
    for connection in busy:
        connection.close_if_unusable_or_obsolete = _nothing
    try:
        yield
    finally:
        for connection in busy:
            del connection.close_if_unusable_or_obsolete


def _nothing() -> None:
    """Take the place of a method that closes."""
