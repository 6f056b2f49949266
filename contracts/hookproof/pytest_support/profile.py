"""What a suite says to Hypothesis: its options and its profile."""

from __future__ import annotations

import zlib
from typing import Final

import pytest

DEFAULT_EFFORT: Final = 100
"""Hypothesis' own `max_examples`: a profile that has it says nothing of the effort."""


def hypothesis_seed(config: pytest.Config) -> int | None:
    """Return the seed of `--hypothesis-seed`, which may be any text; None where it is not given."""
    asked: str | None = config.getoption("hypothesis_seed", None)
    if asked is None:
        return None
    try:
        return int(asked)
    except ValueError:
        return zlib.crc32(asked.encode())


def is_derandomised() -> bool:
    """Tell whether the loaded profile wants every run to be the same, as that for CI does."""
    from hypothesis import settings

    return settings().derandomize


def effort() -> int | None:
    """Return the loaded profile's `max_examples`; None where it is Hypothesis' own."""
    from hypothesis import settings

    examples = settings().max_examples
    return None if examples == DEFAULT_EFFORT else examples
