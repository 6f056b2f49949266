"""Templates of `x-webhook-signature`: text with placeholders that is written and, in headers, read.

The grammar is that of the extension (see `schemas/x-webhook-signature.json`): `{name}`,
`{name:argument}` and either with `|filter` behind it stand for a value; everything else stands for
itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

PLACEHOLDER = re.compile(r"\{([a-z0-9-]+(?::[^{}|]+)?(?:\|[a-z0-9]+)*)\}")


class TemplateError(ValueError):
    """A template that cannot be understood; the message says why."""


def base_of(name: str) -> str:
    """Return a placeholder's name without argument and filters."""
    return name.partition("|")[0].partition(":")[0]


@final
@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template.

    `names` are what stands between the braces, filters included; `literals` is the text before,
    between and after them. `form` is the same as a `%` form, the fastest way to fill one in.
    """

    text: str
    names: tuple[str, ...]
    literals: tuple[str, ...]
    form: str

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a template.

        Raises:
            TemplateError: a brace that does not belong to a placeholder.
        """
        parts = tuple(PLACEHOLDER.split(text))
        for literal in parts[::2]:
            if "{" in literal or "}" in literal:
                raise TemplateError(f"a brace that belongs to no placeholder in {text!r}")
        form = "%s".join(literal.replace("%", "%%") for literal in parts[::2])
        return cls(text, parts[1::2], parts[::2], form)

    @property
    def bases(self) -> tuple[str, ...]:
        """The names without arguments and filters: `header` of `{header:Date|sha256}`."""
        return tuple(base_of(name) for name in self.names)

    def render(self, values: Mapping[str, str]) -> str:
        """Write the template with these values.

        Raises:
            KeyError: a placeholder has no value.
        """
        return self.form % tuple([values[name] for name in self.names])

    def render_bytes(self, values: Mapping[str, bytes]) -> bytes:
        """Write the template with these values as bytes.

        Raises:
            KeyError: a placeholder has no value.
        """
        return self.form.encode() % tuple([values[name] for name in self.names])


@final
@dataclass(frozen=True, slots=True)
class Repeat:
    """How several signatures stand side by side where a header says `{signatures}`."""

    prefix: str
    separator: str

    def write(self, signatures: tuple[str, ...]) -> str:
        """Write all signatures as one text."""
        return self.separator.join(self.prefix + signature for signature in signatures)

    def read(self, text: str) -> tuple[str, ...]:
        """Return the signatures of the known kind; items of other kinds are left out."""
        items = (item.strip() for item in text.split(self.separator))
        return tuple(item[len(self.prefix) :] for item in items if item.startswith(self.prefix))


@final
@dataclass(frozen=True, slots=True)
class Fields:
    """What a header said: single values by name, and the signatures it carried."""

    values: Mapping[str, str]
    signatures: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class PlainHeader:
    """A header that is one value behind a fixed prefix, which may be empty: `v0={signature}`."""

    prefix: str
    name: str

    def read(self, text: str, repeat: Repeat | None) -> Fields | str:
        """Return the header's values, or what is wrong with it in words."""
        if not text.startswith(self.prefix):
            return f"it does not begin with {self.prefix!r}"
        rest = text[len(self.prefix) :]
        if self.name == "signatures" and repeat is not None:
            return Fields({}, repeat.read(rest))
        return Fields({self.name: rest})


@final
@dataclass(frozen=True, slots=True)
class ItemsHeader:
    """A header of items `key=value` with one separator: `t={timestamp},v1={signature}`.

    Items are read in any order and may have spaces around them; unknown ones are ignored; a
    known one that stands twice is refused, unless it carries one of several signatures.
    """

    separator: str
    keys: Mapping[str, str]
    """From an item's key to the name of the value it carries; "signatures" may repeat."""

    def read(self, text: str, repeat: Repeat | None) -> Fields | str:
        """Return the header's values, or what is wrong with it in words."""
        values: dict[str, str] = {}
        signatures: list[str] = []
        for item in text.split(self.separator):
            key, equals, value = item.strip(" ").partition("=")
            name = self.keys.get(key)
            if not equals or name is None:
                continue
            if name == "signatures":
                signatures.append(value)
            elif name in values:
                return f"{key!r} stands in it twice"
            else:
                values[name] = value
        missing = [key for key, name in self.keys.items() if not _present(name, values, signatures)]
        if missing:
            return f"{missing[0]!r} is missing"
        return Fields(values, tuple(signatures))


HeaderShape = PlainHeader | ItemsHeader


def header_shape(template: Template, repeat: Repeat | None) -> HeaderShape:
    """Return how a header's template is read.

    Raises:
        TemplateError: the template has none of the three readable shapes.
    """
    names, literals = template.names, template.literals
    if not names:
        raise TemplateError("it carries no value")
    if len(names) == 1 and not literals[1]:
        return PlainHeader(literals[0], names[0])
    if literals[-1]:
        raise TemplateError("text behind the last placeholder")
    return _items(template, repeat)


def _items(template: Template, repeat: Repeat | None) -> ItemsHeader:
    names, literals = template.names, template.literals
    separators = {_before_key(literal) for literal in literals[1:-1]}
    separator = separators.pop() if separators else ","
    if separators or not separator.strip("= ") or len(separator.strip()) != 1:
        raise TemplateError("its items need one and the same separator of one character")
    separator = separator.strip()
    keys: dict[str, str] = {}
    for name, literal in zip(names, literals, strict=False):
        key = literal.strip(separator + " ")
        key = _repeated_key(key, repeat, separator) if name == "signatures" else _key(key)
        if not key or key in keys:
            raise TemplateError("each item needs a key of its own before '='")
        keys[key] = name
    return ItemsHeader(separator, keys)


def _repeated_key(literal: str, repeat: Repeat | None, separator: str) -> str:
    """Return the key under which each of several signatures stands among the items."""
    if repeat is None:
        raise TemplateError("{signatures} needs 'repeat'")
    if literal:
        raise TemplateError(f"{{signatures}} stands without {literal!r}: 'repeat' writes its key")
    if repeat.separator.strip() != separator:
        raise TemplateError("'repeat' has another separator than the header")
    return _key(repeat.prefix)


def _key(literal: str) -> str:
    """Return `k` of `k=`, or "" when the text is something else."""
    match = re.fullmatch(r"([A-Za-z0-9_-]+)=", literal)
    return match[1] if match else ""


def _before_key(literal: str) -> str:
    """Return what stands before `k=`: the separator of the items."""
    return re.sub(r"[A-Za-z0-9_-]+=$", "", literal)


def _present(name: str, values: Mapping[str, str], signatures: list[str]) -> bool:
    return bool(signatures) if name == "signatures" else name in values
