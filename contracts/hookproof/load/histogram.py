"""Latencies in buckets that grow by two in a hundred: small, quick, and added up exactly."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import final

SHORTEST = 1e-5
"""Seconds; whatever is quicker counts as this."""
LONGEST = 1e4
GROWTH = 1.02
_SCALE = 1 / math.log(GROWTH)
LAST = math.ceil(math.log(LONGEST / SHORTEST) * _SCALE)
"""The last bucket. There are no more than these, however much is measured."""


@final
@dataclass(slots=True)
class Histogram:
    """How many latencies fell into each bucket, and the longest of them in seconds."""

    buckets: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0

    @property
    def count(self) -> int:
        """How many were measured."""
        return self.buckets.total()

    def add(self, seconds: float) -> None:
        """Count one."""
        self.buckets[bucket_of(seconds)] += 1
        self.longest = max(self.longest, seconds)

    def merge(self, other: Histogram) -> None:
        """Add what another has counted."""
        self.buckets.update(other.buckets)
        self.longest = max(self.longest, other.longest)

    def percentile(self, percent: float) -> float | None:
        """Return the seconds that so many in a hundred did not exceed, within two in a hundred.

        None where nothing was measured.
        """
        total = self.count
        if not total:
            return None
        rank = max(1, math.ceil(total * percent / 100))
        passed = 0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= rank:
                return min(SHORTEST * GROWTH**bucket, self.longest)
        return self.longest

    def told(self) -> dict[str, object]:
        """Return it as JSON."""
        return {"buckets": [list(pair) for pair in self.buckets.items()], "longest": self.longest}

    @classmethod
    def heard(cls, told: Mapping[str, object]) -> Histogram:
        """Read what `told` returned."""
        pairs = told["buckets"]
        longest = told["longest"]
        if not isinstance(pairs, Iterable) or not isinstance(longest, int | float):
            raise TypeError("this is no histogram")
        return cls(Counter({int(bucket): int(count) for bucket, count in pairs}), float(longest))


def bucket_of(seconds: float) -> int:
    """Return the first bucket whose end is not below a latency."""
    if seconds <= SHORTEST:
        return 0
    return min(LAST, math.ceil(math.log(seconds / SHORTEST) * _SCALE))
