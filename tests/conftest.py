"""How the suite is run: by more workers than there are cores, and no test fails on a clock."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest
from hypothesis import settings

WORKERS_A_CORE = 2
"""Tests wait half of their time: for an effect that may be late, a server, a browser."""

settings.register_profile("suite", deadline=None)  # as long as the machine is busy
settings.load_profile("suite")


# A shell that starts the suite in the background has it ignore Ctrl-C, and all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Return how many workers `-n auto` starts."""
    return WORKERS_A_CORE * (yield)
