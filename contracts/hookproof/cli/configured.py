"""`hookproof config`: what the configuration says, and what may stand in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.groups import Group
from hookproof.cli.options import config_option, configuration
from hookproof.cli.secret import DEFAULT_VARIABLE
from hookproof.config import Config
from hookproof.config_keys import KEYS, schema
from hookproof.reports.exchanges import printable


@click.group("config", cls=Group)
def config() -> None:
    """Show what the configuration says, and what may stand in it."""


@final
@dataclass(frozen=True, slots=True)
class Setting:
    """One key: the value that holds, and where it comes from."""

    key: str
    value: object
    origin: str


@config.command("show")
@click.argument("name", required=False)
@config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How it is written.",
)
def show(name: str | None, form: str) -> int:
    """Print what holds for `verify`, and where each value comes from.

    With NAME, what holds for that receiver. Options on the command line win over all of it.
    """
    found = configuration()
    held = found if name is None else found.receiver(name)
    settings = list(_settings(held))
    lines = _as_json(settings) if form == "json" else _as_text(held, settings)
    for line in lines:
        click.echo(line)
    return 0


@config.command("schema")
def print_schema() -> int:
    """Print the JSON Schema of the configuration, for editors."""
    click.echo(json.dumps(schema(), indent=2))
    return 0


def _as_json(settings: list[Setting]) -> Iterator[str]:
    yield json.dumps([{"key": s.key, "value": s.value, "from": s.origin} for s in settings])


def _as_text(held: Config, settings: list[Setting]) -> Iterator[str]:
    yield f"file       {held.path or 'none was found'}"
    yield f"receivers  {', '.join(held.receivers) or 'none'}"
    yield ""
    width = min(max(len(_shown(setting.value)) for setting in settings), 50)
    for setting in settings:
        yield f"{setting.key:<16}  {_shown(setting.value):<{width}}  {setting.origin}"


def _settings(held: Config) -> Iterator[Setting]:
    from hookproof.cli.verify import verify

    defaults = {param.name: param.default for param in verify.params}
    for key in KEYS:
        if key in held.values:
            yield Setting(key, _told(held, key), _origin(held, key))
            continue
        default = defaults.get(key.replace("-", "_"))
        if isinstance(default, str | int | float) and default is not False:
            yield Setting(key, default, "default")
    yield _secret(held)


def _told(held: Config, key: str) -> object:
    return dict(held.reasons) if key == "skip" else held.values[key]


def _origin(held: Config, key: str) -> str:
    name = held.origin.get(key)
    return f"receivers.{name}" if name else str(held.path.name if held.path else "")


def _secret(held: Config) -> Setting:
    """Return whether there is a secret, and never which."""
    if "secret-file" in held.values:
        return Setting("secret", "in a file", f"secret-file {held.values['secret-file']}")
    variable = str(held.values.get("secret-env", DEFAULT_VARIABLE))
    state = "set" if os.environ.get(variable) else "not set"
    return Setting("secret", state, f"environment variable {variable}")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return printable(", ".join(map(str, value)), 200)
    if isinstance(value, dict):
        return printable(", ".join(f"{name} ({reason})" for name, reason in value.items()), 200)
    return printable(str(value), 200)
