"""A load test over time, as shapes to draw: requests a second in bars, latencies in lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from hookproof.load.tally import Slice, Timeline
from hookproof.verdicts import Outcome

WIDTH, HEIGHT = 960, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 28, 12, 28
STACKED = (
    Outcome.ACCEPTED,
    Outcome.REJECTED,
    Outcome.THROTTLED,
    Outcome.CRASHED,
    Outcome.DROPPED,
)
LINES = (50, 95, 99)
TICKS = 4


@final
@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a slice's bar, in the units of the drawing."""

    outcome: Outcome
    x: float
    y: float
    width: float
    height: float


@final
@dataclass(frozen=True, slots=True)
class Line:
    """A percentile's way through time: stretches of points, `x,y x,y …`, broken where none is."""

    percent: int
    stretches: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis, at its place in the drawing."""

    at: float
    label: str


@final
@dataclass(frozen=True, slots=True)
class Axes:
    """The marks of both axes."""

    x: tuple[Tick, ...]
    y: tuple[Tick, ...]


@final
@dataclass(frozen=True, slots=True)
class Plot:
    """What the page draws; `highest` is the top of the axis of latencies in seconds."""

    bars: tuple[Bar, ...]
    rates: Axes
    lines: tuple[Line, ...]
    latencies: Axes


def plot(timeline: Timeline) -> Plot | None:
    """Return what is to be drawn; None where nothing was counted."""
    if not timeline.slices:
        return None
    slices = _whole(timeline)
    width = timeline.width
    most = _top(max(one.outcomes.total() for one in slices) / width)
    slowest = _top(max((one.latencies.percentile(LINES[-1]) or 0.0) for one in slices))
    times = tuple(_times(len(slices), width))
    return Plot(
        bars=tuple(_bars(slices, width, most)),
        rates=Axes(times, tuple(_levels(most, lambda value: f"{value:,.4g}"))),
        lines=tuple(_line(percent, slices, slowest) for percent in LINES),
        latencies=Axes(times, tuple(_levels(slowest, lambda value: f"{value * 1000:,.4g} ms"))),
    )


def _whole(timeline: Timeline) -> list[Slice]:
    """Return all slices from the first to the last, also those in which nothing came back."""
    first, last = min(timeline.slices), max(timeline.slices)
    return [timeline.slices.get(number, Slice()) for number in range(first, last + 1)]


def _bars(slices: Sequence[Slice], width: int, most: float) -> Iterator[Bar]:
    step = _inner_width() / len(slices)
    for number, one in enumerate(slices):
        below = 0.0
        for outcome in STACKED:
            rate = one.outcomes[outcome] / width
            if rate:
                top, bottom = _y(below + rate, most), _y(below, most)
                x = LEFT + number * step
                yield Bar(outcome, _r(x), _r(top), _r(max(0.5, step - 1)), _r(bottom - top))
            below += rate


def _line(percent: int, slices: Sequence[Slice], slowest: float) -> Line:
    step = _inner_width() / len(slices)
    stretches: list[list[str]] = [[]]
    for number, one in enumerate(slices):
        seconds = one.latencies.percentile(percent)
        if seconds is None:
            stretches.append([])
        else:
            x = LEFT + (number + 0.5) * step
            stretches[-1].append(f"{_r(x)},{_r(_y(seconds, slowest))}")
    return Line(percent, tuple(" ".join(points) for points in stretches if points))


def _times(count: int, width: int) -> Iterator[Tick]:
    step = _inner_width() / count
    every = max(1, math.ceil(count / 8))
    for number in range(0, count + 1, every):
        yield Tick(_r(LEFT + number * step), f"{number * width} s")


def _levels(top: float, written: Callable[[float], str]) -> Iterator[Tick]:
    for number in range(TICKS + 1):
        value = top * number / TICKS
        yield Tick(_r(_y(value, top)), written(value))


def _y(value: float, top: float) -> float:
    inner = HEIGHT - TOP - BOTTOM
    return TOP + inner * (1 - min(1.0, value / top))


def _top(highest: float) -> float:
    """Return a round number that is not below the highest value."""
    if highest <= 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(highest))
    return next(power * step for step in (1, 2, 4, 5, 8, 10, 20) if power * step >= highest)


def _inner_width() -> int:
    return WIDTH - LEFT - RIGHT


def _r(value: float) -> float:
    return round(value, 2)
