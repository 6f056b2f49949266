"""The parameters of an operation: checked all, and sent where they are headers of a known value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from hookproof_spec.documents.bundle import bundle
from hookproof_spec.documents.lint import schema_problems, value_problems
from hookproof_spec.documents.resolve import Library, Place
from hookproof_spec.errors import Problem, Severity
from hookproof_spec.nodes import shown

if TYPE_CHECKING:
    from hookproof_spec.request import Header

NOT_PARAMETERS = frozenset({"accept", "authorization", "content-type"})
"""Headers of these names are no parameters, says OpenAPI; they are said elsewhere."""

_OURS = frozenset({"connection", "content-length", "expect", "host", "te", "transfer-encoding"})
"""What says how a request travels, which nobody but who sends it can know."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")


def read_headers(
    operation: Place, library: Library, found: list[Problem], *, carried: Collection[str]
) -> tuple[Header, ...]:
    """Return the headers that every request has, beside those of the signature.

    They are the header parameters whose schema has a `const` or a single `enum`, and those
    required that have an example or a default. `carried` are the signature's own headers, in lower
    case, which may be described here too.
    """
    headers: dict[str, Header] = {}
    for parameter in _parameters(operation, library, found):
        _check(parameter, library, found)
        name = parameter.child("name").value
        if parameter.child("in").value != "header" or not isinstance(name, str):
            continue
        if name.lower() in carried or name.lower() in NOT_PARAMETERS:
            continue
        value = _value(parameter, library, found)
        if value is not None and _may_be_sent(parameter, name, value, found):
            headers[name.lower()] = (name, value)
    return tuple(headers.values())


def _parameters(operation: Place, library: Library, found: list[Problem]) -> Iterator[Place]:
    listed = operation.child("parameters")
    if listed.value is None:
        return
    if not isinstance(listed.value, list):
        listed.node(found).error(f"parameters must be a list, not {shown(listed.value)}")
        return
    for number in range(len(listed.value)):
        parameter = library.settle(listed.child(number), found)
        if parameter is not None and parameter.node(found).mapping("a parameter") is not None:
            yield parameter


def _check(parameter: Place, library: Library, found: list[Problem]) -> None:
    for word in ("name", "in"):
        if not isinstance(parameter.child(word).value, str):
            parameter.node(found).error(f"a parameter needs {word!r}")
    if not parameter.has("schema"):
        return
    bundled = bundle(parameter.child("schema"), library, found)
    if bundled is None:
        return
    problems = schema_problems(bundled)
    found.extend(problems)
    if parameter.has("example") and not any(p.severity is Severity.ERROR for p in problems):
        found.extend(value_problems(bundled, parameter.child("example")))


def _value(parameter: Place, library: Library, found: list[Problem]) -> str | None:
    """Return what a header is sent with; None where it is not."""
    schema = library.settle(parameter.child("schema"), found) or parameter.child("schema")
    fixed = schema.child("const").value
    choices = schema.child("enum").value
    if fixed is None and isinstance(choices, list) and len(choices) == 1:
        fixed = choices[0]
    if fixed is not None:
        return _written(parameter, fixed, found)
    if parameter.child("required").value is not True:
        return None
    places = [parameter.child("example"), *_examples(parameter, library, found)]
    places += [schema.child("default"), schema.child("example"), schema.child("examples", 0)]
    given = next((place.value for place in places if place.value is not None), None)
    if given is None:
        parameter.node(found).warning(
            f"the header {shown(parameter.child('name').value)} is required, and nothing says"
            " what it holds: it is not sent",
            "give it an example, or a schema with const",
        )
        return None
    return _written(parameter, given, found)


def _examples(parameter: Place, library: Library, found: list[Problem]) -> Iterator[Place]:
    named = parameter.child("examples")
    for name in named.value if isinstance(named.value, dict) else ():
        example = library.settle(named.child(name), found)
        if example is not None:
            yield example.child("value")


def _written(parameter: Place, value: object, found: list[Problem]) -> str | None:
    """Return a value as a header has it, in OpenAPI's style `simple`: a list has commas."""
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str | int | float) for each in values):
        parameter.node(found).error(
            f"a header cannot hold {shown(value)}", "a text, a number, a boolean, or a list of them"
        )
        return None
    return ",".join(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _may_be_sent(parameter: Place, name: str, value: str, found: list[Problem]) -> bool:
    node = parameter.node(found)
    if not _NAME.fullmatch(name):
        node.error(f"{shown(name)} is no name of a header")
    elif name.lower() in _OURS:
        node.error(f"the header {name} cannot be chosen: it says how a request travels")
    elif not _VALUE.fullmatch(value):
        node.error(
            f"the header {name} cannot hold {shown(value)}",
            "only visible ASCII, with spaces between",
        )
    else:
        return True
    return False
