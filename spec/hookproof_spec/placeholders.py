"""Reading a template out of a document: which placeholders there are, and where they may stand."""

from __future__ import annotations

import re
from enum import Enum
from typing import final

from hookproof_spec.errors import one_of
from hookproof_spec.filters import FILTERS, gives_text
from hookproof_spec.nodes import Node, nearest, shown
from hookproof_spec.templates import Template, TemplateError

_TOKEN = r"[!#$%&'*+.^_`~0-9A-Za-z-]+"
_ARGUMENTS = {
    "timestamp": (re.compile(r"\+[1-9][0-9]{0,8}"), "timestamp:+SECONDS"),
    "header": (re.compile(_TOKEN), "header:NAME"),
    "query": (re.compile(r"[^{}|]+"), "query:NAME"),
    "field": (re.compile(r"[^{}|]+"), "field:NAME"),
    "json": (re.compile(r"(?:/(?:[^{}|~/]|~[01])*)+"), "json:/POINTER"),
}
_BRACES = re.compile(r"\{([^{}]*)\}")


@final
class Place(Enum):
    """Where a template stands; the value are the names that may be used there as they are."""

    CONTENT = (
        "body",
        "timestamp",
        "nonce",
        "method",
        "url",
        "path",
        "fields",
        "secret",
        "key-id",
    )
    CARRY = ("timestamp", "nonce", "signature", "signatures", "signature2", "key-id")
    ITEM = ("signature",)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names that take an argument here."""
        return {Place.CONTENT: tuple(_ARGUMENTS), Place.CARRY: ("timestamp",)}.get(self, ())

    @property
    def allowed(self) -> tuple[str, ...]:
        """All that may be written here, as examples."""
        digest = ("{body|FILTER}",) if self is Place.CARRY else ()
        return (
            *(f"{{{name}}}" for name in self.value),
            *(f"{{{_ARGUMENTS[name][1]}}}" for name in self.arguments),
            *digest,
        )


_EVERY = {name for place in Place for name in place.value} | set(_ARGUMENTS)


def read_template(node: Node, what: str, place: Place) -> Template | None:
    """Read a template in which only the placeholders of a place have a value.

    Returns:
        The template, or None when a problem was noted.
    """
    text = node.text(what)
    if text is None:
        return None
    noted = len(node.found)
    for name in _BRACES.findall(text):
        _check(node, name, place)
    if len(node.found) > noted:
        return None
    try:
        return Template.parse(text)
    except TemplateError as error:
        node.error(str(error), "braces stand around placeholders only")
        return None


def _check(node: Node, written: str, place: Place) -> None:
    whole, *filters = written.split("|")
    name, colon, argument = whole.partition(":")
    braced = shown(f"{{{written}}}")
    unknown = next((word for word in filters if word not in FILTERS), None)
    if unknown is not None:
        node.error(f"unknown filter {shown(unknown)} in {braced}", nearest(unknown, FILTERS))
    elif name not in _EVERY:
        near = nearest(f"{{{name}:NAME}}" if colon else f"{{{name}}}", place.allowed)
        node.error(f"unknown placeholder {braced}", near)
    elif place is Place.CARRY and name == "body" and not colon:
        _check_digest(node, braced, filters)
    elif name not in (place.arguments if colon else place.value):
        _refuse(node, name, colon, place)
    elif colon and not _ARGUMENTS[name][0].fullmatch(argument):
        node.error(f"wrong argument in {braced}", f"write {{{_ARGUMENTS[name][1]}}}")
    elif filters and place is not Place.CONTENT:
        node.error(f"a filter in {braced} could not be undone", f"write {{{whole}}}")


def _check_digest(node: Node, braced: str, filters: list[str]) -> None:
    if not filters:
        node.error("{body} has no value here", "write a digest of it: {body|sha256|hex}")
    elif not gives_text(filters):
        node.error(f"{braced} is no text", "end with hex, base64 or base64url")


def _refuse(node: Node, name: str, colon: str, place: Place) -> None:
    if not colon and name in place.arguments:
        node.error(f"{{{name}}} needs an argument", f"write {{{_ARGUMENTS[name][1]}}}")
    elif colon and name in place.value:
        node.error(f"{{{name}}} takes no argument", f"write {{{name}}}")
    else:
        node.error(f"{{{name}}} has no value here", one_of(place.allowed))
