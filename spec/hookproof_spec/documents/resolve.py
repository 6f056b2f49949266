"""Places in a document and its files, and where a `$ref` leads. Nothing here reaches a network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final
from urllib.parse import unquote

from hookproof_spec import pointers
from hookproof_spec.documents.files import parse_file
from hookproof_spec.errors import DocumentError, Problem, Severity
from hookproof_spec.nodes import Node, shown

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class RefError(ValueError):
    """A `$ref` that leads nowhere; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@final
@dataclass(frozen=True, slots=True)
class Place:
    """A value, the file and the pointer where it stands.

    `via` is the pointer of the `$ref` by which the main document led to another file.
    """

    file: Path
    pointer: str
    value: object
    via: str | None = None

    def child(self, *names: str | int) -> Place:
        """Return the place of a part; its value is None where there is no such part."""
        value = self.value
        for name in names:
            value = _part(value, name)
        return replace(self, pointer=self.pointer + pointers.join(*names), value=value)

    def has(self, name: str) -> bool:
        """Tell whether a mapping has a member."""
        return isinstance(self.value, Mapping) and name in self.value

    def problem(self, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        """Return a problem of this place, told from where the main document knows it."""
        if self.via is None:
            return Problem(self.pointer, message, hint, severity)
        where = f"{self.file.name}#{self.pointer}"
        return Problem(self.via, f"in {where}: {message}", hint, severity)

    def node(self, found: list[Problem]) -> Node:
        """Return the place as a node whose problems go to a list."""
        return Node(self.value, self.pointer if self.via is None else self.via, found)


def _part(value: object, name: str | int) -> object:
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list) and isinstance(name, int) and name < len(value):
        return value[name]
    return None


@final
class Library:
    """A document and the files it refers to, each read once."""

    def __init__(self, root: Place) -> None:
        self.root = root
        self._files: dict[Path, object] = {root.file.resolve(): root.value}

    def follow(self, place: Place) -> Place:
        """Return where the `$ref` of a mapping leads.

        Raises:
            RefError: nowhere, to a network, or to a file that cannot be read.
        """
        ref = place.child("$ref").value
        if not isinstance(ref, str):
            raise RefError(f"$ref must be a text, not {shown(ref)}")
        if _SCHEME.match(ref) or ref.startswith("//"):
            raise RefError(
                f"$ref to {shown(ref)}: nothing is fetched", "keep a copy beside the document"
            )
        name, _, fragment = ref.partition("#")
        target = self._file(place, unquote(name)) if name else self._start(place)
        return self._inside(target, unquote(fragment), ref)

    def settle(self, place: Place, found: list[Problem]) -> Place | None:
        """Follow reference objects until something else stands there; None where a `$ref` fails."""
        seen = set()
        while place.has("$ref"):
            if (place.file, place.pointer) in seen:
                found.append(place.problem("$ref leads back to itself"))
                return None
            seen.add((place.file, place.pointer))
            try:
                place = self.follow(place)
            except RefError as error:
                found.append(place.child("$ref").problem(str(error), error.hint))
                return None
        return place

    def _start(self, place: Place) -> Place:
        return replace(place, pointer="", value=self._files[place.file.resolve()])

    def _file(self, place: Place, name: str) -> Place:
        path = self._resolved(place, name)
        if path not in self._files:
            try:
                self._files[path] = parse_file(path)
            except DocumentError as error:
                raise RefError(f"$ref to {shown(name)}: {error.problem}", error.hint) from error
        if path == self.root.file.resolve():
            return self.root
        via = place.pointer + "/$ref" if place.via is None else place.via
        return Place(path, "", self._files[path], via)

    def _resolved(self, place: Place, name: str) -> Path:
        try:
            return (place.file.parent / name).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a null byte
            raise RefError(f"$ref to {shown(name)}: {error}", "name a file") from error

    def _inside(self, target: Place, pointer: str, ref: str) -> Place:
        if pointer and not pointer.startswith("/"):
            raise RefError(f"$ref to {shown(ref)}: anchors are not supported", "use a JSON pointer")
        try:
            value = pointers.get(target.value, pointer)  # type: ignore[arg-type]
        except pointers.PointerError as error:
            raise RefError(f"$ref to {shown(ref)} leads nowhere", error.hint) from error
        return replace(target, pointer=pointer, value=value)
