"""Reports as files: there before the run begins to be doubted, whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import final

from hookproof_spec.errors import HookproofError


@final
class ReportFile:
    """A file that is written in one go, by renaming a temporary one beside it.

    What is no regular file (`/dev/stdout`, a pipe) is written to directly: it must not be replaced.
    """

    __slots__ = ("_direct", "_path", "_what", "path")

    def __init__(self, path: Path, what: str = "the report") -> None:
        """Make sure that the file can be written, before an hour is spent on its contents.

        Raises:
            HookproofError: it cannot.
        """
        self.path = path
        self._what = what
        self._path = path.resolve()
        self._direct = self._path.exists() and not self._path.is_file()
        self._check()

    def write(self, data: bytes) -> None:
        """Replace the file's contents.

        Raises:
            HookproofError: the disk is full, or somebody has taken the directory away.
        """
        try:
            if self._direct:
                self._path.write_bytes(data)
            else:
                self._replace(data)
        except OSError as error:
            raise self._refused(_reason(error)) from error

    def _check(self) -> None:
        parent = self._path.parent
        if self._path.is_dir():
            raise self._refused("it is a directory", "name a file in it")
        if not parent.is_dir():
            raise self._refused(f"there is no directory {parent}", "make it first")
        if not self._direct:
            self._try_out()

    def _try_out(self) -> None:
        probe = self._beside()
        try:
            probe.touch(exist_ok=False)
            probe.unlink()
        except OSError as error:
            raise self._refused(_reason(error)) from error

    def _replace(self, data: bytes) -> None:
        temporary = self._beside()
        try:
            temporary.write_bytes(data)
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)

    def _beside(self) -> Path:
        return self._path.with_name(f".{self._path.name[:200]}.{secrets.token_hex(6)}.tmp")

    def _refused(self, why: str, hint: str = "choose another path") -> HookproofError:
        return HookproofError(
            f"{self._what} cannot be written: {why}", where=os.fspath(self.path), hint=hint
        )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
