"""Configuration files: `[tool.hookproof]` of a pyproject.toml, or a hookproof.toml.

They hold defaults for options, under the options' own names, and never a secret.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from hookproof_spec.errors import HookproofError, did_you_mean, one_of

OWN_FILE = "hookproof.toml"
PROJECT_FILE = "pyproject.toml"
Value = str | float | bool | list[str]


@final
@dataclass(frozen=True, slots=True)
class Config:
    """Checked values by key, and the file that they come from (None: there is none)."""

    values: Mapping[str, Value]
    path: Path | None = None

    def defaults(self) -> Mapping[str, Value]:
        """Return the values by the names of click's parameters."""
        return {key.replace("-", "_"): value for key, value in self.values.items()}


class ConfigError(HookproofError):
    """Something wrong in a configuration file."""


def find(path: Path | None, start: Path) -> Config:
    """Read a file, or else the nearest one at or above a directory.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    if path is not None:
        table = _table(path)
        if table is None:
            raise ConfigError(
                "it has no [tool.hookproof]", where=str(path), hint="add the table, or name another"
            )
        return checked(table, path)
    for directory in (start, *start.parents):
        for candidate in (directory / OWN_FILE, directory / PROJECT_FILE):
            if candidate.is_file() and (table := _table(candidate)) is not None:
                return checked(table, candidate)
    return Config({})


def _table(path: Path) -> Mapping[str, object] | None:
    """Return a file's table of ours; None when a pyproject.toml has none."""
    data = _read(path)
    if path.name != PROJECT_FILE:
        return data
    tool = data.get("tool", {})
    table = tool.get("hookproof") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError("it must be a table", where=f"{path}: tool.hookproof")
    return table


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {(error.strerror or str(error)).lower()}", where=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError("it is not UTF-8", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"it is not TOML: {error}", where=str(path)) from error


def checked(table: Mapping[str, object], path: Path) -> Config:
    """Return a table's values, checked; `path` is the file that holds it.

    Raises:
        ConfigError: a key is unknown, or a value is wrong.
    """
    for key in table:
        if key not in KEYS:
            raise _unknown(key, path)
    if "secret-env" in table and "secret-file" in table:
        raise ConfigError(
            "secret-env and secret-file exclude each other", where=str(path), hint="keep one"
        )
    return Config({key: KEYS[key](value, _Place(path, key)) for key, value in table.items()}, path)


def _unknown(key: str, path: Path) -> ConfigError:
    if key == "secret":
        return ConfigError(
            "a secret does not belong into a file that is shared",
            where=f"{path}: secret",
            hint='name where it is instead: secret-env = "HOOKPROOF_SECRET", or secret-file',
        )
    return ConfigError(
        "unknown key", where=f"{path}: {key}", hint=did_you_mean(key, KEYS) or one_of(KEYS)
    )


@final
@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    key: str

    def wrong(self, wanted: str) -> ConfigError:
        return ConfigError(f"it must be {wanted}", where=f"{self.path}: {self.key}")

    def beside(self, text: str) -> str:
        """Return a path that a file names, read from where the file lies."""
        return str(self.path.parent / Path(text).expanduser())


def _text(value: object, place: _Place) -> str:
    if not isinstance(value, str) or not value:
        raise place.wrong("a text")
    return value


def _path(value: object, place: _Place) -> str:
    return place.beside(_text(value, place))


def _document(value: object, place: _Place) -> str:
    text = _text(value, place)
    is_path = "/" in text or text.endswith((".yaml", ".yml", ".json"))
    return place.beside(text) if is_path else text


def _positive(value: object, place: _Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        raise place.wrong("a number above 0")
    return value


def _count(value: object, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100_000:
        raise place.wrong("a whole number from 1 to 100000")
    return value


def _flag(value: object, place: _Place) -> bool:
    if not isinstance(value, bool):
        raise place.wrong("true or false")
    return value


def _texts(value: object, place: _Place) -> list[str]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise place.wrong("a text or a list of texts")
    return items


def _reports(value: object, place: _Place) -> list[str]:
    named = (text.partition("=") for text in _texts(value, place))
    return [f"{form}={place.beside(path)}" if path else form for form, _, path in named]


def _word(*words: str) -> Callable[[object, _Place], str]:
    def check(value: object, place: _Place) -> str:
        if value not in words:
            near = did_you_mean(value, words) if isinstance(value, str) else ""
            raise ConfigError(
                f"unknown value {value!r}",
                where=f"{place.path}: {place.key}",
                hint=near or one_of(words),
            )
        return str(value)

    return check


KEYS: Mapping[str, Callable[[object, _Place], Value]] = {
    "spec": _document,
    "webhook": _text,
    "secret-env": _text,
    "secret-file": _path,
    "unsigned": _flag,
    "other-secret-env": _text,
    "effects-url": _text,
    "effect-timeout": _positive,
    "also-url": _text,
    "restart-command": _text,
    "tolerance": _positive,
    "replay": _word("rejects", "ignores", "either"),
    "forged": _word("rejects", "ignores"),
    "only": _texts,
    "skip": _texts,
    "strict": _flag,
    "examples": _count,
    "timeout": _positive,
    "rate": _positive,
    "header": _texts,
    "report": _reports,
}
