"""Configuration files: `[tool.hookproof]` of a pyproject.toml, or a hookproof.toml.

They hold defaults for options, under the options' own names, and never a secret. Tables under
`receivers` hold what differs from receiver to receiver, by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from hookproof.config_keys import EXCLUSIVE, KEYS, ConfigError, Place, Value, reasons
from hookproof_spec.errors import did_you_mean, one_of

OWN_FILE = "hookproof.toml"
PROJECT_FILE = "pyproject.toml"
RECEIVERS = "receivers"


@final
@dataclass(frozen=True, slots=True)
class Config:
    """Checked values by key, and the file that they come from (None: there is none).

    `reasons` says why each rule or category under `skip` is left out. `receivers` holds the tables
    of receivers as they stand. `origin` says of which receiver a value is, where it is of one.
    """

    values: Mapping[str, Value]
    path: Path | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    receivers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)

    def defaults(self) -> Mapping[str, Value]:
        """Return the values by the names of click's parameters."""
        return {key.replace("-", "_"): value for key, value in self.values.items()}

    def receiver(self, name: str) -> Config:
        """Return what holds for a receiver: its own table over the file's.

        Raises:
            ConfigError: there is none of that name.
        """
        if self.path is None or name not in self.receivers:
            known = f"it has {', '.join(self.receivers)}" if self.receivers else _NO_RECEIVERS
            raise ConfigError(
                f"no receiver {name!r}",
                where=str(self.path) if self.path else "configuration",
                hint=did_you_mean(name, self.receivers) or known,
            )
        place = Place(self.path, f"{RECEIVERS}.{name}.")
        return _laid_over(self, _values(self.receivers[name], place), name)


_NO_RECEIVERS = "write [tool.hookproof.receivers.NAME] with its url, or give a URL"


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
    own = {key: value for key, value in table.items() if key != RECEIVERS}
    receivers = _receivers(table.get(RECEIVERS, {}), path)
    return replace(_values(own, Place(path, "")), receivers=receivers)


def _receivers(table: object, path: Path) -> Mapping[str, Mapping[str, object]]:
    """Return the tables of receivers, after a look at each."""
    if not isinstance(table, dict):
        raise Place(path, RECEIVERS).wrong("a table of tables")
    for name, own in table.items():
        place = Place(path, f"{RECEIVERS}.{name}", expands=False)
        if not isinstance(own, dict):
            raise place.wrong("a table")
        if not name or "/" in name or ":" in name:
            raise ConfigError(
                "it could be taken for a URL",
                where=f"{path}: {place.key}",
                hint="take a name without / and :",
            )
        _values(own, replace(place, key=f"{place.key}."))
    return table


def _values(table: Mapping[str, object], place: Place) -> Config:
    """Read a table; the place's key is what stands before its keys."""
    for key in table:
        if key not in KEYS:
            raise _unknown(key, place)
    if all(key in table for key in EXCLUSIVE):
        raise ConfigError(
            "secret-env and secret-file exclude each other",
            where=f"{place.path}: {place.key}".rstrip(".: "),
            hint="keep one",
        )
    at = {key: replace(place, key=place.key + key) for key in table}
    values = {key: KEYS[key].read(value, at[key]) for key, value in table.items()}
    return Config(values, place.path, reasons(table["skip"], at["skip"]) if "skip" in table else {})


def _unknown(key: str, place: Place) -> ConfigError:
    where = f"{place.path}: {place.key}{key}"
    if key == "secret":
        return ConfigError(
            "a secret does not belong into a file that is shared",
            where=where,
            hint='name where it is instead: secret-env = "HOOKPROOF_SECRET", or secret-file',
        )
    known = KEYS if place.key else (*KEYS, RECEIVERS)
    return ConfigError("unknown key", where=where, hint=did_you_mean(key, known) or one_of(KEYS))


def _laid_over(below: Config, above: Config, name: str) -> Config:
    """Return both configurations as one, in which the receiver's own values win."""
    kept = {
        key: value
        for key, value in below.values.items()
        if not (key in EXCLUSIVE and any(other in above.values for other in EXCLUSIVE))
    }
    return Config(
        {**kept, **above.values},
        below.path,
        above.reasons if "skip" in above.values else below.reasons,
        below.receivers,
        dict.fromkeys(above.values, name),
    )
