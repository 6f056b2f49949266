"""What a test run is configured to do: options, ini values, and `[tool.hookproof]` below them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import pytest

from hookproof import config as files

INPUT = "hookproof"
"""Under this key pytest-xdist's controller tells its workers what they have in common."""


EXAMPLES = 30


@final
@dataclass(frozen=True)
class Settings:
    """The settings of one test run. Reading one is a `HookproofError` where the file is wrong."""

    config: pytest.Config

    @cached_property
    def table(self) -> Mapping[str, files.Value]:
        """The checked values of `[tool.hookproof]`, or of the nearest hookproof.toml."""
        return files.find(None, self.config.rootpath).values

    @property
    def strict(self) -> bool:
        """Whether a broken SHOULD and what is unproven or blocked fail their tests."""
        return bool(self.config.getini("hookproof_strict") or self.table.get("strict"))

    @property
    def examples(self) -> int:
        """How many examples a property is tried with."""
        asked: int = self.config.getini("hookproof_examples")
        return asked or int(str(self.table.get("examples") or EXAMPLES))

    @property
    def only(self) -> list[str]:
        """Rules and categories to which a contract is limited."""
        return self._words("only")

    @property
    def skip(self) -> list[str]:
        """Rules and categories that are left out."""
        return self._words("skip")

    @property
    def reports(self) -> list[str]:
        """The reports to write, as `FORMAT=PATH`; those of the command line replace the others."""
        asked: list[str] = self.config.getoption("hookproof_report") or []
        if asked:
            return asked
        here = [self._from_root(text) for text in self.config.getini("hookproof_report")]
        return here or _texts(self.table.get("report"))

    @cached_property
    def seed(self) -> int:
        """The seed of the choices that rules make; one for all workers of a run."""
        asked: int | None = self.config.getoption("hookproof_seed")
        if asked is not None:
            return asked
        shared = shared_with_workers(self.config)
        return int(shared["seed"]) if shared else secrets.randbelow(2**32)

    def _words(self, key: str) -> list[str]:
        own: list[str] = self.config.getini(f"hookproof_{key}")
        return own or _texts(self.table.get(key))

    def _from_root(self, text: str) -> str:
        name, equals, path = text.partition("=")
        return f"{name}={self.config.rootpath / Path(path).expanduser()}" if equals else text


def shared_with_workers(config: pytest.Config) -> Mapping[str, str]:
    """Return what the controller told this worker; nothing where there is no controller."""
    given = getattr(config, "workerinput", {}).get(INPUT, {})
    return {str(key): str(value) for key, value in given.items()}


def _texts(value: files.Value | None) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
