"""What a project says of itself: its name, what it depends on, how its tests and packages go."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from hookproof.config import PROJECT_FILE
from hookproof.starting.walking import read_text

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_INIS = (("pytest.ini", "pytest"), (".pytest.ini", "pytest"))
_SHARED_INIS = (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
_TOMLS = ("pytest.toml", ".pytest.toml")


@final
@dataclass(frozen=True, slots=True)
class PytestSettings:
    """Where pytest is configured, and the two settings that say where tests and imports are."""

    file: str
    pythonpath: tuple[str, ...] = ()
    testpaths: tuple[str, ...] = ()
    django: bool = False


@final
@dataclass(frozen=True, slots=True)
class Manifests:
    """The files at the top of a project that describe it, read as far as they can be."""

    folder: Path

    @property
    def name(self) -> str:
        """The project's name in letters, digits and dashes; never empty."""
        project = _table(self._pyproject(), "project")
        given = (project.get("name"), self._package().get("name"), self.folder.resolve().name)
        words = (re.sub(r"[^a-z0-9]+", "-", str(name or "").lower()).strip("-") for name in given)
        return next((word[:60] for word in words if word), "receiver")

    @property
    def packages(self) -> frozenset[str]:
        """The names of the Python packages that it depends on, in lower case."""
        found = (_NAME.match(line) for line in self._requirements())
        return frozenset(match[1].lower() for match in found if match is not None)

    @property
    def start(self) -> str | None:
        """The command that starts a project in JavaScript, if it declares one."""
        return "npm start" if "start" in _table(self._package(), "scripts") else None

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return (self.folder / name).is_file()

    def npm_installs(self) -> Iterator[str]:
        """Yield the command that installs what a project in JavaScript needs."""
        if self.has("package.json"):
            yield "npm ci" if self.has("package-lock.json") else "npm install"

    def pip_installs(self) -> Iterator[str]:
        """Yield the commands that install a project in Python."""
        yield from (
            f"python -m pip install -r {path.name}"
            for path in sorted(self.folder.glob("requirements*.txt"))
            if re.fullmatch(r"[A-Za-z0-9._-]+", path.name)
        )
        if "build-system" in self._pyproject() or self.has("setup.py"):
            yield "python -m pip install --editable ."

    def pytest(self) -> PytestSettings | None:
        """Return how pytest is configured; None where no file says so."""
        tables = (
            *((name, self._toml(name, "pytest")) for name in _TOMLS if self.has(name)),
            *((name, self._ini(name, section)) for name, section in _INIS),
            (PROJECT_FILE, self._pytest_table()),
            *((name, self._ini(name, section)) for name, section in _SHARED_INIS),
        )
        return next((_settings(name, table) for name, table in tables if table is not None), None)

    def _pytest_table(self) -> Mapping[str, Any] | None:
        own = _table(_table(self._pyproject(), "tool"), "pytest")
        return _table(own, "ini_options") or own or None

    def _ini(self, name: str, section: str) -> Mapping[str, Any] | None:
        if not self.has(name):
            return None
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        try:
            parser.read_string(read_text(self.folder / name))
        except configparser.Error:
            return {}  # pytest will say what is wrong with it
        if parser.has_section(section):
            return dict(parser[section])
        return {} if name.endswith("pytest.ini") else None  # which counts without its section, too

    def _pyproject(self) -> Mapping[str, Any]:
        return self._toml(PROJECT_FILE)

    def _toml(self, name: str, *tables: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = tomllib.loads(read_text(self.folder / name))
        except (
            tomllib.TOMLDecodeError
        ):  # whoever needs it tells what is wrong: pytest, or hookproof.config
            return {}
        for table in tables:
            found = _table(found, table)
        return found

    def _package(self) -> Mapping[str, Any]:
        try:
            found = json.loads(read_text(self.folder / "package.json") or "{}")
        except (ValueError, RecursionError):  # nothing can be learnt from it
            return {}
        return found if isinstance(found, dict) else {}

    def _requirements(self) -> Iterator[str]:
        data = self._pyproject()
        project, poetry = _table(data, "project"), _table(_table(data, "tool"), "poetry")
        yield from _texts(project.get("dependencies"))
        for extra in _table(project, "optional-dependencies").values():
            yield from _texts(extra)
        yield from _table(poetry, "dependencies")
        for path in self.folder.glob("requirements*.txt"):
            yield from read_text(path).splitlines()
        for path in self.folder.glob("requirements/*.txt"):
            yield from read_text(path).splitlines()


def _settings(file: str, found: Mapping[str, Any]) -> PytestSettings:
    return PytestSettings(
        file,
        tuple(_words(found.get("pythonpath"))),
        tuple(_words(found.get("testpaths"))),
        "django_settings_module" in {key.lower() for key in found},
    )


def _words(value: object) -> list[str]:
    return value.split() if isinstance(value, str) else list(_texts(value))


def _texts(value: object) -> Iterator[str]:
    yield from (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}
