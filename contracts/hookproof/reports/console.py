"""A text stream with manners: colour only where it is wanted, no character it cannot write."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TextIO, final


class Colour(StrEnum):
    """When to write colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Style(StrEnum):
    """What a colour says; the values are the codes of ECMA-48 (SGR)."""

    GOOD = "32"
    BAD = "1;31"
    ODD = "33"
    FAINT = "2"
    STRONG = "1"


CLEAR_LINE = "\r\x1b[2K"


@final
@dataclass(slots=True)
class Console:
    """Writes lines to a stream.

    `live` allows a line that is overwritten. When the reader goes away (`| head`), the rest is
    dropped in silence, so that a run still ends and its reports are written.
    """

    stream: TextIO
    coloured: bool = False
    live: bool = False
    _transient: bool = field(default=False, init=False)
    _gone: bool = field(default=False, init=False)

    @classmethod
    def on(cls, stream: TextIO, colour: Colour = Colour.AUTO) -> Console:
        """Return a console that suits a stream and the environment (`NO_COLOR`, `TERM`)."""
        terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        wanted = terminal and not os.environ.get("NO_COLOR")
        return cls(
            stream,
            coloured=colour is Colour.ALWAYS or (colour is Colour.AUTO and wanted),
            live=terminal,
        )

    @property
    def plain(self) -> bool:
        """Tell whether the stream's encoding lacks the marks `✓` and `✗`."""
        return not self._can_write("✓✗…")

    def paint(self, text: str, style: Style | None) -> str:
        """Return the text in a style, or as it is where there are no colours."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.coloured and style and text else text

    def line(self, text: str = "") -> None:
        """Write a line."""
        self._write(f"{self._cleared()}{text}\n")

    def transient(self, text: str) -> None:
        """Show a line until the next one is written; nothing where there is no terminal."""
        if self.live:
            self._write(self._cleared() + text)
            self._transient = True

    def settle(self) -> None:
        """Take the transient line away."""
        self._write(self._cleared())

    def _cleared(self) -> str:
        clear, self._transient = (CLEAR_LINE if self._transient else ""), False
        return clear

    def _write(self, text: str) -> None:
        if self._gone or not text:
            return
        try:
            self.stream.write(text if self._can_write(text) else self._replaced(text))
            self.stream.flush()
        except BrokenPipeError:
            self._gone = True
            silence(self.stream)

    def _can_write(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _replaced(self, text: str) -> str:
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    @property
    def _encoding(self) -> str:
        return self.stream.encoding or "utf-8"


def silence(stream: TextIO) -> None:
    """Send the rest of a standard stream nowhere: Python's own flush at exit would complain."""
    if stream not in (sys.stdout, sys.stderr):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
