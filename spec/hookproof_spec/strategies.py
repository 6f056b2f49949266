"""Hypothesis strategies: payloads of a webhook, those that break it, and how JSON is written.

`from_schema` and `valid_payloads` draw every kind of value that a JSON Schema 2020-12 allows, as
OpenAPI 3.1 uses it, formats included. What they draw can be kept by every reader of JSON (RFC
7493): no NUL, no half surrogate pairs, no integers beyond 2^53, unless the schema asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import jsonschema_rs
from hypothesis import (
    HealthCheck,
    Phase,
    Verbosity,
    currently_in_test_context,
    errors,
    given,
    reject,
    settings,
)
from hypothesis import strategies as st
from jsonschema_rs import canonical

from hookproof_spec import payloads as bodies
from hookproof_spec import pointers
from hookproof_spec.errors import DocumentError
from hookproof_spec.generating.accepting import ExcessiveError, UnmodelledError
from hookproof_spec.generating.breaking import Negative, attempts
from hookproof_spec.generating.compiling import ABSENT, Absent, Compiler
from hookproof_spec.generating.letters import DIFFICULT
from hookproof_spec.generating.matching import PatternError
from hookproof_spec.generating.narrowing import narrowed, place_of
from hookproof_spec.generating.writing import Spelling, json_texts, spellings

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from hookproof_spec.webhook import JsonValue, Webhook

__all__ = [
    "DIFFICULT",
    "Negative",
    "Spelling",
    "from_schema",
    "json_texts",
    "negative_payloads",
    "spellings",
    "valid_payloads",
    "variations",
]


def valid_payloads(webhook: Webhook) -> SearchStrategy[JsonValue]:
    """Return payloads that conform to a webhook's schema, of every kind that it describes.

    Raises:
        DocumentError: none can be drawn; `where` is the place in the schema.
    """
    return from_schema(webhook.schema)


def variations(
    webhook: Webhook, value: JsonValue, *, letters: str = DIFFICULT
) -> SearchStrategy[JsonValue]:
    """Return payloads around a valid one, which shrink to it member by member.

    Only what the schema describes differs: no members are added that it does not name, dates keep
    their form, and texts keep a character in them that can be seen. Many texts are made of
    `letters`.

    Raises:
        DocumentError: none can be drawn; `where` is the place in the schema.
    """
    return from_schema(webhook.schema, near=value, letters=letters)


def negative_payloads(
    webhook: Webhook, *, near: JsonValue | Absent = ABSENT
) -> SearchStrategy[Negative]:
    """Return payloads that break exactly one constraint of a webhook's schema, and which.

    With `near`, a valid payload, they are like it but for what breaks, towards which they shrink.

    Raises:
        DocumentError: no payload can be drawn, or the schema asks for nothing that can be broken.
    """
    schema, validator = webhook.schema, bodies.compiled(webhook.schema)

    @st.composite
    def broken(draw: st.DrawFn) -> Negative:
        value = draw(valid)
        tried = attempts(schema, value)
        made = draw(st.sampled_from(tried)).made(validator, value) if tried else None
        return reject() if made is None else made

    valid = from_schema(schema, near=near)
    if not _yields(broken()):
        raise _undrawable("", "it asks for nothing that could be broken")
    return broken()


def from_schema(
    schema: Mapping[str, JsonValue] | bool,
    *,
    near: JsonValue | Absent = ABSENT,
    letters: str = DIFFICULT,
) -> SearchStrategy[JsonValue]:
    """Return values that conform to a schema, which stands alone; with `near`, around one of them.

    Raises:
        DocumentError: none can be drawn; `where` is the place in the schema.
    """
    whole = schema if isinstance(schema, bool) else narrowed(schema)
    try:
        node = _canonical(whole)
        found = Compiler(node, letters).compile(node, near=near)
    except PatternError as error:
        where = place_of(whole, "pattern", error.pattern)
        raise _undrawable(where, f"no text for the pattern {error.pattern!r}: {error}") from error
    except ExcessiveError as error:
        raise _undrawable(place_of(whole, error.word, error.asked), str(error)) from error
    except UnmodelledError as error:
        raise _undrawable(error.pointer, str(error)) from error
    is_valid = _validator(whole).is_valid
    checked = None if found is None else found.filter(is_valid)
    # A valid value is one of those around it, so that none need be drawn to know of one.
    known = not isinstance(near, Absent) and is_valid(near)
    if checked is None or not (known or _yields(checked)):
        raise _undrawable(*_contradiction(whole))
    return checked


def _canonical(schema: Mapping[str, JsonValue] | bool) -> jsonschema_rs.CanonicalSchema:
    try:
        return jsonschema_rs.canonicalize(
            schema if isinstance(schema, bool) else dict(schema),
            draft=jsonschema_rs.Draft202012,
            validate_formats=True,
            offline=True,
        )
    except jsonschema_rs.ValidationError as error:
        raise _undrawable(pointers.join(*error.instance_path), error.message) from error
    except (canonical.CanonicalizationError, jsonschema_rs.ReferencingError) as error:
        raise _undrawable("", str(error)) from error


def _validator(schema: Mapping[str, JsonValue] | bool) -> jsonschema_rs.Draft202012Validator:
    if isinstance(schema, bool):
        return jsonschema_rs.Draft202012Validator(schema)
    return bodies.compiled(schema)


def _contradiction(schema: Mapping[str, JsonValue] | bool) -> tuple[str, str]:
    """Return where a schema allows nothing, and why."""
    reasons = canonical.find_unsatisfiable(
        schema if isinstance(schema, bool) else dict(schema), validate_formats=True, offline=True
    )
    place = max(reasons, key=len, default="")
    return place.removeprefix("#"), "no value that it allows was found"


def _undrawable(pointer: str, problem: str) -> DocumentError:
    return DocumentError(
        f"no payload can be drawn from the schema: {problem}",
        where=f"#{pointer}",
        hint="say it with other words of JSON Schema",
    )


def _yields(strategy: SearchStrategy[object]) -> bool:
    """Tell whether a value can be drawn at all, by drawing one.

    Inside a test of Hypothesis that is not for us to try; it says itself where none can.
    """
    if currently_in_test_context():
        return True
    drawn: list[object] = []

    @settings(
        max_examples=1,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: object) -> None:
        drawn.append(value)

    try:
        draw()
    except (errors.Unsatisfiable, canonical.CanonicalizationError):
        return False
    return bool(drawn)
