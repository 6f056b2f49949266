"""Every `$ref` of a document, wherever it stands: `load` only follows those of its webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof_spec.documents.resolve import Library, Place, RefError
from hookproof_spec.errors import Problem

_DATA = ("const", "default", "enum", "example", "examples", "value")
"""Members that hold values of the described kind; a `$ref` in them refers to nothing."""


def reference_problems(root: Place) -> tuple[Problem, ...]:
    """Return each `$ref` that leads nowhere or to a network."""
    library = Library(root)
    return tuple(problem for place in _referring(root) for problem in _problem(place, library))


def _referring(root: Place) -> Iterator[Place]:
    waiting = [root]
    while waiting:
        place = waiting.pop()
        # A property of this name has a schema, which is a mapping; a reference is a text.
        if isinstance(place.child("$ref").value, str):
            yield place
        waiting += reversed(_parts(place))


def _parts(place: Place) -> list[Place]:
    value = place.value
    if isinstance(value, list):
        return [place.child(number) for number in range(len(value))]
    if isinstance(value, dict):
        return [place.child(name) for name in value if name not in _DATA]
    return []


def _problem(place: Place, library: Library) -> Iterator[Problem]:
    try:
        library.follow(place)
    except RefError as error:
        yield place.child("$ref").problem(str(error), error.hint)
