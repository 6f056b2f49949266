"""`NAME.hookproof.yaml`: a contract without a line of code, collected as a module of tests."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, final

import pytest

from hookproof import config as files
from hookproof.cli.restart import Restart
from hookproof.cli.secret import SecretSource
from hookproof.config_keys import KEYS, Value
from hookproof.pytest_plugin import CONTRACT
from hookproof.pytest_support.contract import Choice
from hookproof.pytest_support.missing import Unusable
from hookproof.pytest_support.settings import Settings
from hookproof.under_test import Receiver
from hookproof_spec.documents.yaml12 import parse_yaml
from hookproof_spec.errors import HookproofError, did_you_mean, one_of

__tracebackhide__ = True
OWN_KEYS = ("url", "app", "path", "effects", "also-url", "restart-command", "allow-host")
FOR_ALL = ("baseline", "color", "report", "ruleset", "seed", "strict")
TEST = """\
def test_rule(webhook_receiver, rule):
    rule.check(webhook_receiver)
"""
"""The test of every contract file. Pytest takes it for a function of that file."""


@final
class ContractFile(pytest.Module):
    """A contract file as a module: `shop.hookproof.yaml::test_rule[replay-race]`."""

    def _getobj(self) -> ModuleType:
        """Make the module. Pytest has no public way to make one of what is no Python."""
        try:
            return module_of(read(self.path), Settings(self.config))
        except HookproofError as error:
            raise self.CollectError(f"hookproof: {error}") from error


@final
@dataclass(frozen=True, slots=True)
class Contract:
    """What a contract file says: keys of its own, and those of the configuration."""

    path: Path
    own: Mapping[str, Any]
    common: Mapping[str, Value]
    reasons: Mapping[str, str]

    def words(self, key: str) -> tuple[str, ...]:
        """Return a text or a list of texts."""
        value = self.common.get(key, [])
        return tuple(map(str, value)) if isinstance(value, list) else (str(value),)

    def wrong(self, key: str, problem: str, hint: str = "") -> HookproofError:
        """Return the error that tells a mistake with its place."""
        return HookproofError(problem, where=f"{self.path}: {key}", hint=hint)


def read(path: Path) -> Contract:
    """Read a contract file.

    Raises:
        HookproofError: it cannot be read, or something in it is wrong.
    """
    value = parse_yaml(_text(path), str(path))
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise HookproofError("it must be a mapping of keys to values", where=str(path))
    own = {key: item for key, item in value.items() if key in OWN_KEYS}
    rest = {key: item for key, item in value.items() if key not in OWN_KEYS}
    for key in rest:
        if key not in KEYS and key != "secret":
            known = (*OWN_KEYS, *KEYS)
            raise HookproofError(
                "unknown key",
                where=f"{path}: {key}",
                hint=did_you_mean(str(key), known) or one_of(known),
            )
    common = files.checked(rest, path)
    made = Contract(path, own, common.values, common.reasons)
    _check(made)
    return made


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise HookproofError(
            f"cannot be read: {(error.strerror or str(error)).lower()}", where=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise HookproofError("it is not UTF-8", where=str(path)) from error


def _check(made: Contract) -> None:
    for key, value in made.own.items():
        texts = value if key == "allow-host" and isinstance(value, list) else [value]
        if not all(isinstance(text, str) and text for text in texts):
            raise made.wrong(key, "it must be a text")
    if "url" in made.own and "app" in made.own:
        raise made.wrong("app", "url and app exclude each other", "keep the one that is judged")
    for key in FOR_ALL:
        if key in made.common:
            raise made.wrong(key, "it is for the whole run", "put it into [tool.hookproof]")


def module_of(made: Contract, settings: Settings) -> ModuleType:
    """Return a module with the test, and the receiver unless the file leaves it to a fixture."""
    module = ModuleType(made.path.name.replace(".", "_"))
    module.__file__ = str(made.path)
    exec(compile(TEST, str(made.path), "exec"), vars(module))
    only = made.words("only") or tuple(settings.only)
    skip = made.words("skip") or tuple(settings.skip)
    reasons = made.reasons if "skip" in made.common else settings.file.reasons
    setattr(vars(module)["test_rule"], CONTRACT, Choice(only, skip, reasons))
    if "url" in made.own or "app" in made.own:
        vars(module)["webhook_receiver"] = _fixture(made)
    return module


def _fixture(made: Contract) -> object:
    @pytest.fixture(scope="module")
    def webhook_receiver() -> Receiver | Unusable:
        """The receiver of this contract file."""
        try:
            return receiver_of(made)
        except HookproofError as error:  # told by one test, where an error here would be by each
            return Unusable(str(error))

    return webhook_receiver


def receiver_of(made: Contract) -> Receiver:
    """Return the receiver that a file describes; an application is imported now.

    Raises:
        HookproofError: it cannot be imported, or cannot be so.
    """
    own, common = made.own, made.common
    given: dict[str, Any] = {
        "url": own.get("url"),
        "app": _imported(made, "app"),
        "effects": common.get("effects-url") or _imported(made, "effects"),
        "also": own.get("also-url"),
        "restart": Restart(own["restart-command"]) if "restart-command" in own else None,
        "secret": _secret(made),
        "headers": dict(_header(text) for text in made.words("header")),
        "allow_hosts": _list(own.get("allow-host", [])),
    }
    names = ("spec", "webhook", "tolerance", "replay", "forged", "timeout", "rate")
    given |= {name: common[name] for name in names if name in common}
    given |= {"path": own["path"]} if "path" in own else {}
    return Receiver(**given)


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name, value.strip()


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _secret(made: Contract) -> str | None:
    """Return the secret of the place that the file names; None leaves it to the configuration.

    Raises:
        HookproofError: there is none in that place; that of another would not be the receiver's.
    """
    if "secret-file" in made.common:
        return _text(Path(str(made.common["secret-file"]))).removesuffix("\n")
    if "secret-env" not in made.common:
        return None
    variable = str(made.common["secret-env"])
    if variable not in os.environ:
        place = SecretSource(variable).place
        raise made.wrong("secret-env", f"{place} is not set", "export it, or give secret-file")
    return os.environ[variable]


def _imported(made: Contract, key: str) -> object:
    """Return what `package.module:name` names."""
    if key not in made.own:
        return None
    module, colon, name = str(made.own[key]).partition(":")
    if not colon or not name or not all(map(str.isidentifier, module.split("."))):
        raise made.wrong(key, f"{made.own[key]!r} names nothing", "write package.module:name")
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise made.wrong(key, str(error), "is its folder in pytest's pythonpath?") from error
    return found
