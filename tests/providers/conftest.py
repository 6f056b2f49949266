"""What the tests of providers' packages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from providers.npm import Node

NOW = 1_773_480_413
"""The moment at which everything here takes place, in Unix seconds."""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A Node process that asks the packages of npm."""
    with Node() as process:
        yield process


@pytest.fixture
def now() -> Iterator[float]:
    """Stop the clock, for our signer and for the packages, which read it themselves."""
    with time_machine.travel(NOW, tick=False):
        yield float(NOW)
