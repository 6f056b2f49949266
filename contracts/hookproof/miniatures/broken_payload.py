"""Receivers that cannot cope with a difficult body, with one bug each."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

from hookproof.miniatures.base import Miniature, RefusedError
from hookproof_spec.request import Request

JSON_FIRST_BYTES = b"{[ \n\r\t"


class PeeksAtFirstByte(Miniature):
    """Looks at the first byte of a body that may have none."""

    exposed_by: ClassVar = ("payload-not-json",)

    def read(self, body: bytes) -> str:
        if body[0] not in JSON_FIRST_BYTES:
            raise RefusedError(422)
        return super().read(body)


class TrustsShape(Miniature):
    """Takes a member that is there for an object."""

    exposed_by: ClassVar = ("payload-wrong-shape",)

    def read(self, body: bytes) -> str:
        try:
            event = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RefusedError(422) from error
        return str(event["sparePart"]["sparePartId"])


class WritesUtf8(Miniature):
    """Writes the event down as UTF-8, in which half a surrogate pair has no place."""

    exposed_by: ClassVar = ("payload-hard-unicode",)

    def read(self, body: bytes) -> str:
        name = super().read(body)
        json.dumps(json.loads(body), ensure_ascii=False).encode()
        return name


class ParsesFirst(Miniature):
    """Parses the body of whoever sends one, without regard to its depth, and verifies then."""

    exposed_by: ClassVar = ("payload-deep",)

    def receive(self, request: Request) -> int:
        try:
            json.loads(request.body)
        except ValueError as error:
            raise RefusedError(400) from error
        return super().receive(request)


class BuffersEverything(Miniature):
    """Has a buffer of 4 MiB and puts every body into it before it verifies."""

    exposed_by: ClassVar = ("payload-huge-unsigned",)

    def receive(self, request: Request) -> int:
        if len(request.body) > 4 * 1024 * 1024:
            raise MemoryError
        return super().receive(request)


class DuplicateMemberError(Exception):
    """A member stands twice in an object."""


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise DuplicateMemberError
    return dict(pairs)


class RaisesOnDuplicates(Miniature):
    """Has a strict parser, whose own error nobody catches."""

    exposed_by: ClassVar = ("payload-duplicate-keys",)

    def read(self, body: bytes) -> str:
        name = super().read(body)
        json.loads(body, object_pairs_hook=_single)
        return name


class FillsTemplates(Miniature):
    """Takes what stands in double braces for the name of one of its own fields."""

    exposed_by: ClassVar = ("payload-long-values",)

    def read(self, body: bytes) -> str:
        name = super().read(body)
        for text in _texts(json.loads(body)):
            re.sub(r"\{\{(.*?)\}\}", lambda field: {"part": name}[field[1]], text)
        return name


class BuildsInsert(Miniature):
    """Writes the texts of the event into the text of a statement."""

    exposed_by: ClassVar = ("payload-long-values", "property-valid")

    def read(self, body: bytes) -> str:
        name = super().read(body)
        with closing(sqlite3.connect(":memory:")) as database:
            for text in _texts(json.loads(body)):
                plain = "".join(letter for letter in text if " " <= letter <= "~")
                database.execute(f"SELECT '{plain}'")
        return name


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)


class OneDateFormat(Miniature):
    """Reads dates in the one format it has seen."""

    exposed_by: ClassVar = ("payload-date-forms",)
    seen: ClassVar = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

    def read(self, body: bytes) -> str:
        name = super().read(body)
        if not self.seen.fullmatch(str(json.loads(body).get("_date"))):
            raise RefusedError(422)
        return name
