"""One JSON value in every lawful spelling: RFC 8259 leaves much to whoever writes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar, final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof_spec.generating.numbers import LARGEST

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

Style = TypeVar("Style")
_SPACES: Final = ("", " ", "\n", "\t", "\r", "\r\n", "  ", "\n    ")
_ESCAPES: Final = ("raw", "short", "lower", "upper")
_NUMBERS: Final = ("plain", "fraction", "exponent", "Exponent", "shifted", "tiny")
_ORDERS: Final = (0, 1, 2, 3, 4, 5)
_MOST: Final = 8
"""How many things are written differently before it begins anew."""
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
    styles = st.tuples(_some(_SPACES), _some(_ESCAPES), _some(_NUMBERS), _some(_ORDERS))
    return styles.map(lambda drawn: Spelling(*drawn, around=around, integers=integers))


def _some(styles: tuple[Style, ...]) -> SearchStrategy[tuple[Style, ...]]:
    """Return how one thing after another is written; it begins anew when it is at its end.

    One number says how many there are and which: Hypothesis' costs grow with how often it is asked.
    """
    largest = (_MOST + 1) * len(styles) ** _MOST - 1
    return st.integers(0, largest).map(lambda number: tuple(_chosen(number, styles)))


def _chosen(number: int, styles: tuple[Style, ...]) -> Iterator[Style]:
    number, count = divmod(number, _MOST + 1)
    for _ in range(count):
        number, digit = divmod(number, len(styles))
        yield styles[digit]


@final
@dataclass(frozen=True, slots=True)
class Spelling:
    """A way to write JSON: each tuple of styles is gone through in turn, and then again."""

    spaces: tuple[str, ...] = ()
    escapes: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    orders: tuple[int, ...] = ()
    _: KW_ONLY
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

    def simpler(self) -> Iterator[Spelling]:
        """Yield spellings that write one thing plainly, or all of its kind in one style."""
        yield from (replace(self, spaces=styles) for styles in _fewer(self.spaces))
        yield from (replace(self, escapes=styles) for styles in _fewer(self.escapes))
        yield from (replace(self, forms=styles) for styles in _fewer(self.forms))
        yield from (replace(self, orders=styles) for styles in _fewer(self.orders))


def _fewer(styles: tuple[Style, ...]) -> Iterator[tuple[Style, ...]]:
    if styles:
        yield ()
    if len(styles) > 1:
        yield from ((style,) for style in dict.fromkeys(styles))


@final
class _Writer:
    """Writes one value in one spelling."""

    def __init__(self, spelling: Spelling) -> None:
        self._spaces = itertools.cycle(spelling.spaces or ("",))
        self._escapes = itertools.cycle(spelling.escapes or ("raw",))
        self._plain = {"raw"}.issuperset(spelling.escapes)
        self._forms = itertools.cycle(spelling.forms or ("plain",))
        self._orders = itertools.cycle(spelling.orders or (0,))
        self._integers = spelling.integers
        self._around = spelling.around

    def write(self, value: JsonValue) -> bytes:
        parts = self._value(value)
        before, behind = (next(self._spaces), next(self._spaces)) if self._around else ("", "")
        return f"{before}{parts}{behind}".encode()

    def _value(self, value: JsonValue) -> str:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            members = [self._spaced(self._member(*member)) for member in self._ordered(value)]
            return f"{{{','.join(members) or next(self._spaces)}}}"
        if isinstance(value, list):
            items = [self._spaced(self._value(item)) for item in value]
            return f"[{','.join(items) or next(self._spaces)}]"
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        return self._number(value)

    def _spaced(self, text: str) -> str:
        return f"{next(self._spaces)}{text}{next(self._spaces)}"

    def _member(self, name: str, value: JsonValue) -> str:
        before, behind = next(self._spaces), next(self._spaces)
        return f"{self._text(name)}{before}:{behind}{self._value(value)}"

    def _ordered(self, value: dict[str, JsonValue]) -> list[tuple[str, JsonValue]]:
        """Turn the members round by some places, and back to front where the number is odd."""
        members = list(value.items())
        order = next(self._orders)
        turned = members[order // 2 :] + members[: order // 2]
        return turned[::-1] if order % 2 else turned

    def _text(self, text: str) -> str:
        if self._plain:
            return json.dumps(text, ensure_ascii=False)
        return '"' + "".join(map(self._character, text)) + '"'

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


@lru_cache(maxsize=4096)
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
