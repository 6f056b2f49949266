"""Bytes as a page shows them: pretty, raw or in hexadecimal, always harmless and never too long."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import final

from markupsafe import Markup, escape

from hookproof_mockserver.pages.words import character_words
from hookproof_spec import payloads
from hookproof_spec.errors import Problem

TEXT_SHOWN = 32 * 1024
"""How many bytes of a body are shown as text."""
HEX_SHOWN = 4 * 1024
PRETTY_READ = 256 * 1024
"""A longer body is not parsed only to be shown."""

_TOKENS = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)"
)


class View(StrEnum):
    """How a body is shown."""

    PRETTY = "pretty"
    RAW = "raw"
    HEX = "hex"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A body to be shown. `note` says what is left out, or why it is not shown as was asked."""

    view: View
    html: Markup
    size: int
    note: str = ""


def shown(body: bytes, asked: str) -> Shown:
    """Return a body in the view that is asked for; what is no JSON is raw instead of pretty.

    Where none is asked for, pretty is tried without a word.
    """
    view = next((view for view in View if view.value == asked), View.PRETTY)
    found = _shown(body, view)
    fell_back = found.view is not view and asked != view.value
    return replace(found, note=_cut_note(body, TEXT_SHOWN)) if fell_back else found


def _shown(body: bytes, view: View) -> Shown:
    if view is View.HEX:
        note = _cut_note(body, HEX_SHOWN)
        return Shown(
            view=view, html=escape(hexadecimal(body[:HEX_SHOWN])), size=len(body), note=note
        )
    if view is View.PRETTY:
        pretty = _pretty(body)
        if isinstance(pretty, Markup):
            return Shown(view=view, html=pretty, size=len(body), note="")
        raw = _shown(body, View.RAW)
        note = " ".join(filter(None, (pretty, raw.note)))
        return Shown(view=View.RAW, html=raw.html, size=raw.size, note=note)
    html = visible(body[:TEXT_SHOWN].decode("utf-8", "surrogateescape"))
    return Shown(view=view, html=html, size=len(body), note=_cut_note(body, TEXT_SHOWN))


def _cut_note(body: bytes, limit: int) -> str:
    if len(body) <= limit:
        return ""
    return f"The first {limit:,} of {len(body):,} bytes are shown."


def _pretty(body: bytes) -> Markup | str:
    """Return JSON with a member a line, or why it cannot be shown so."""
    if not body:
        return ""
    if len(body) > PRETTY_READ:
        return "Too long to be set out in lines."
    value = payloads.decode(body)
    if isinstance(value, Problem):
        return f"{value.message[:1].upper()}{value.message[1:]}."
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return "Nested too deeply to be set out in lines."
    if len(text) > 2 * TEXT_SHOWN:
        return "Too long to be set out in lines."
    return _coloured(text)


def _coloured(text: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for match in _TOKENS.finditer(text):
        parts.append(visible(text[end : match.start()]))
        parts.append(
            Markup('<span class="json-{}">{}</span>').format(match.lastgroup, visible(match[0]))
        )
        end = match.end()
    parts.append(visible(text[end:]))
    return Markup().join(parts)


def visible(text: str, limit: int | None = None) -> Markup:
    """Return text with every character named that would not simply print.

    Marks that turn the direction of text, control characters and bytes that are no text would let
    a payload look like something it is not. Line ends and tabs stay.
    """
    cut = text if limit is None else text[:limit]
    parts: list[Markup] = []
    for plain, run in groupby(cut, key=_is_plain):
        written = "".join(run)
        parts.append(escape(written) if plain else _named(written))
    if len(cut) < len(text):
        parts.append(Markup('<span class="cut">… {} characters in all</span>').format(len(text)))
    return Markup().join(parts)


def _is_plain(character: str) -> bool:
    return character.isprintable() or character in "\n\t"


def _named(run: str) -> Markup:
    title = character_words(run) if len(run) == 1 else f"{len(run)} characters that do not print"
    written = "".join(map(_escaped, run))
    return Markup('<span class="odd" title="{}">{}</span>').format(title, written)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as `surrogateescape` keeps it
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def hexadecimal(data: bytes) -> str:
    """Return lines of an offset, sixteen bytes, and the same as text."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        lines.append(f"{start:06x}  {left:<23}  {right:<23}  {text}")
    return "\n".join(lines)
