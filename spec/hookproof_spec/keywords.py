"""Where JSON Schema 2020-12 keeps schemas inside a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

ONE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("dependentSchemas", "patternProperties", "properties")
DEFINITIONS = ("$defs", "definitions")

IN_PLACE = ("allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then")
"""Keywords whose schemas judge the same value as the schema in which they stand."""

ASSERTIONS = (
    "const",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
)
NOTES = (
    "$comment",
    "$ref",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
)
KNOWN = frozenset((*ONE, *MANY, *NAMED, *DEFINITIONS, *ASSERTIONS, *NOTES))

Path = tuple[str | int, ...]


def subschemas(schema: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    """Yield the schemas that stand directly in a schema, and the way to each; not definitions."""
    for word, value in schema.items():
        if word in ONE:
            yield (word,), value
        elif word in MANY and isinstance(value, list):
            yield from (((word, place), item) for place, item in enumerate(value))
        elif word in NAMED and isinstance(value, dict):
            yield from (((word, name), item) for name, item in value.items())
