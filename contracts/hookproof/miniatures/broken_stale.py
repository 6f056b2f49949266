"""Receivers that take a wrong view of time, with one bug each."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import ClassVar

from hookproof.miniatures.base import TIMESTAMP, Miniature, RefusedError, Stamp


class IgnoresAge(Miniature):
    """Never looks at the timestamp, though it lies in the future or years ago."""

    exposed_by: ClassVar = ("stale-old",)

    def check_age(self, stamp: Stamp) -> None:
        pass


class MillisecondTolerance(Miniature):
    """Compares seconds with a tolerance in milliseconds: an hour has become six weeks."""

    exposed_by: ClassVar = ("stale-old",)
    tolerance: ClassVar = 3_600_000


class ThreeHours(Miniature):
    """Has a window of three hours and says nothing of it."""

    exposed_by: ClassVar = ("stale-two-hours",)
    tolerance: ClassVar = 10_800
    declared: ClassVar = None


class TwoTolerances(Miniature):
    """Tells a tolerance of an hour, and enforces another constant."""

    exposed_by: ClassVar = ("stale-just-outside",)
    tolerance: ClassVar = 5400


class FalsyTime(Miniature):
    """Tests whether the time is truthy, and 0 is not."""

    exposed_by: ClassVar = ("stale-zero",)

    def check_age(self, stamp: Stamp) -> None:
        if int(stamp.timestamp):
            super().check_age(stamp)


class LooksAtOneSide(Miniature):
    """Looks at the past alone."""

    exposed_by: ClassVar = ("stale-future",)
    skew: ClassVar = float("inf")


class ComparesNaN(Miniature):
    """Converts the timestamp as JavaScript does: what is no number is never too old."""

    exposed_by: ClassVar = ("stale-not-a-number",)

    def check_shape(self, stamp: Stamp) -> None:
        super().check_shape(Stamp("0", stamp.nonce, stamp.signature))

    def check_age(self, stamp: Stamp) -> None:
        if TIMESTAMP.fullmatch(stamp.timestamp):
            super().check_age(stamp)

    def keep_until(self, stamp: Stamp) -> float:
        if TIMESTAMP.fullmatch(stamp.timestamp):
            return super().keep_until(stamp)
        return self.now() + self.tolerance


class OverflowsCalendar(Miniature):
    """Turns the timestamp into a date, which fails for milliseconds."""

    exposed_by: ClassVar = ("stale-lenient-int",)

    def check_shape(self, stamp: Stamp) -> None:
        if not re.fullmatch(r"[0-9]{1,13}", stamp.timestamp):
            raise RefusedError(self.refusal)
        super().check_shape(Stamp("0", stamp.nonce, stamp.signature))

    def check_age(self, stamp: Stamp) -> None:
        moment = datetime.fromtimestamp(int(stamp.timestamp), UTC)
        super().check_age(Stamp(str(int(moment.timestamp())), stamp.nonce, stamp.signature))


class RemembersFreshness(Miniature):
    """Looks at the age of a nonce's first request alone."""

    exposed_by: ClassVar = ("stale-after-window",)

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.fresh: set[str] = set()

    def check_age(self, stamp: Stamp) -> None:
        if stamp.nonce not in self.fresh:
            super().check_age(stamp)
            self.fresh.add(stamp.nonce)
