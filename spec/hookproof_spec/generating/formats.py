"""Texts of the formats that JSON Schema and OpenAPI name, in forms that every checker takes.

Where checkers differ (leap seconds, a line's end behind a date) the disputed form is left out.
"""

from __future__ import annotations

import base64
import string
import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Texts = SearchStrategy[str]

_FIRST = date(1970, 1, 1)
_DAYS = (date(2099, 12, 31) - _FIRST).days
_LOWER = string.ascii_lowercase
_WORD = st.text(_LOWER, min_size=1, max_size=8)
_DIGITS = string.digits


def _dates() -> Texts:
    return st.integers(0, _DAYS).map(lambda days: (_FIRST + timedelta(days=days)).isoformat())


def _zone(minutes: int) -> str:
    if minutes == 0:
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    return f"{'+' if minutes > 0 else '-'}{hours:02}:{rest:02}"


def _clock(second: int, fraction: str, zone: int) -> str:
    hours, rest = divmod(second, 3600)
    dotted = f".{fraction}" if fraction else ""
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}{dotted}{_zone(zone)}"


def _times() -> Texts:
    fractions = st.text(_DIGITS, max_size=9)
    zones = st.integers(0, 28 * 4).map(lambda quarter: (quarter // 2 * (-1) ** quarter) * 15)
    return st.builds(_clock, st.integers(0, 86_399), fractions, zones)


def _moments() -> Texts:
    return st.builds(lambda day, clock: f"{day}T{clock}", _dates(), _times())


def _durations() -> Texts:
    few = st.integers(0, 99)
    dated = st.builds(lambda y, m, d: f"P{y}Y{m}M{d}D", few, few, few)
    timed = st.builds(lambda h, m, s: f"PT{h}H{m}M{s}S", few, few, few)
    return st.one_of(timed, dated, few.map(lambda weeks: f"P{weeks}W"))


def _hosts() -> Texts:
    label = st.builds(lambda head, tail: head + tail, _WORD, st.text(_LOWER + _DIGITS, max_size=4))
    return st.lists(label, min_size=2, max_size=3).map(".".join)


def _emails() -> Texts:
    return st.builds(lambda name, host: f"{name}@{host}", _WORD, _hosts())


def _ipv4() -> Texts:
    return st.lists(st.integers(0, 255), min_size=4, max_size=4).map(
        lambda parts: ".".join(map(str, parts))
    )


def _ipv6() -> Texts:
    whole = st.lists(st.integers(0, 0xFFFF), min_size=8, max_size=8)
    return whole.map(lambda parts: ":".join(f"{part:x}" for part in parts))


def _paths() -> Texts:
    step = st.text(_LOWER + _DIGITS + "-._~", min_size=1, max_size=6).map(lambda s: f"/x{s}")
    return st.lists(step, min_size=1, max_size=3).map("".join)


def _addresses() -> Texts:
    schemes = st.sampled_from(("https", "http", "urn:x", "ftp"))
    return st.builds(
        lambda scheme, host, path: (
            f"{scheme}:x{path}" if ":" in scheme else f"{scheme}://{host}{path}"
        ),
        schemes,
        _hosts(),
        _paths(),
    )


def _pointers() -> Texts:
    name = st.text(_LOWER + "é~/", max_size=5)
    token = name.map(lambda text: "/" + text.replace("~", "~0").replace("/", "~1"))
    return st.lists(token, max_size=3).map("".join)


def _relative_pointers() -> Texts:
    return st.builds(lambda up, rest: f"{up}{rest}", st.integers(0, 9), _pointers() | st.just("#"))


def _base64() -> Texts:
    return st.binary(max_size=24).map(lambda raw: base64.b64encode(raw).decode())


FORMATS: Final[Mapping[str, Texts]] = {
    "base64": _base64(),
    "byte": _base64(),
    "date": _dates(),
    "date-time": _moments(),
    "duration": _durations(),
    "email": _emails(),
    "hostname": _hosts(),
    "idn-email": _emails(),
    "idn-hostname": _hosts() | _WORD.map(lambda word: f"b\u00fccher-{word}.example"),
    "ipv4": _ipv4(),
    "ipv6": _ipv6(),
    "iri": _addresses() | _WORD.map(lambda word: f"https://example.org/\u00e9{word}"),
    "iri-reference": _paths() | _addresses(),
    "json-pointer": _pointers(),
    "regex": _WORD.map(lambda word: f"^[{word}]+$"),
    "relative-json-pointer": _relative_pointers(),
    "time": _times(),
    "uri": _addresses(),
    "uri-reference": _paths() | _addresses(),
    "uri-template": _WORD.map(lambda word: f"https://example.org/{{{word}}}"),
    "uuid": st.integers(0, 2**128 - 1).map(lambda number: str(uuid.UUID(int=number))),
}
"""A format that is not in the table asserts nothing: any text has it."""

RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
"""Formats of numbers: JSON Schema asserts nothing of them, a typed receiver all the same."""
