"""The command line: one module a command, imported when it is called."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status of the process."""
    try:
        from hookproof.cli import app
    except KeyboardInterrupt:  # click, which tells it in one line, is not there yet
        return 130
    return app.main(arguments)
