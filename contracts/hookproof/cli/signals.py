"""Being told to end: by Ctrl-C, or by SIGTERM as from `kill` or a cancelled CI job."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_GLANCE = 0.5
"""After so many seconds a signal is noticed that did not wake the thread which waits."""


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


def wait_to_be_ended() -> NoReturn:
    """Wait until Ctrl-C or SIGTERM comes, as a KeyboardInterrupt.

    Of a process that was stopped meanwhile, the system may give the signal to any thread.
    """
    while True:
        time.sleep(_GLANCE)


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
