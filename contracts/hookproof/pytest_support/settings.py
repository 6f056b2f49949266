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
from hookproof.baseline import Baseline
from hookproof.config_keys import Value
from hookproof.pytest_support import profile

INPUT = "hookproof"
"""Under this key pytest-xdist's controller tells its workers what they have in common."""
EXAMPLES = 30
SAME_EACH_TIME = 0
"""The seed under a profile of Hypothesis that is derandomised."""


@final
@dataclass(frozen=True)
class Settings:
    """The settings of one test run. Reading one is a `HookproofError` where the file is wrong."""

    config: pytest.Config

    @cached_property
    def file(self) -> files.Config:
        """What stands in `[tool.hookproof]`, or in the nearest hookproof.toml."""
        return files.find(None, self.config.rootpath)

    @property
    def table(self) -> Mapping[str, Value]:
        """The file's checked values."""
        return self.file.values

    @cached_property
    def baseline(self) -> Baseline | None:
        """The findings that are accepted for a time."""
        path = self.table.get("baseline")
        return None if path is None else Baseline.read(Path(str(path)))

    @property
    def strict(self) -> bool:
        """Whether a broken SHOULD and what is unproven or blocked fail their tests."""
        return bool(self.config.getini("hookproof_strict") or self.table.get("strict"))

    @property
    def examples(self) -> int:
        """How many examples a property is tried with: the nearest to us that says it counts."""
        asked: int = self.config.getini("hookproof_examples")
        return asked or int(str(self.table.get("examples") or profile.effort() or EXAMPLES))

    @property
    def search_seconds(self) -> float:
        """How long a property is searched for at most."""
        return float(self.config.getini("hookproof_search_seconds"))

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
        asked = self._seed_that_is_asked_for()
        if asked is not None:
            return asked
        if profile.is_derandomised():
            return SAME_EACH_TIME
        shared = shared_with_workers(self.config)
        return int(shared["seed"]) if shared else secrets.randbelow(2**32)

    @property
    def remembers(self) -> bool:
        """Whether what a search finds is kept for the next run; not where it is to be repeated."""
        return self._seed_that_is_asked_for() is None

    def _seed_that_is_asked_for(self) -> int | None:
        own: int | None = self.config.getoption("hookproof_seed")
        return profile.hypothesis_seed(self.config) if own is None else own

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


def _texts(value: Value | None) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
