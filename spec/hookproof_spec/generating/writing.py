"""One JSON value in every lawful spelling: RFC 8259 leaves much to whoever writes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof_spec.generating.numbers import LARGEST

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

_SPACES: Final = ("", " ", "\n", "\t", "\r", "\r\n", "  ", "\n    ")
_ESCAPES: Final = ("raw", "short", "lower", "upper")
_NUMBERS: Final = ("plain", "fraction", "exponent", "Exponent", "shifted", "tiny")
_SHORT: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def json_texts(
    value: JsonValue, *, around: bool = True, integers: bool = True
) -> SearchStrategy[bytes]:
    r"""Return a value's JSON texts in UTF-8: white space, order of members, escapes, number forms.

    Each parses back to the value. They shrink to the most compact text with members in order.

    Args:
        value: what is written; it holds no NaN, infinity or half surrogate pair.
        around: whether white space may stand before and behind the whole.
        integers: whether an integer may be written `1.0` or `1e0`, which some typed readers refuse.
    """
    return spellings(around=around, integers=integers).map(lambda spelling: spelling.write(value))


def spellings(*, around: bool = True, integers: bool = True) -> SearchStrategy[Spelling]:
    """Return ways to write any value; see `json_texts`."""
    return st.builds(
        Spelling,
        spaces=_some(_SPACES),
        escapes=_some(_ESCAPES),
        forms=_some(_NUMBERS),
        orders=st.lists(st.integers(0, 5), max_size=4).map(tuple),
        around=st.just(around),
        integers=st.just(integers),
    )


def _some(styles: tuple[str, ...]) -> SearchStrategy[tuple[str, ...]]:
    """Return how one thing after another is written; it begins anew when it is at its end."""
    return st.lists(st.sampled_from(styles), max_size=12).map(tuple)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """A way to write JSON: each tuple of styles is gone through in turn, and then again."""

    spaces: tuple[str, ...] = ()
    escapes: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    orders: tuple[int, ...] = ()
    around: bool = True
    integers: bool = True

    def write(self, value: JsonValue) -> bytes:
        """Write a value, which holds no NaN, infinity or half surrogate pair."""
        return _Writer(self).write(value)

    @property
    def words(self) -> tuple[str, ...]:
        """In what it differs from the most compact writing."""
        said = (
            (any(self.spaces), "white space between its tokens"),
            ({"lower", "upper"} & set(self.escapes), "characters written as \\u escapes"),
            ("short" in self.escapes, "slashes written as \\/"),
            (set(self.forms) - {"plain"}, "numbers in another form"),
            (any(self.orders), "its members in another order"),
        )
        return tuple(words for differs, words in said if differs)


@final
class _Writer:
    """Writes one value in one spelling."""

    def __init__(self, spelling: Spelling) -> None:
        self._spaces = itertools.cycle(spelling.spaces or ("",))
        self._escapes = itertools.cycle(spelling.escapes or ("raw",))
        self._forms = itertools.cycle(spelling.forms or ("plain",))
        self._orders = itertools.cycle(spelling.orders or (0,))
        self._integers = spelling.integers
        self._around = spelling.around

    def write(self, value: JsonValue) -> bytes:
        parts = "".join(self._value(value))
        before, behind = (next(self._spaces), next(self._spaces)) if self._around else ("", "")
        return f"{before}{parts}{behind}".encode()

    def _value(self, value: JsonValue) -> Iterator[str]:
        if isinstance(value, dict):
            yield from self._listed("{", "}", [self._member(*m) for m in self._ordered(value)])
        elif isinstance(value, list):
            yield from self._listed("[", "]", [self._value(item) for item in value])
        elif isinstance(value, str):
            yield self._text(value)
        elif value is None or isinstance(value, bool):
            yield {None: "null", True: "true", False: "false"}[value]
        else:
            yield self._number(value)

    def _listed(self, opening: str, closing: str, items: list[Iterator[str]]) -> Iterator[str]:
        yield opening
        for place, item in enumerate(items):
            yield ("," if place else "") + next(self._spaces)
            yield from item
            yield next(self._spaces)
        if not items:
            yield next(self._spaces)
        yield closing

    def _member(self, name: str, value: JsonValue) -> Iterator[str]:
        yield self._text(name) + next(self._spaces) + ":" + next(self._spaces)
        yield from self._value(value)

    def _ordered(self, value: dict[str, JsonValue]) -> list[tuple[str, JsonValue]]:
        """Turn the members round by some places, and back to front where the number is odd."""
        members = list(value.items())
        order = next(self._orders)
        turned = members[order // 2 :] + members[: order // 2]
        return turned[::-1] if order % 2 else turned

    def _text(self, text: str) -> str:
        return '"' + "".join(self._character(letter) for letter in text) + '"'

    def _character(self, letter: str) -> str:
        style = next(self._escapes)
        if style == "short" and letter in _SHORT:
            return _SHORT[letter]
        if style in ("raw", "short") and letter >= " " and letter not in '"\\':
            return letter
        if style == "raw" and letter in _SHORT:
            return _SHORT[letter]
        return _escaped(letter, upper=style == "upper")

    def _number(self, number: float) -> str:
        plain = repr(number)
        form = next(self._forms)
        whole = isinstance(number, int)
        if form == "plain" or (whole and (not self._integers or abs(number) > LARGEST)):
            return plain
        text = _respelt(Decimal(plain), form)
        return text if float(text) == number else plain


def _escaped(letter: str, *, upper: bool) -> str:
    units = letter.encode("utf-16-be")
    pairs = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    return "".join(f"\\u{pair.upper() if upper else pair}" for pair in pairs)


def _respelt(number: Decimal, form: str) -> str:
    sign, digits, exponent = number.as_tuple()
    text, places = "".join(map(str, digits)), int(exponent)
    minus = "-" if sign else ""
    match form:
        case "fraction":
            plain = f"{number:f}"
            return f"{plain}0" if "." in plain else f"{plain}.0"
        case "exponent":
            return f"{minus}{text}e{places}"
        case "Exponent":
            return f"{minus}{text}.0E{places:+}"
        case "shifted":
            return f"{minus}{text[0]}.{text[1:] or '0'}e{places + len(text) - 1}"
        case _:
            return f"{minus}0.{text}e{places + len(text)}"
