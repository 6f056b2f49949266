"""Tracebacks without our frames: what a suite's own function raises is shown as its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import hookproof
import hookproof_spec
from hookproof_spec.errors import HookproofError

__tracebackhide__ = True
Result = TypeVar("Result")
OURS = tuple(str(Path(str(package.__file__)).parent) for package in (hookproof, hookproof_spec))
EXAMPLES = str(Path(OURS[0]) / "miniatures")
"""Receivers that come with us, and are in the place of a suite's own."""


def with_errors_of_theirs(function: Callable[[], Result]) -> Result:
    """Call a function; errors of a probe, a hook or an application come out as if called directly.

    Raises:
        HookproofError: it says by itself what is wrong, and shows no way that it came.
    """
    try:
        return function()
    except HookproofError as error:
        raise error.with_traceback(None) from None
    except Exception as error:
        # Whatever it is: nothing is handled here, only the traceback is cut.
        error.__traceback__ = _theirs(error.__traceback__)
        raise


def _theirs(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first frame on that is not ours; all of it if every one is."""
    step = traceback
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if name.startswith(EXAMPLES) or not name.startswith(OURS):
            return step
        step = step.tb_next
    return traceback
