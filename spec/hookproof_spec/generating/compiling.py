"""From a schema's canonical form to a strategy, node by node."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, final

import jsonschema_rs
from hypothesis import strategies as st
from jsonschema_rs import CanonicalSchema, canonical

from hookproof_spec.generating import arrays, numbers, objects
from hookproof_spec.generating.accepting import SHALLOW, Judge, UnmodelledError, accepts, of_type
from hookproof_spec.generating.anything import ANYTHING, Values, of_types
from hookproof_spec.generating.letters import DIFFICULT, difficult_texts
from hookproof_spec.generating.matching import strings

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue


@final
class Absent:
    """No value: unlike `None`, which JSON has."""


ABSENT: Final = Absent()

_SCALARS: Final = (canonical.StringView, canonical.IntegerView, canonical.NumberView)


@final
class Compiler:
    """Makes strategies of one schema's nodes.

    A method that returns None says that no value can be drawn there: none exists, or each is
    deeper than the schema is wide. `near` is a value around which to draw: what the schema does
    not describe stays as it is there, and what it does shrinks towards it.
    """

    def __init__(self, root: CanonicalSchema, letters: str = DIFFICULT) -> None:
        self.root = root
        self._letters = letters
        self._deepest = SHALLOW + 2 + len(root.definitions())
        self._made: dict[tuple[str, int], Values | None] = {}

    def compile(
        self, node: CanonicalSchema, depth: int = 0, near: JsonValue | Absent = ABSENT
    ) -> Values | None:
        """Return the values of a node; `depth` counts the references that led here.

        Raises:
            PatternError: a pattern is none that Python reads, or asks for too long a text.
            ExcessiveError: a keyword asks for more than can be drawn.
            UnmodelledError: a part of the schema has no canonical form.
        """
        return (
            self._free(node, depth) if isinstance(near, Absent) else self._near(node, depth, near)
        )

    # --- anywhere ---------------------------------------------------------------------------

    def _free(self, node: CanonicalSchema, depth: int) -> Values | None:
        view = node.view()
        match view:
            case canonical.TrueView():
                return ANYTHING
            case canonical.FalseView():
                return None
            case canonical.ConstView():
                return _one_of_these([_plain(view.value)])
            case canonical.EnumView():
                return _one_of_these(list(map(_plain, view.values)))
            case canonical.MultiTypeView():
                return of_types(view.types)
            case canonical.ReferenceView():
                return self._reference(view.uri, depth)
        if isinstance(view, _SCALARS):
            return self._scalar(view)
        if isinstance(view, canonical.ArrayView):
            return arrays.array(self, view, depth)
        if isinstance(view, canonical.ObjectView):
            return objects.object_of(self, view, depth)
        return self._combined(node, depth)

    @staticmethod
    def _scalar(view: canonical.CanonicalViewType) -> Values | None:
        match view:
            case canonical.StringView():
                return strings(view)
            case canonical.IntegerView():
                return numbers.integers(view)
            case canonical.NumberView():
                return numbers.numbers(view)
        return None

    def _combined(self, node: CanonicalSchema, depth: int) -> Values | None:
        view = node.view()
        match view:
            case canonical.TypedGroupView():
                return _kept(self.compile(view.body, depth), of_type(view.type_name))
            case canonical.NotView():
                return ANYTHING.filter(accepts(node))
            case canonical.AllOfView():
                return self._all_of(view.branches, depth)
            case canonical.AnyOfView():
                return self._any_of(view.branches, depth)
            case canonical.OneOfView():
                return _kept(self._any_of(view.branches, depth), accepts(node))
            case canonical.RawView():
                raise UnmodelledError(view.pointer or "", f"it is too entangled ({view.reason})")
        return None

    def _reference(self, uri: str, depth: int) -> Values | None:
        if (uri, depth) not in self._made:
            target = self.root.definition(uri)
            if target is None:
                raise UnmodelledError(uri.lstrip("#"), "it refers to nothing")
            deeper = depth < self._deepest
            self._made[uri, depth] = self.compile(target, depth + 1) if deeper else None
        return self._made[uri, depth]

    def _any_of(self, branches: list[CanonicalSchema], depth: int) -> Values | None:
        """Where it is deep already, branches without references end the descent."""
        simple = [part for part in branches if not _refers(part)] if depth > SHALLOW else []
        found = [self.compile(branch, depth) for branch in simple or branches]
        return _union([part for part in found if part is not None])

    def _all_of(self, branches: list[CanonicalSchema], depth: int) -> Values | None:
        """Draw from what says most, and let the others judge."""
        first, *rest = sorted(branches, key=_vagueness)
        found = self.compile(first, depth)
        for other in rest:
            found = _kept(found, accepts(other))
        return found

    # --- near a value -----------------------------------------------------------------------

    def _near(self, node: CanonicalSchema, depth: int, near: JsonValue) -> Values | None:
        view = node.view()
        match view:
            case canonical.ReferenceView():
                target = self.root.definition(view.uri)
                deeper = target is not None and depth < self._deepest
                return self.compile(target, depth + 1, near) if target and deeper else None
            case canonical.ObjectView() if isinstance(near, dict):
                return objects.object_of(self, view, depth, near)
            case canonical.AnyOfView():
                return self._near_any(view.branches, depth, near)
        kept: Values = st.just(near)
        if isinstance(near, dict | list):
            kept = kept.map(copy.deepcopy)
        if undescribed(view):
            return kept
        others = self._varied(view, near)
        if others is None:
            free = self._free(node, depth)
            others = [] if free is None else [free]
        return st.one_of(kept, *others)

    def _near_any(
        self, branches: list[CanonicalSchema], depth: int, near: JsonValue
    ) -> Values | None:
        home = [branch for branch in branches if accepts(branch)(near)]
        away = [branch for branch in branches if branch not in home]
        found = [self.compile(branch, depth, near) for branch in home]
        found += [self.compile(branch, depth) for branch in away if not undescribed(branch.view())]
        return _union([part for part in found if part is not None])

    def _varied(
        self, view: canonical.CanonicalViewType, near: JsonValue
    ) -> Sequence[Values] | None:
        """Return difficult texts for a text that may be any; it stays a text with something in it.

        None leaves the choice to the schema.

        What has a format keeps its form: other spellings of a date are another rule's question.
        """
        if not isinstance(near, str):
            return None
        if isinstance(view, canonical.MultiTypeView) and "string" in view.types:
            return self._seen(1, None)
        if isinstance(view, canonical.StringView):
            if view.formats:
                return ()
            if not (view.patterns or view.excluded_patterns or view.excluded):
                return self._seen(view.min_length or 1, view.max_length)
        return None

    def _seen(self, least: int, most: int | None) -> Sequence[Values]:
        """Return difficult texts in which there is something to be seen."""
        return [kind.filter(_has_letters) for kind in difficult_texts(least, most, self._letters)]


def _has_letters(text: str) -> bool:
    return bool(text.strip())


def undescribed(view: canonical.CanonicalViewType) -> bool:
    """Tell whether a schema says nothing of what is inside a value, or nothing at all."""
    if isinstance(view, canonical.MultiTypeView):
        return bool({"array", "object"} & set(view.types))
    return isinstance(view, canonical.TrueView)


def _kept(found: Values | None, wanted: Judge) -> Values | None:
    return None if found is None else found.filter(wanted)


def _one_of_these(values: list[JsonValue]) -> Values:
    """Values that can be changed are copied, or one example would change the next."""
    found = st.sampled_from(values)
    plain = not any(isinstance(value, dict | list) for value in values)
    return found if plain else found.map(copy.deepcopy)


def _plain(value: jsonschema_rs.JsonValue) -> JsonValue:
    """Return a value of a schema without the exact decimals that it is read with."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return value


def _union(parts: list[Values]) -> Values | None:
    return st.one_of(parts) if parts else None


def _refers(node: CanonicalSchema) -> bool:
    return isinstance(node.view(), canonical.ReferenceView)


def _vagueness(node: CanonicalSchema) -> int:
    vague = (canonical.MultiTypeView, canonical.ReferenceView, canonical.NotView)
    kinds = [kind for kind, wanted in enumerate(vague) if isinstance(node.view(), wanted)]
    return kinds[0] + 1 if kinds else 0
