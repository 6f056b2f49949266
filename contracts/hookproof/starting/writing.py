"""Several new files, written all or none. What is there is never written to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from hookproof_spec.errors import HookproofError

Undo = Callable[[Callable[[], None]], object]


def write_new(files: Mapping[Path, str]) -> None:
    """Create files, and the folders in which they lie.

    Raises:
        HookproofError: one cannot be created, or is there by now. Then none is left.
    """
    try:
        with ExitStack() as stack:
            for path, text in files.items():
                _make_folders(path.parent, stack.callback)
                _create(path, text, stack.callback)
            stack.pop_all()
    except OSError as error:
        raise HookproofError(
            f"cannot be written: {(error.strerror or str(error)).lower()}",
            where=str(error.filename or "init"),
            hint="nothing was written",
        ) from error


def _make_folders(folder: Path, undo: Undo) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent, undo)
        folder.mkdir()
        undo(folder.rmdir)


def _create(path: Path, text: str, undo: Undo) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        undo(path.unlink)
        file.write(text)
