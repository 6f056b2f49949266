"""Being told to end: by Ctrl-C, or by SIGTERM as from `kill` or a cancelled CI job."""

from __future__ import annotations

import os
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
def held_back() -> Iterator[set[signal.Signals]]:
    """Give the signals that end us, held back from this thread and those that it starts.

    As an exception, Ctrl-C can come at any place: it may be lost there, leave a thread that nobody
    ends, or come to a thread that does not wake the one which waits.
    """
    signals = {number for number in (signal.SIGINT, signal.SIGTERM) if _is_heard(number)}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    before = {number: signal.signal(number, _leave) for number in signals}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def wait_for(signals: set[signal.Signals]) -> None:
    """Wait for the first of signals held back; a second one ends the process at once."""
    signal.sigwait(signals)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def _leave(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)  # without waiting for answers; a store survives it as a kill -9


def _is_heard(number: signal.Signals) -> bool:
    return signal.getsignal(number) is not signal.SIG_IGN


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
