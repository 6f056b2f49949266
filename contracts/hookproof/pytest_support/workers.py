"""Under pytest-xdist: what workers have in common, and whose turn it is.

All workers may judge one receiver. Its effects are counted, so that no two rules may be tried on it
at the same time, wherever they run: a lock in a folder that the controller makes sees to that.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

import pytest

from hookproof.pytest_support.settings import INPUT, shared_with_workers

_SHARED = pytest.StashKey[dict[str, str]]()


class Node(Protocol):
    """A worker, as the controller of pytest-xdist sees it."""

    config: pytest.Config
    workerinput: dict[str, object]


def prepare(node: object) -> None:
    """Tell a worker the seed and the folder of locks, and await what it finds."""
    from hookproof.pytest_support.merging import await_results_or_stop

    worker = cast(Node, node)
    await_results_or_stop(worker.config)
    worker.workerinput[INPUT] = dict(_shared(worker.config))


def _shared(config: pytest.Config) -> dict[str, str]:
    if _SHARED not in config.stash:
        folder = tempfile.mkdtemp(prefix="hookproof-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.stash[_SHARED] = {"seed": str(secrets.randbelow(2**32)), "folder": folder}
    return config.stash[_SHARED]


@contextmanager
def alone_with(receiver: str, config: pytest.Config) -> Iterator[None]:
    """Wait until no other worker tries anything on a receiver, and keep them off."""
    folder = Path(shared_with_workers(config).get("folder", ""))
    if not folder.name or not folder.is_dir():  # no workers, or on another machine
        yield
        return
    import fcntl

    name = hashlib.sha256(receiver.encode()).hexdigest()[:16]
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        yield
