"""Any JSON value, small and shallow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof_spec.generating.letters import texts
from hookproof_spec.generating.numbers import LARGEST

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

Values = SearchStrategy["JsonValue"]

_FLOATS = st.floats(-1e15, 1e15, allow_nan=False, allow_subnormal=False)
_NUMBERS = st.integers(-LARGEST, LARGEST) | _FLOATS
_SCALARS: Values = st.none() | st.booleans() | _NUMBERS | texts()
_LEAVES: Values = _SCALARS | st.just([]) | st.just({})
_SHALLOW: Values = (
    _SCALARS | st.lists(_LEAVES, max_size=2) | st.dictionaries(texts(), _LEAVES, max_size=2)
)

OF_TYPE: Final[dict[str, Values]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "integer": st.integers(-LARGEST, LARGEST),
    "number": _NUMBERS,
    "string": texts(),
    "array": st.lists(_SHALLOW, max_size=3),
    "object": st.dictionaries(texts(), _SHALLOW, max_size=3),
}
ANYTHING: Final[Values] = _SCALARS | OF_TYPE["array"] | OF_TYPE["object"]


def of_types(names: list[str]) -> Values:
    """Return values of any of these types, as JSON Schema names them."""
    return st.one_of([OF_TYPE[name] for name in names])


def identity(value: JsonValue) -> object:
    """Return what is equal exactly where two values are equal in JSON: 1 is 1.0 and not true."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("list", *map(identity, value))
    if isinstance(value, dict):
        return ("dict", frozenset((name, identity(member)) for name, member in value.items()))
    return value
