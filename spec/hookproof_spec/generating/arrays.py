"""Arrays: items by place, items that must occur, items that must differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from hypothesis import reject
from hypothesis import strategies as st
from jsonschema_rs import CanonicalSchema, canonical

from hookproof_spec.generating.accepting import SHALLOW, ExcessiveError
from hookproof_spec.generating.anything import ANYTHING, Values, identity

if TYPE_CHECKING:
    from hookproof_spec.generating.compiling import Compiler
    from hookproof_spec.webhook import JsonValue

MORE: Final = 3
"""How many items more than necessary an array has at most."""
MOST: Final = 2_000
"""How many items an array may have to have. Hypothesis takes seconds for more, or gives up."""
TRIES: Final = 20


@final
@dataclass(frozen=True, slots=True)
class _Need:
    """A `contains`: between `least` and `most` items are drawn from what a place allows of it."""

    least: int
    most: int | None
    inside: dict[int, Values]
    outside: dict[int, Values]
    """By place; the last place stands for all that follow."""


def array(compiler: Compiler, view: canonical.ArrayView, depth: int) -> Values | None:
    """Return the arrays of a view; None where there is none.

    Raises:
        ExcessiveError: they must be longer than can be drawn.
    """
    if view.min_items is not None and view.min_items > MOST:
        raise ExcessiveError("minItems", view.min_items)
    more = MORE if depth <= SHALLOW else 0
    simple = not view.prefix_items and not view.contains
    if simple and view.distinctness is not canonical.Distinctness.SOME_REPEATED:
        return _alike(compiler, view, depth, more)
    return _assembly(compiler, view, depth, more)


def _alike(compiler: Compiler, view: canonical.ArrayView, depth: int, more: int) -> Values | None:
    least, most = view.min_items or 0, view.max_items
    items = ANYTHING if view.items is None else compiler.compile(view.items, depth)
    if items is None:
        return st.builds(list) if least == 0 else None
    high = least + more if most is None else min(most, least + more)
    if view.distinctness is not canonical.Distinctness.ALL_DISTINCT:
        return st.lists(items, min_size=least, max_size=high)
    chosen = view.items.view() if view.items is not None else None
    if isinstance(chosen, canonical.EnumView):
        sizes = st.integers(least, min(high, len(chosen.values)))
        return st.builds(lambda order, size: order[:size], st.permutations(chosen.values), sizes)
    return st.lists(items, min_size=least, max_size=high, unique_by=identity)


def _assembly(
    compiler: Compiler, view: canonical.ArrayView, depth: int, more: int
) -> Values | None:
    places = _places(compiler, view, depth)
    needs = [_need(compiler, view, part, depth) for part in view.contains]
    repeated = view.distinctness is canonical.Distinctness.SOME_REPEATED
    least = max(view.min_items or 0, 2 if repeated else 0)
    last = len(view.prefix_items)
    endless = places.get(last) is not None
    fixed = next((place for place in range(last) if places[place] is None), last)
    high = fixed if not endless or fixed < last else max(least, last) + more + _owed(needs)
    high = high if view.max_items is None else min(high, view.max_items)
    least = max(least, _shortest(needs, high, last))
    if least > high:
        return None
    unique = view.distinctness is canonical.Distinctness.ALL_DISTINCT

    @st.composite
    def assembled(draw: st.DrawFn) -> JsonValue:
        size = draw(st.integers(least, high))
        plan = _plan(draw, needs, int(str(size)), places, last)
        values: list[JsonValue] = []
        for item in plan:
            values.append(_distinct(draw, item, values) if unique else draw(item))
        if repeated:
            values[-1] = values[0]
        return values

    return assembled()


def _places(compiler: Compiler, view: canonical.ArrayView, depth: int) -> dict[int, Values | None]:
    found = {place: compiler.compile(node, depth) for place, node in enumerate(view.prefix_items)}
    rest = ANYTHING if view.items is None else compiler.compile(view.items, depth)
    return {**found, len(view.prefix_items): rest}


def _need(
    compiler: Compiler, view: canonical.ArrayView, part: canonical.ContainsView, depth: int
) -> _Need:
    inside: dict[int, Values] = {}
    outside: dict[int, Values] = {}
    for place, node in enumerate([*view.prefix_items, view.items]):
        both = part.schema if node is None else node.intersect(part.schema)
        found = compiler.compile(both, depth)
        if found is not None:
            inside[place] = found
        if part.max_contains is not None:
            left = compiler.compile(_less(node, part.schema), depth)
            if left is not None:
                outside[place] = left
    least = 1 if part.min_contains is None else part.min_contains
    return _Need(least, part.max_contains, inside, outside)


def _less(node: CanonicalSchema | None, part: CanonicalSchema) -> CanonicalSchema:
    """Return what a place allows without what is counted; all of it where that has no form."""
    try:
        return part.negate() if node is None else node.subtract(part)
    except canonical.CanonicalizationError:
        return part if node is None else node


def _owed(needs: list[_Need]) -> int:
    return sum(need.least for need in needs)


def _able(need: _Need, size: int, last: int) -> list[int]:
    return [place for place in range(size) if min(place, last) in need.inside]


def _shortest(needs: list[_Need], high: int, last: int) -> int:
    """Return the least size with enough places for all that must occur."""
    sizes = (
        size
        for size in range(high + 1)
        if all(len(_able(need, size, last)) >= need.least for need in needs)
    )
    return next(sizes, high + 1)


def _plan(
    draw: st.DrawFn, needs: list[_Need], size: int, places: dict[int, Values | None], last: int
) -> list[Values]:
    """Return a strategy for each place of an array of this size."""
    allowed = [places[min(place, last)] for place in range(size)]
    plan = [ANYTHING if found is None else found for found in allowed]
    for need in needs:
        able = _able(need, size, last)
        most = len(able) if need.most is None else min(need.most, len(able))
        chosen: set[int] = set()
        if able and most:
            sizes = {"min_size": min(need.least, most), "max_size": most}
            chosen = draw(st.sets(st.sampled_from(able), **sizes))
        for place in range(size):
            if place in chosen:
                plan[place] = need.inside[min(place, last)]
            elif need.most is not None:
                plan[place] = need.outside.get(min(place, last), plan[place])
    return plan


def _distinct(draw: st.DrawFn, item: Values, before: list[JsonValue]) -> JsonValue:
    taken = {json.dumps(value, sort_keys=True) for value in before}
    for _ in range(TRIES):
        value = draw(item)
        if json.dumps(value, sort_keys=True) not in taken:
            return value
    return reject()
