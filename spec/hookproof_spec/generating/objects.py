"""Objects: members by name, by pattern, and those that nobody named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final, final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema_rs import CanonicalSchema, canonical

from hookproof_spec.generating.accepting import SHALLOW, ExcessiveError, accepts
from hookproof_spec.generating.anything import ANYTHING, Values
from hookproof_spec.generating.letters import texts
from hookproof_spec.generating.matching import compiled, matching

if TYPE_CHECKING:
    from hookproof_spec.generating.compiling import Compiler
    from hookproof_spec.webhook import JsonValue

MORE: Final = 2
"""How many members beyond the named ones an object has at most, where none is asked for."""
MOST: Final = 300
"""How many members beyond the named ones may be asked for. Hypothesis takes seconds for more."""
TRIES: Final = 20
_COINS: Final = st.booleans()
Members = dict[str, "JsonValue"]


@final
@dataclass(frozen=True, slots=True)
class _More:
    """Members beyond those named: how names are drawn, and what each may hold."""

    names: SearchStrategy[str]
    allowed: Callable[[str], bool]
    value: Callable[[str], Values | None]


def object_of(
    compiler: Compiler,
    view: canonical.ObjectView,
    depth: int,
    near: Members | None = None,
) -> Values | None:
    """Return the objects of a view; None where there is none.

    Members that the schema lets anybody add are drawn only where it says what they hold, or how
    many there must be.

    Raises:
        ExcessiveError: there must be more than can be drawn.
    """
    must, may = _named(compiler, view, depth, near)
    if must is None:
        return None
    least, most = view.min_properties or 0, view.max_properties
    if least - len(must) - len(may) > MOST:
        raise ExcessiveError("minProperties", least)
    base = _plain(must, may) if near is None else _ordered(_plain(must, may), near)
    described = view.pattern_properties or view.additional_properties is not None
    wanted = near is None and (described or not (must or may)) and depth <= SHALLOW
    tight = least > len(must) or (most is not None and most < len(must) + len(may))
    if not (wanted or tight or view.violations):
        return base
    more = _more(compiler, view, depth)
    known = {**must, **may}

    @st.composite
    def filled(draw: st.DrawFn) -> JsonValue:
        members: Members = draw(base)
        for broken in view.violations:
            _violate(draw, compiler, broken, members)
        _drop(members, must, most)
        _take(draw, members, known, least)
        wish = draw(st.integers(0, MORE)) if wanted else 0
        room = max(least - len(members), wish)
        _add(draw, members, more, room if most is None else min(room, most - len(members)))
        return members

    return filled()


def _plain(must: Mapping[str, Values], may: Mapping[str, Values]) -> SearchStrategy[Members]:
    """Return objects of these members, as `st.fixed_dictionaries` does at twice the cost."""

    @st.composite
    def members(draw: st.DrawFn) -> Members:
        found = {name: draw(member) for name, member in must.items()}
        found |= {name: draw(member) for name, member in may.items() if draw(_COINS)}
        return found

    return members()


def _ordered(found: SearchStrategy[Members], near: Members) -> SearchStrategy[Members]:
    """Return the objects with the members that they have in common with one in its order."""

    def ordered(members: Members) -> Members:
        return {name: members[name] for name in near if name in members} | members

    return found.map(ordered)


def _named(
    compiler: Compiler, view: canonical.ObjectView, depth: int, near: Members | None
) -> tuple[dict[str, Values] | None, dict[str, Values]]:
    """Return the members that must be there, None where one cannot be, and those that may."""
    names = dict.fromkeys((*(near or ()), *view.required, *view.properties))
    found = {name: _member(compiler, view, name, depth, near) for name in names}
    if any(found[name] is None for name in view.required):
        return None, {}
    able = {name: member for name, member in found.items() if member is not None}
    kept = {name for name in near or () if name not in view.properties}
    must = {name: able[name] for name in (*view.required, *sorted(kept)) if name in able}
    may = {name: member for name, member in able.items() if name not in must}
    return must, may if depth <= SHALLOW else {}


def _member(
    compiler: Compiler, view: canonical.ObjectView, name: str, depth: int, near: Members | None
) -> Values | None:
    node = view.properties.get(name) or _undeclared(view, name)
    if near is None or name not in near:
        return ANYTHING if node is None else compiler.compile(node, depth)
    return st.just(near[name]) if node is None else compiler.compile(node, depth, near[name])


def _undeclared(view: canonical.ObjectView, name: str) -> CanonicalSchema | None:
    """Return what a member must be that no property names; None where it may be anything."""
    nodes = [
        node for pattern, node in view.pattern_properties.items() if compiled(pattern).search(name)
    ]
    if nodes:
        return reduce(lambda a, b: a.intersect(b), nodes)
    return view.additional_properties


def _more(compiler: Compiler, view: canonical.ObjectView, depth: int) -> _More:
    made: dict[frozenset[str], Values | None] = {}

    def value(name: str) -> Values | None:
        hit = frozenset(p for p in view.pattern_properties if compiled(p).search(name))
        if hit not in made:
            node = _undeclared(view, name)
            made[hit] = ANYTHING if node is None else compiler.compile(node, depth)
        return made[hit]

    return _More(_names(compiler, view), _allowed(view), value)


def _names(compiler: Compiler, view: canonical.ObjectView) -> SearchStrategy[str]:
    if view.property_names is not None:
        found = compiler.compile(view.property_names)
        return st.nothing() if found is None else found.map(str)
    by_pattern = [matching(pattern) for pattern in view.pattern_properties]
    return (
        st.one_of(by_pattern) if by_pattern and _closed(view) else st.one_of(texts(1), *by_pattern)
    )


def _closed(view: canonical.ObjectView) -> bool:
    rest = view.additional_properties
    return rest is not None and isinstance(rest.view(), canonical.FalseView)


def _allowed(view: canonical.ObjectView) -> Callable[[str], bool]:
    judge = None if view.property_names is None else accepts(view.property_names)
    return lambda name: name not in view.properties and (judge is None or judge(name))


def _drop(members: Members, must: Mapping[str, object], most: int | None) -> None:
    for name in [name for name in reversed(members) if name not in must]:
        if most is not None and len(members) > most:
            del members[name]


def _take(draw: st.DrawFn, members: Members, known: Mapping[str, Values], least: int) -> None:
    """Take named members that were left out, until there are enough."""
    for name, member in known.items():
        if len(members) < least and name not in members:
            members[name] = draw(member)


def _add(draw: st.DrawFn, members: Members, more: _More, count: int) -> None:
    for _ in range(count):
        for _ in range(TRIES):
            name = str(draw(more.names))
            if name not in members and more.allowed(name):
                value = more.value(name)
                if value is not None:
                    members[name] = draw(value)
                    break


def _violate(
    draw: st.DrawFn,
    compiler: Compiler,
    broken: (
        canonical.NameFailsView
        | canonical.UndeclaredValueFailsView
        | canonical.PatternValueFailsView
    ),
    members: Members,
) -> None:
    """Add a member that breaks what the schema says must not hold of all members."""
    names, value = texts(1), ANYTHING
    match broken:
        case canonical.NameFailsView():
            names = _drawable(compiler, broken.schema.negate()).filter(_is_text).map(str)
        case canonical.UndeclaredValueFailsView():
            value = _drawable(compiler, broken.additional.negate())
        case canonical.PatternValueFailsView():
            names = matching(broken.pattern)
            value = _drawable(compiler, broken.schema.negate())
    members[draw(names)] = draw(value)


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _drawable(compiler: Compiler, node: CanonicalSchema) -> Values:
    found = compiler.compile(node)
    return st.nothing() if found is None else found
