"""`--restart-command`: a command of the user's that stops the receiver and starts it anew."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from hookproof_spec.errors import HookproofError

LIMIT = 60.0
"""How many seconds the command may take."""


@final
@dataclass(frozen=True, slots=True)
class Restart:
    """Runs the command with more variables in its environment."""

    command: str

    def __call__(self, environment: Mapping[str, str]) -> None:
        """Restart the receiver; returns when the command has ended.

        Raises:
            HookproofError: it failed, or did not end in time.
        """
        try:
            # The user's own command line, as in a Makefile: a shell is what is meant.
            done = subprocess.run(
                self.command,
                shell=True,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HookproofError(
                f"it did not end within {LIMIT:g} s",
                where="--restart-command",
                hint="let it start the receiver in the background and end",
            ) from error
        if done.returncode:
            raise HookproofError(
                f"it ended with status {done.returncode}", where="--restart-command"
            )
