"""Payload strategies: right for every keyword, by two validators; what cannot be drawn is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TypeVar

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof_spec import load, payloads
from hookproof_spec.errors import DocumentError, Problem
from hookproof_spec.generating.anything import ANYTHING
from hookproof_spec.generating.letters import NONCHARACTERS
from hookproof_spec.strategies import (
    DIFFICULT,
    Negative,
    from_schema,
    json_texts,
    negative_payloads,
    valid_payloads,
    variations,
)
from hookproof_spec.webhook import JsonValue, Webhook

Schema = dict[str, JsonValue]
Drawn = TypeVar("Drawn")
EXAMPLES = 300 if os.environ.get("HOOKPROOF_LONG") else 60

SCHEMAS: dict[str, Schema] = {
    "prefix items": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "items": False,
        "minItems": 1,
    },
    "contains": {
        "type": "array",
        "items": {"type": "integer"},
        "contains": {"minimum": 5},
        "minContains": 2,
        "maxContains": 3,
        "uniqueItems": True,
    },
    "contains at most": {
        "type": "array",
        "contains": {"type": "integer"},
        "maxContains": 1,
        "minContains": 0,
        "items": {"type": ["integer", "string"]},
    },
    "unevaluated items": {
        "type": "array",
        "prefixItems": [{"type": "string"}],
        "contains": {"type": "integer"},
        "unevaluatedItems": False,
    },
    "unique items of few": {
        "type": "array",
        "uniqueItems": True,
        "items": {"enum": [1, 2, 3]},
        "minItems": 3,
    },
    "not unique": {"not": {"type": "array", "uniqueItems": True}},
    "dependent required": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "dependentRequired": {"a": ["b"]},
    },
    "dependent schemas": {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "dependentSchemas": {"a": {"required": ["c"], "properties": {"c": {"const": 1}}}},
    },
    "unevaluated properties": {
        "type": "object",
        "allOf": [{"properties": {"a": {"type": "string"}}}],
        "anyOf": [{"required": ["a"]}, {"properties": {"z": True}, "required": ["z"]}],
        "properties": {"b": {"type": "integer"}},
        "unevaluatedProperties": False,
    },
    "unevaluated with a schema": {
        "type": "object",
        "unevaluatedProperties": {"type": "integer"},
        "properties": {"a": True},
        "if": {"required": ["b"]},
        "then": {"properties": {"b": {"type": "string"}}},
    },
    "if then else": {
        "type": "object",
        "properties": {"k": {"enum": ["a", "b"]}},
        "required": ["k"],
        "if": {"properties": {"k": {"const": "a"}}},
        "then": {"required": ["x"]},
        "else": {"required": ["y"]},
    },
    "property names": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z]+$", "maxLength": 5},
        "minProperties": 2,
        "additionalProperties": {"type": "integer"},
    },
    "pattern properties": {
        "type": "object",
        "patternProperties": {"^x-": {"type": "integer"}, "y$": {"minimum": 3}},
        "additionalProperties": False,
        "minProperties": 1,
    },
    "at most two members": {
        "type": "object",
        "properties": {"a": True, "b": True, "c": True},
        "maxProperties": 2,
        "minProperties": 1,
    },
    "a member that must not be": {"type": "object", "not": {"required": ["a"]}},
    "not all texts": {"type": "object", "not": {"additionalProperties": {"type": "string"}}},
    "one of numbers": {
        "oneOf": [
            {"type": "integer", "multipleOf": 3},
            {"type": "integer", "multipleOf": 5},
            {"type": "string"},
        ]
    },
    "hundredths": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "multipleOf": 0.01},
    "open interval": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "not a multiple": {"type": "integer", "not": {"multipleOf": 3}},
    "fractions alone": {"type": "number", "not": {"type": "integer"}, "minimum": -5},
    "types": {"type": ["string", "null", "integer"]},
    "excluded texts": {"type": "string", "not": {"enum": ["", "a"]}, "maxLength": 2},
    "a pattern of one class": {"type": "string", "pattern": "^[A-Z0-9]+$", "minLength": 12},
    "a pattern of what is no letter": {"type": "string", "pattern": "^\\W\\D\\Wx$"},
    "two patterns": {
        "type": "string",
        "allOf": [{"pattern": "^[a-z]"}, {"pattern": "[0-9]$"}],
    },
    "very long": {"type": "string", "minLength": 20_000},
    "not a pattern": {"type": "string", "not": {"pattern": "^a"}},
    "a list of itself": {
        "$ref": "#/$defs/n",
        "$defs": {
            "n": {
                "type": "object",
                "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/n"}},
                "required": ["v"],
            }
        },
    },
    "a tree that must branch": {
        "$ref": "#/$defs/n",
        "$defs": {
            "n": {
                "type": "object",
                "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
                "required": ["kids"],
            }
        },
    },
    "two that need each other": {
        "$ref": "#/$defs/a",
        "$defs": {
            "a": {"oneOf": [{"type": "integer"}, {"$ref": "#/$defs/b"}]},
            "b": {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 1},
        },
    },
    "itself by its root": {
        "type": "object",
        "properties": {"self": {"$ref": "#"}, "v": {"type": "integer"}},
    },
}
FORMATS = (
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
)


def shipped() -> Webhook:
    return load("mobility-work").webhook()


SEEKING = settings(
    database=None,
    max_examples=5000,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""What is drawn by chance is looked for until it comes."""


