"""A look through a project's folder that ends, however the folder is made."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import final

DEPTH = 8
ENTRIES = 20_000
FILES = 2_000
LARGEST = 256 * 1024
"""Bytes of the largest file that is read: what people write by hand is smaller."""
MOST = 32 * 1024 * 1024
"""Bytes that are read in all."""
SOURCES = frozenset(
    (".py", ".js", ".cjs", ".mjs", ".ts", ".go", ".rb", ".php", ".java", ".kt", ".rs", ".cs", ".ex")
)
_NO_SOURCES = ("node_modules", "venv", "env", "site-packages", "build", "dist", "target", "vendor")
_NOT_THE_RECEIVERS = ("tests", "test", "testing", "docs", "examples", "migrations", "__pycache__")
_APART = frozenset((*_NO_SOURCES, *_NOT_THE_RECEIVERS))


@final
@dataclass(frozen=True, slots=True)
class Sources:
    """The source files of a project, the shallow ones first; `cut` tells whether there are more."""

    paths: tuple[Path, ...]
    cut: bool


def sources_in(folder: Path) -> Sources:
    """Return the source files at and below a folder. No link is followed, so that no loop is."""
    paths: list[Path] = []
    left = MOST
    for looked_at, entry in enumerate(_entries(folder)):
        if looked_at == ENTRIES or len(paths) == FILES or left < 0:
            return Sources(tuple(paths), cut=True)
        if (size := _size(entry)) is not None:
            left -= size
            paths.append(Path(entry.path))
    return Sources(tuple(paths), cut=False)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what a folder holds, level by level, each folder in the order of names."""
    waiting = deque([(str(folder), 0)])
    while waiting:
        path, depth = waiting.popleft()
        for entry in _listed(path):
            yield entry
            if depth < DEPTH and _is_own_folder(entry):
                waiting.append((entry.path, depth + 1))


def _listed(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return sorted(islice(found, ENTRIES), key=lambda entry: entry.name)
    except OSError:  # it may not be read, or is gone: there is nothing to find in it
        return []


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name in _APART:
        return False
    return _is_dir(entry) and not os.path.lexists(os.path.join(entry.path, "pyvenv.cfg"))  # noqa: PTH118 (entry.path is a text)


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # it is gone
        return False


def _size(entry: os.DirEntry[str]) -> int | None:
    """Return how long a source file is; None of what is none, or a test, or too long."""
    name = entry.name
    if os.path.splitext(name)[1] not in SOURCES:  # noqa: PTH122 (a name, and no path)
        return None
    if name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py"):
        return None
    try:
        size = entry.stat().st_size if entry.is_file(follow_symlinks=False) else LARGEST + 1
    except OSError:  # it is gone
        return None
    return size if size <= LARGEST else None


def read_text(path: Path) -> str:
    """Return a file's text, "" where it cannot be read; what is no UTF-8 is replaced."""
    return read_bytes(path).decode("utf-8", "replace")


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, up to the largest that is read."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return b""
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError:  # it may not be read: nothing is known of it
        return b""
