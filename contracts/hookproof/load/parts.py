"""What a process of a load test has counted, on its way to whoever adds it up: JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import cast

from hookproof.load.histogram import Histogram
from hookproof.load.mix import Kind
from hookproof.load.tally import Count, Slice, Tally, Timeline
from hookproof.verdicts import Outcome

Told = Mapping[str, object]


def written(tally: Tally) -> dict[str, object]:
    """Return counts as JSON."""
    return {
        "kinds": {kind.value: _count(count) for kind, count in tally.kinds.items()},
        "first": tally.first,
        "last": tally.last,
        "width": tally.timeline.width,
        "slices": [[number, _slice(one)] for number, one in tally.timeline.slices.items()],
    }


def read(told: Told) -> Tally:
    """Return the counts that `written` wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is something else.
    """
    kinds = {Kind(name): _read_count(count) for name, count in _table(told["kinds"]).items()}
    width = _whole(told["width"])
    slices = {
        _whole(number): _read_slice(_table(one))
        for number, one in cast("list[tuple[object, object]]", told["slices"])
    }
    first, last = (_moment(told[name]) for name in ("first", "last"))
    return Tally(kinds, Timeline(width, slices), first, last)


def _count(count: Count) -> Told:
    return {
        "outcomes": dict(count.outcomes),
        "answers": dict(count.answers),
        "latencies": count.latencies.told(),
        "unfinished": count.unfinished,
    }


def _slice(one: Slice) -> Told:
    return {"outcomes": dict(one.outcomes), "latencies": one.latencies.told()}


def _read_count(told: object) -> Count:
    table = _table(told)
    return Count(
        outcomes=_outcomes(table["outcomes"]),
        answers=Counter({str(a): _whole(n) for a, n in _table(table["answers"]).items()}),
        latencies=Histogram.heard(_table(table["latencies"])),
        unfinished=_whole(table["unfinished"]),
    )


def _read_slice(told: Told) -> Slice:
    return Slice(_outcomes(told["outcomes"]), Histogram.heard(_table(told["latencies"])))


def _outcomes(told: object) -> Counter[Outcome]:
    return Counter({Outcome(name): _whole(number) for name, number in _table(told).items()})


def _table(told: object) -> Told:
    if not isinstance(told, Mapping):
        raise TypeError("this is no table")
    return told


def _moment(told: object) -> float | None:
    if told is not None and not isinstance(told, int | float):
        raise TypeError("this is no time")
    return told


def _whole(told: object) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise TypeError("this is no whole number")
    return told
