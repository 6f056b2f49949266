"""Being told to end: by Ctrl-C, or by SIGTERM as from `kill` or a cancelled CI job."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_gently() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does."""
    if not _is(signal.SIGTERM, signal.SIG_DFL):
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold a Ctrl-C back until the block has ended; a second one is not held back."""
    held = False

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal held
        if held:
            raise KeyboardInterrupt
        held = True

    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if _is(n, signal.default_int_handler)]
    for number in numbers:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
    if held:
        raise KeyboardInterrupt


def _is(number: signal.Signals, handler: object) -> bool:
    """Tell whether a signal is handled like this; one that is ignored must stay so."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and signal.getsignal(number) is handler