def each(strategy: SearchStrategy[Drawn], judge: Callable[[Drawn], None]) -> None:
    """Draw values and judge each."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def test(value: Drawn) -> None:
        judge(value)

    test()


def every(strategy: SearchStrategy[Drawn]) -> list[Drawn]:
    """Return what is drawn."""
    found: list[Drawn] = []
    each(strategy, found.append)
    return found


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_every_value_is_valid_for_two_validators(schema: Schema) -> None:
    first = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)
    second = jsonschema.Draft202012Validator(schema)

    def judge(value: JsonValue) -> None:
        assert first.is_valid(value)
        second.validate(value)

    each(from_schema(schema), judge)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_valid_for_two_validators(form: str) -> None:
    schema: Schema = {"type": "string", "format": form}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    second = jsonschema.Draft202012Validator(schema, format_checker=checker)
    first = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)
    each(from_schema(schema), lambda text: second.validate(text))
    each(from_schema(schema), lambda text: first.validate(text))


def test_shipped_payloads_conform_and_differ() -> None:
    webhook = shipped()
    found = [payloads.encode(value) for value in every(valid_payloads(webhook))]
    assert not any(payloads.validate(webhook, body) for body in found)
    assert len(set(found)) > EXAMPLES // 2


def test_number_formats_are_bounds() -> None:
    found = every(from_schema({"type": "integer", "format": "int32"}))
    assert all(isinstance(value, int) and abs(value) <= 2**31 for value in found)


def test_texts_hold_what_every_reader_can_keep() -> None:
    def judge(value: JsonValue) -> None:
        text = str(value)
        assert not {"\0", *NONCHARACTERS} & set(text)
        text.encode()

    each(from_schema({"type": "string"}), judge)


def test_difficult_letters_come_from_every_plane() -> None:
    assert {ord(letter) >> 16 for letter in DIFFICULT} == set(range(17))


# --- what cannot be drawn -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        (
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"allOf": [{"type": "string"}, {"type": "integer"}]}},
            },
            "#/properties/a",
        ),
        ({"properties": {"a": {"pattern": "\\p{L}"}}}, "#/properties/a/pattern"),
        (
            {
                "$ref": "#/$defs/a",
                "$defs": {
                    "a": {
                        "type": "object",
                        "required": ["a"],
                        "properties": {"a": {"$ref": "#/$defs/a"}},
                    }
                },
            },
            "#",
        ),
        ({"type": "strng"}, "#/type"),
        ({"prefixItems": [{"type": "array", "minItems": 9000}]}, "#/prefixItems/0/minItems"),
        ({"items": {"type": "object", "minProperties": 9000}}, "#/items/minProperties"),
        ({"properties": {"a": {"pattern": "^(ab){9000}$"}}}, "#/properties/a/pattern"),
    ],
    ids=["contradiction", "pattern", "endless", "not a schema", "items", "members", "long"],
)
def test_what_cannot_be_drawn_is_said_with_its_place(schema: Schema, where: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_schema(schema)
    assert caught.value.where == where


# --- around a value -----------------------------------------------------------------------------


def test_variations_leave_alone_what_is_not_described() -> None:
    webhook = shipped()
    base = payloads.example(webhook)
    assert isinstance(base, dict)
    for value in every(variations(webhook, base)):
        assert isinstance(value, dict)
        assert value.keys() == base.keys()
        assert [value[name] for name in ("_metadata", "_date", "movement")] == [
            base[name] for name in ("_metadata", "_date", "movement")
        ]


def test_variations_keep_the_order_of_members() -> None:
    webhook = shipped()
    base = payloads.example(webhook)
    found = find(variations(webhook, base), lambda value: value == base)
    assert payloads.encode(found) == payloads.encode(base)


def test_very_long_text_of_a_pattern_is_drawn() -> None:
    texts = from_schema({"pattern": "^[a-z]{20000}$", "type": "string"})
    text = find(texts, lambda _: True, settings=settings(phases=[Phase.generate], database=None))
    assert len(str(text)) == 20_000


def test_variations_of_a_very_long_text_keep_its_length() -> None:
    schema: Schema = {"type": "string", "minLength": 20_000, "maxLength": 20_010}
    for value in every(from_schema(schema, near="a" * 20_000)):
        assert 20_000 <= len(str(value)) <= 20_010


def test_variations_shrink_to_the_value() -> None:
    webhook = shipped()
    base = payloads.example(webhook)
    smallest: list[JsonValue] = []

    @settings(max_examples=20, database=None, deadline=None, report_multiple_bugs=False)
    @given(variations(webhook, base))
    def fails(value: JsonValue) -> None:
        smallest.append(value)
        raise ValueError("whatever it is")

    with pytest.raises(ValueError, match="whatever it is"):
        fails()
    assert smallest[-1] == base


# --- negatives ----------------------------------------------------------------------------------


def test_negatives_break_one_named_constraint() -> None:
    webhook = shipped()

    def judge(found: Negative) -> None:
        problems = payloads.validate(webhook, payloads.encode(found.value))
        assert len(problems) == 1, (found, problems)
        assert problems[0].pointer.startswith(found.pointer)

    each(negative_payloads(webhook), judge)


@pytest.mark.parametrize("constraint", ["type", "required", "format"])
def test_negatives_break_every_kind_of_constraint(constraint: str) -> None:
    found = find(
        negative_payloads(shipped()),
        lambda one: one.constraint == constraint,
        settings=SEEKING,
    )
    assert found.constraint == constraint


# --- writing ------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_spelling_reads_as_the_same_value(data: st.DataObject) -> None:
    value = data.draw(ANYTHING)
    text = data.draw(json_texts(value))
    assert json.loads(text) == value
    assert not isinstance(payloads.decode(text), Problem)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_integers_stay_integers_where_asked(data: st.DataObject) -> None:
    value: list[JsonValue] = data.draw(st.lists(st.integers()))
    text = data.draw(json_texts(value, integers=False))
    assert not {b".", b"e", b"E"} & {text[at : at + 1] for at in range(len(text))}


@pytest.mark.parametrize(
    "free", [b"\\/", b"\\u00e9", b"\\uD83D\\uDE00", b"\r", b"\t", b"1.0", b"25e-1", b"\\n"]
)
def test_spellings_use_all_that_json_leaves_free(free: bytes) -> None:
    texts = json_texts({"a/é😀": [1, 2.5], "b": 'x"\n'})
    assert free in find(texts, lambda text: free in text, settings=SEEKING)
