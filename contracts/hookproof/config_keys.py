"""The keys of a configuration file: how each is read, and what an editor may say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from hookproof_spec.errors import HookproofError, did_you_mean, one_of

Value = str | float | bool | list[str]
Json = Mapping[str, object]


class ConfigError(HookproofError):
    """Something wrong in a configuration file."""


@final
@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: the file, and the key with the tables it lies in.

    `expands` is False where a value is only checked: what it takes from the environment may be
    there for another receiver and not for this one.
    """

    path: Path
    key: str
    expands: bool = True

    def wrong(self, wanted: str) -> ConfigError:
        """Return the error that says what it must be."""
        return ConfigError(f"it must be {wanted}", where=f"{self.path}: {self.key}")

    def beside(self, text: str) -> str:
        """Return a path that a file names, read from where the file lies."""
        return str(self.path.parent / Path(text).expanduser())


Read = Callable[[object, Place], Value]


@final
@dataclass(frozen=True, slots=True)
class Key:
    """One key: how it is read, its JSON Schema, and what it says in one line."""

    read: Read
    schema: Json
    says: str


_VARIABLE = re.compile(r"\$\$|\$\{([^}]*)\}")


def expanded(text: str, place: Place) -> str:
    """Return a text with `${NAME}` replaced from the environment; `$$` stands for a dollar.

    Raises:
        ConfigError: the variable is not set.
    """

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found[1] not in os.environ:
            raise ConfigError(
                f"the environment variable {found[1]} is not set",
                where=f"{place.path}: {place.key}",
                hint="set it, or write $$ where a dollar is meant",
            )
        return os.environ[found[1]]

    return _VARIABLE.sub(value, text) if place.expands else text


def text(value: object, place: Place) -> str:
    """Read a text."""
    if not isinstance(value, str) or not value:
        raise place.wrong("a text")
    return expanded(value, place)


def _path(value: object, place: Place) -> str:
    return place.beside(text(value, place))


def _document(value: object, place: Place) -> str:
    name = text(value, place)
    is_path = "/" in name or name.endswith((".yaml", ".yml", ".json"))
    return place.beside(name) if is_path else name


def _positive(value: object, place: Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        raise place.wrong("a number above 0")
    return value


def _whole(least: int, most: int) -> Read:
    def read(value: object, place: Place) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise place.wrong(f"a whole number from {least} to {most}")
        return value

    return read


def _flag(value: object, place: Place) -> bool:
    if not isinstance(value, bool):
        raise place.wrong("true or false")
    return value


def _texts(value: object, place: Place) -> list[str]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise place.wrong("a text or a list of texts")
    return [expanded(item, place) for item in items]


def _reports(value: object, place: Place) -> list[str]:
    named = (item.partition("=") for item in _texts(value, place))
    return [f"{form}={place.beside(path)}" if path else form for form, _, path in named]


def reasons(value: object, place: Place) -> Mapping[str, str]:
    """Read a table from rules or categories to why they are left out."""
    if not isinstance(value, dict):
        raise ConfigError(
            "it must be a table from rules to reasons",
            where=f"{place.path}: {place.key}",
            hint='say why each is left out: skip = {replay-race = "…"}',
        )
    for rule, reason in value.items():
        if not isinstance(reason, str) or not reason.strip():
            raise Place(place.path, f"{place.key}.{rule}").wrong("the reason, as a text")
    return value


def _left_out(value: object, place: Place) -> list[str]:
    return list(reasons(value, place))


def _word(*words: str) -> Read:
    def read(value: object, place: Place) -> str:
        if value not in words:
            near = did_you_mean(value, words) if isinstance(value, str) else ""
            raise ConfigError(
                f"unknown value {value!r}",
                where=f"{place.path}: {place.key}",
                hint=near or one_of(words),
            )
        return str(value)

    return read


_TEXT: Json = {"type": "string", "minLength": 1}
_TEXTS: Json = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_NUMBER: Json = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e12}
_FLAG: Json = {"type": "boolean"}


def _one(*words: str, says: str) -> Key:
    return Key(_word(*words), {"enum": list(words)}, says)


def _number(least: int, most: int, says: str) -> Key:
    return Key(_whole(least, most), {"type": "integer", "minimum": least, "maximum": most}, says)


KEYS: Mapping[str, Key] = {
    "url": Key(text, _TEXT, "the receiver's address"),
    "spec": Key(_document, _TEXT, "the OpenAPI document: a name of the catalogue, or a path"),
    "webhook": Key(text, _TEXT, "which webhook, where a document has several"),
    "secret-env": Key(text, _TEXT, "the environment variable that holds the secret"),
    "secret-file": Key(_path, _TEXT, "the file that holds the secret"),
    "unsigned": Key(_flag, _FLAG, "the receiver runs without a secret"),
    "other-secret-env": Key(text, _TEXT, "the variable with the secret of another webhook"),
    "effects-url": Key(text, _TEXT, "where the receiver tells what it has processed"),
    "effect-timeout": Key(_positive, _NUMBER, "seconds that an effect may take to show"),
    "also-url": Key(text, _TEXT, "another instance of the receiver"),
    "restart-command": Key(text, _TEXT, "restarts the receiver"),
    "tolerance": Key(_positive, _NUMBER, "the oldest age in seconds that the receiver accepts"),
    "replay": _one("rejects", "ignores", "either", says="what it does with an event seen before"),
    "forged": _one("rejects", "ignores", says="what it does with a forgery"),
    "only": Key(_texts, _TEXTS, "rules, categories or `core` to run"),
    "skip": Key(
        _left_out,
        {"type": "object", "additionalProperties": _TEXT},
        "rules or categories to leave out, each with the reason",
    ),
    "strict": Key(_flag, _FLAG, "a broken SHOULD fails the run"),
    "ruleset": _number(1, 1_000, "the rule set that is scored"),
    "baseline": Key(_path, _TEXT, "the file of accepted findings"),
    "seed": _number(0, 2**63 - 1, "repeats the choices of an earlier run"),
    "examples": _number(1, 100_000, "how many examples a property is tried with"),
    "timeout": Key(_positive, _NUMBER, "seconds to wait for an answer"),
    "rate": Key(_positive, _NUMBER, "at most so many requests a second"),
    "header": Key(_texts, _TEXTS, "headers to send with everything"),
    "ca-file": Key(_path, _TEXT, "certificates to trust, as PEM"),
    "insecure": Key(_flag, _FLAG, "trust any certificate"),
    "allow-host": Key(_texts, _TEXTS, "targets that are not this machine"),
    "report": Key(_reports, _TEXTS, "reports to write, as FORMAT=PATH"),
    "color": _one("auto", "always", "never", says="colours"),
}
EXCLUSIVE = ("secret-env", "secret-file")
"""Where a receiver's own table gives one of them, it replaces the other of the table above."""


def schema() -> Json:
    """Return the JSON Schema of the table `[tool.hookproof]` and of a hookproof.toml."""
    properties = {
        name: {**key.schema, "description": _sentence(key.says)} for name, key in KEYS.items()
    }
    both = {"required": list(EXCLUSIVE)}
    one: Json = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "not": both,
    }
    receivers = {
        "type": "object",
        "description": "Receivers by name: `hookproof verify NAME`.",
        "additionalProperties": {"$ref": "#/$defs/receiver"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of hookproof",
        **one,
        "properties": {**properties, "receivers": receivers},
        "$defs": {"receiver": one},
    }


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
