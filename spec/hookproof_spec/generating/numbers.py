"""Numbers within bounds and of given divisors, exact where floating point is not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Final, final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

if TYPE_CHECKING:
    from jsonschema_rs import canonical

Number = int | float | Decimal
Numbers = SearchStrategy[int] | SearchStrategy[float]
LARGEST: Final = 2**53 - 1
"""Beyond it a reader with floating point, which is most of them, reads another integer."""


@final
@dataclass(frozen=True, slots=True)
class _Span:
    """The multiples of `step` from `low` to `high`, both counted in steps."""

    step: Fraction
    low: int
    high: int


def integers(view: canonical.IntegerView) -> Numbers | None:
    """Return the integers of a view; None where there is none."""
    steps = [Fraction(1), *_fractions(view.multiple_of)]
    span = _span(_common(steps), _exact(view.minimum), _exact(view.maximum))
    if span.low > span.high:
        return None
    found = st.integers(span.low, span.high).map(lambda count: int(count * span.step))
    return _without(found, view.not_multiple_of)


def numbers(view: canonical.NumberView) -> Numbers | None:
    """Return the numbers of a view, integers among them; None where there is none."""
    found = _stepped(view) if view.multiple_of else _real(view)
    if found is None:
        return None
    if view.excludes_integers:
        found = found.filter(lambda number: not float(number).is_integer())
    return _without(found, view.not_multiple_of)


def _stepped(view: canonical.NumberView) -> SearchStrategy[float] | None:
    span = _span(_common(_fractions(view.multiple_of)), _exact(view.minimum), _exact(view.maximum))
    if span.low > span.high:
        return None
    found = st.integers(span.low, span.high).map(lambda count: plain(count * span.step))
    found = found.filter(lambda number: _within(number, view))
    return found.filter(lambda number: all(_divides(step, number) for step in view.multiple_of))


def _real(view: canonical.NumberView) -> SearchStrategy[float] | None:
    low, high = _float(view.minimum), _float(view.maximum)
    low = -1e15 if low is None else low
    high = max(1e15, low + 1e15) if high is None else high
    low = min(low, high - 1e15) if view.minimum is None else low
    whole = _span(Fraction(1), Fraction(low), Fraction(high))
    parts: list[SearchStrategy[float]] = []
    if whole.low <= whole.high and not view.excludes_integers:
        parts.append(st.integers(whole.low, whole.high))
    if low <= high:
        parts.append(st.floats(low, high, allow_subnormal=False, allow_nan=False))
    found = st.one_of(parts).filter(lambda number: _within(number, view))
    return found if parts else None


def _within(number: float, view: canonical.NumberView) -> bool:
    low, high = _exact(view.minimum), _exact(view.maximum)
    exact = Fraction(number)
    above = low is None or exact > low or (exact == low and not view.exclusive_minimum)
    below = high is None or exact < high or (exact == high and not view.exclusive_maximum)
    # A bound such as 0.01 is no binary fraction: what reads as the bound is the bound.
    at_low = low is not None and number == float(low) and not view.exclusive_minimum
    at_high = high is not None and number == float(high) and not view.exclusive_maximum
    return (above or at_low) and (below or at_high)


def plain(number: Fraction) -> float:
    """Return a number as JSON has it: an integer where it is one."""
    return int(number) if number.denominator == 1 else float(number)


def _span(step: Fraction, low: Fraction | None, high: Fraction | None) -> _Span:
    limit = int(LARGEST / step) if step >= 1 else LARGEST
    first = -limit if low is None else math.ceil(low / step)
    last = max(limit, first + limit) if high is None else math.floor(high / step)
    return _Span(step, min(first, last - limit) if low is None else first, last)


def _common(steps: Iterable[Fraction]) -> Fraction:
    """Return the smallest number that all steps divide."""
    return reduce(
        lambda a, b: Fraction(
            math.lcm(a.numerator * b.denominator, b.numerator * a.denominator),
            a.denominator * b.denominator,
        ),
        steps,
    )


def _divides(step: Number, number: float) -> bool:
    """Tell whether validators that divide floating-point numbers find a multiple, too."""
    if isinstance(number, int) and isinstance(step, int):
        return number % step == 0
    return (number / float(step)).is_integer()


def _without(found: Numbers, steps: list[Number]) -> Numbers:
    excluded = _fractions(steps)
    if not excluded:
        return found

    def kept(number: float) -> bool:
        return all(Fraction(str(number)) % step != 0 for step in excluded)

    return found.filter(kept)


def _fractions(steps: Iterable[Number]) -> list[Fraction]:
    return [Fraction(str(step)) for step in steps]


def _exact(number: Number | None) -> Fraction | None:
    return None if number is None else Fraction(str(number))


def _float(number: Number | None) -> float | None:
    return None if number is None else float(number)
