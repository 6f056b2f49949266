"""The command line: one module a command, imported when it is called."""

from __future__ import annotations

from hookproof.cli.app import main

__all__ = ["main"]
