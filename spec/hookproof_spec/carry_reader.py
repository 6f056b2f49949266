"""Reading `carry` and `repeat`: where every value travels, and how it is read back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hookproof_spec.nodes import Node, shown
from hookproof_spec.placeholders import Place, read_template
from hookproof_spec.scheme import Carried, CarriedHeader, CarriedInside, Where
from hookproof_spec.templates import Repeat, Template, TemplateError, header_shape

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
_NO_PLACE = "there is no place where the signature travels"


def read_repeat(node: Node) -> Repeat | None:
    """Read how several signatures stand side by side."""
    words = node.mapping("repeat", ("item", "separator"))
    if words is None:
        return None
    for word in ("item", "separator"):
        if word not in words:
            node.error(f"{word!r} is missing", 'as in {item: "v1={signature}", separator: ","}')
            return None
    item_node = node.child("item", words["item"])
    item = read_template(item_node, "an item", Place.ITEM)
    separator = node.child("separator", words["separator"]).text("a separator")
    if item is None or separator is None:
        return None
    if item.names != ("signature",) or item.literals[1]:
        item_node.error("an item is a prefix and then {signature}", 'as in "v1={signature}"')
    elif not separator or separator in item.literals[0]:
        node.child("separator", separator).error("it must be a text that is in no item")
    return Repeat(item.literals[0], separator)


def read_carry(
    root: Node, words: Mapping[str, object], repeat: Repeat | None
) -> tuple[Carried, ...] | None:
    """Read every place; None when there is none at all, which is noted."""
    node = root.child("carry", words.get("carry"))
    if "carry" not in words:
        root.error(_NO_PLACE, "add carry: {header: …}")
        return None
    kinds = tuple(where.value for where in Where)
    places = node.mapping("carry", (*kinds, "numbers"))
    if places is None:
        return None
    if not set(kinds) & set(places):
        node.error(_NO_PLACE, "add carry: {header: …}")
        return None
    numbers = _numbers(node, places)
    read: list[Carried | None] = []
    for where in Where:
        if where.value in places:
            child = node.child(where.value, places[where.value])
            read += _places(child, where, repeat, numbers)
    return tuple(place for place in read if place is not None)


def _numbers(node: Node, places: Mapping[str, object]) -> tuple[str, ...]:
    if "numbers" not in places:
        return ()
    child = node.child("numbers", places["numbers"])
    pointers = child.texts("numbers")
    carried = places.get("json")
    known = list(carried) if isinstance(carried, Mapping) else []
    for place, pointer in enumerate(pointers):
        if pointer not in known:
            child.child(place, None).error(f"{shown(pointer)} carries nothing under json")
    return pointers


def _places(
    node: Node, where: Where, repeat: Repeat | None, numbers: tuple[str, ...]
) -> list[Carried | None]:
    names = node.mapping(f"carry.{where.value}")
    if names is None:
        return []
    _CHECKS[where](node, names)
    return [_place(node.child(name, names[name]), where, name, (repeat, numbers)) for name in names]


def _check_header_names(node: Node, names: Mapping[str, object]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        child = node.child(name, None)
        if not _HEADER_NAME.fullmatch(name):
            child.error(f"{shown(name)} is no header name")
        if name.lower() in seen:
            child.error(f"{seen[name.lower()]!r} is the same header: case does not count")
        seen[name.lower()] = name


def _check_pointers(node: Node, names: Mapping[str, object]) -> None:
    for name in names:
        if not _POINTER.fullmatch(name):
            node.child(name, None).error(
                f"{shown(name)} is no JSON pointer to a member", "begin with a slash"
            )
        for other in names:
            if name.startswith(f"{other}/"):
                node.child(name, None).error(f"it is inside of {shown(other)}")


def _check_pair_names(node: Node, names: Mapping[str, object]) -> None:
    for name in names:
        if not name:
            node.child(name, None).error("a name is empty")
        elif any("\ud800" <= character <= "\udfff" for character in name):
            node.child(name, None).error("a name holds half a surrogate pair")


_CHECKS = {
    Where.HEADER: _check_header_names,
    Where.JSON: _check_pointers,
    Where.QUERY: _check_pair_names,
    Where.FIELD: _check_pair_names,
}


def _place(
    node: Node, where: Where, name: str, how: tuple[Repeat | None, tuple[str, ...]]
) -> Carried | None:
    repeat, numbers = how
    template = _text(node, where)
    if template is None:
        return None
    try:
        shape = header_shape(template, repeat)
    except TemplateError as error:
        node.error(
            f"{shown(template.text)} cannot be read back: {error}",
            "write {x}, or prefix{x}, or items k={x} with one separator",
        )
        return None
    if where is Where.HEADER:
        return CarriedHeader(name, template, shape)
    return CarriedInside(where, name, template, shape, name in numbers)


def _text(node: Node, where: Where) -> Template | None:
    what = "a header" if where is Where.HEADER else "what is carried"
    template = read_template(node, what, Place.CARRY)
    if template is None:
        return None
    if not all(literal.isascii() and literal.isprintable() for literal in template.literals):
        node.error(f"{what}'s text is made of printable ASCII characters")
        return None
    if not template.names:
        allowed = f"allowed: {', '.join(Place.CARRY.allowed)}"
        constant = (
            "; a header that is always the same is a parameter of the operation, with a const"
        )
        node.error("it carries no value", allowed + (constant if where is Where.HEADER else ""))
        return None
    return template
