"""What a project's folder holds that matters to its contract. Nothing of it is run or imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from hookproof.config import Config, find
from hookproof.starting.manifests import Manifests
from hookproof.starting.sources import (
    App,
    Place,
    Route,
    Secret,
    Source,
    posts_in,
    python_source,
    secrets_in,
)
from hookproof.starting.walking import read_bytes, read_text, sources_in


@final
@dataclass(frozen=True, slots=True)
class Survey:
    """A project as it was found. `python` has what each Python file tells, by its path below.

    `cut` tells whether there are more files than were looked at.
    """

    folder: Path
    manifests: Manifests
    config: Config
    python: Mapping[str, Source]
    routes: tuple[Route, ...]
    secrets: tuple[Secret, ...]
    cut: bool

    @property
    def apps(self) -> tuple[App, ...]:
        """Every application, or function that makes one."""
        return tuple(app for source in self.python.values() for app in source.apps)

    @property
    def settings(self) -> str | None:
        """Django's settings module, if a file names it."""
        return next((s.settings for s in self.python.values() if s.settings is not None), None)

    def holds(self, name: str) -> bool:
        """Tell whether there is something under a name, be it a link that leads nowhere."""
        return os.path.lexists(self.folder / name)


def survey(folder: Path) -> Survey:
    """Look through a project's folder.

    Raises:
        ConfigError: there is a configuration of hookproof, and something in it is wrong.
    """
    config = find(None, folder.resolve())
    sources = sources_in(folder)
    python: dict[str, Source] = {}
    routes: list[Route] = []
    secrets: list[Secret] = []
    for path in sources.paths:
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():  # it is quoted in what is written
            continue
        text = read_text(path)
        secrets.extend(secrets_in(text, name))
        if path.suffix == ".py":
            python[name] = python_source(read_bytes(path), name)
            routes.extend(python[name].routes)
        else:
            routes.extend(posts_in(text, name))
    return Survey(
        folder, Manifests(folder), config, python, tuple(routes), tuple(secrets), sources.cut
    )


@final
@dataclass(frozen=True, slots=True)
class Module:
    """How Python imports a file: by this name, when `root` below the project is on its path."""

    name: str
    root: str


def module_of(place: Place, found: Survey) -> Module | None:
    """Return how a file is imported; None where its path makes no module's name."""
    *folders, file = place.file.removesuffix(".py").split("/")
    parts = folders if file == "__init__" else [*folders, file]
    top = _root(folders, file, found)
    name = parts[len(top) :]
    if not name or not all(part.isidentifier() for part in name):
        return None
    return Module(".".join(name), "/".join(top) or ".")


def _root(folders: list[str], file: str, found: Survey) -> list[str]:
    """Return the folders above a file's outermost package.

    Where it lies in none, its imports tell: of its neighbours by their own names, or of a folder
    that it lies in.
    """
    top = len(folders)
    while top and "/".join((*folders[:top], "__init__.py")) in found.python:
        top -= 1
    if top < len(folders):
        return folders[:top]
    imports = found.python["/".join((*folders, f"{file}.py"))].imports
    if imports & (set(_neighbours(folders, found)) - {file}):
        return folders
    told = [place for place, name in enumerate(folders) if name in imports]
    above = [place + 1 for place, name in enumerate(folders) if _is_no_package(name)]
    return folders[: max((*told, *above), default=0)]


def _is_no_package(name: str) -> bool:
    return name == "src" or not name.isidentifier()


def _neighbours(folders: list[str], found: Survey) -> Iterator[str]:
    start = "".join(f"{folder}/" for folder in folders)
    for name in found.python:
        if name.startswith(start):
            yield name.removeprefix(start).removesuffix(".py").partition("/")[0]
