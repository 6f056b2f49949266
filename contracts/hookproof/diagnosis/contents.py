"""Mistakes with the content: the parts that are signed are others, or stand otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from urllib.parse import urlsplit, urlunsplit

from hookproof.diagnosis.making import Making, Step
from hookproof.diagnosis.mistake import Change, Mistake, Words
from hookproof_spec.scheme import TimestampRule, TimeUnit
from hookproof_spec.templates import ItemsHeader, Template

SEPARATORS = ("", ":", "\n", "|", "-", ",", ";", " ", "_", "&", "+", ".")
_COMMON_SEPARATORS = ("", ":", "\n", "|")
_COMMON_ORDERS = (1, 4)
"""Of three parts: the first two exchanged, and all in reverse."""
_MOST_ORDERS = 5
_MOST_PARTS = 3
_PLACE = ("url", "path", "query", "host", "method")

TextChange = Callable[[Template], str | None]


# --- other parts, other order, other separators ---------------------------------------------------


def _text(names: Sequence[str], literals: Sequence[str]) -> str:
    """Write a template whose first literal stands before the first name."""
    placeholders = [f"{{{name}}}" for name in names]
    pairs = zip(placeholders, literals[1:], strict=True)
    return literals[0] + "".join(name + literal for name, literal in pairs)


def _without(number: int) -> TextChange:
    """Leave out a part that is not the body, and the literal behind it."""

    def change(content: Template) -> str | None:
        places = [at for at, name in enumerate(content.bases) if name != "body"]
        if number >= len(places) or len(content.names) < 2:
            return None
        place = places[number]
        names = [*content.names[:place], *content.names[place + 1 :]]
        last = place == len(content.names) - 1
        gone = place if last else place + 1
        literals = [*content.literals[:gone], *content.literals[gone + 1 :]]
        return _text(names, literals)

    return change


def _body_only(content: Template) -> str | None:
    return "{body}" if "body" in content.bases else None


def _in_order(number: int) -> TextChange:
    def change(content: Template) -> str | None:
        if not 1 < len(content.names) <= _MOST_PARTS:
            return None
        orders = [order for order in permutations(content.names) if order != content.names]
        return _text(orders[number], content.literals) if number < len(orders) else None

    return change


def _separated(separator: str) -> TextChange:
    def change(content: Template) -> str | None:
        inner = len(content.names) - 1
        if inner < 1:
            return None
        literals = [content.literals[0], *[separator] * inner, content.literals[-1]]
        return _text(content.names, literals)

    return change


def _closed(content: Template) -> str:
    return f"{content.text}\n"


def _template(change: TextChange) -> Change:
    def make(making: Making) -> Making | None:
        text = change(making.scheme.content)
        return None if text is None else making.with_content(text)

    return make


def _keyed_items(making: Making) -> Making | None:
    """Sign the header's items with their keys: `t=…` where the value alone is declared."""
    shape = making.scheme.signature_header.shape
    if not isinstance(shape, ItemsHeader):
        return None
    text = making.scheme.content.text
    for key, name in shape.keys.items():
        text = text.replace(f"{{{name}}}", f"{key}={{{name}}}")
    return making.with_content(text)


def _more(name: str) -> Change:
    """Sign a value that travels, and that the content leaves out."""

    def make(making: Making) -> Making | None:
        scheme = making.scheme
        if name in scheme.content.bases or scheme.place_of(name) is None:
            return None
        return making.with_content(f"{{{name}}}.{scheme.content.text}")

    return make


# --- time and place ------------------------------------------------------------------------------


def in_unit(unit: TimeUnit) -> Change:
    """Write the timestamp in another unit, in the content and where it travels."""

    def make(making: Making) -> Making | None:
        rule, scheme = making.scheme.timestamp, making.scheme
        if rule is None or rule.unit is unit:
            return None
        moment = rule.unit.read(making.delivery.timestamp)
        if moment is None:
            return None
        other = replace(scheme, timestamp=TimestampRule(unit, rule.tolerance))
        delivery = replace(making.delivery, scheme=other, timestamp=unit.write(moment))
        return replace(making, delivery=delivery)

    return make


def _at(change: Callable[[str], str]) -> Change:
    """Change the URL, where the content holds any of it."""

    def make(making: Making) -> Making | None:
        content = making.scheme.content.text
        if not any(f"{{{word}" in content for word in _PLACE):
            return None
        try:
            url = change(making.delivery.url)
        except ValueError:  # a captured URL may be none
            return None
        if url == making.delivery.url:
            return None
        return replace(making, delivery=replace(making.delivery, url=url))

    return make


def _other_scheme(url: str) -> str:
    parts = urlsplit(url)
    other = {"http": "https", "https": "http"}.get(parts.scheme, parts.scheme)
    return urlunsplit(parts._replace(scheme=other))


def _other_slash(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path.removesuffix("/") if parts.path.endswith("/") else f"{parts.path}/"
    return urlunsplit(parts._replace(path=path))


def _without_query(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query=""))


def _without_port(url: str) -> str:
    parts = urlsplit(url)
    host, _, port = parts.netloc.rpartition(":")
    return urlunsplit(parts._replace(netloc=host)) if host and port.isdecimal() else url


def _without_host(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="", netloc=""))


# --- the table -----------------------------------------------------------------------------------

_AS_DECLARED = "sign the parts that the document's `content` names, in its order"


def _content(name: str, make: Change, what: str, *, common: bool = False) -> Mistake:
    return Mistake(
        name=name,
        step=Step.CONTENT,
        make=make,
        receiver=Words(f"computes the signature {what}", _AS_DECLARED),
        request=Words(what, _AS_DECLARED),
        common=common,
    )


def _shown(separator: str) -> str:
    return (
        f"with {separator!r} between the parts" if separator else "with nothing between the parts"
    )


def _time(name: str, unit: TimeUnit, what: str, *, common: bool = False) -> Mistake:
    mend = "compare and write times in the unit that the document declares"
    return Mistake(
        name=name,
        step=Step.TIME,
        make=in_unit(unit),
        receiver=Words(f"expects the timestamp {what}", mend),
        request=Words(f"over the timestamp {what}", mend),
        common=common,
    )


def _url(name: str, change: Callable[[str], str], what: str) -> Mistake:
    mend = "sign the URL under which the sender knows the webhook, whatever a proxy makes of it"
    return Mistake(
        name=name,
        step=Step.URL,
        make=_at(change),
        receiver=Words(f"signs the URL {what}", mend),
        request=Words(f"over the URL {what}", mend),
    )


def _all_contents() -> Iterator[Mistake]:
    yield _content("content-body-only", _template(_body_only), "over the body alone", common=True)
    for number in range(_MOST_PARTS):
        name = f"content-without-part-{number + 1}"
        yield _content(name, _template(_without(number)), "with a part left out", common=number < 2)
    for name in ("timestamp", "nonce"):
        yield _content(f"content-and-{name}", _more(name), f"over the {name} too", common=True)
    for number in range(_MOST_ORDERS):
        name = f"content-order-{number + 1}"
        yield _content(
            name, _template(_in_order(number)), "in another order", common=number in _COMMON_ORDERS
        )
    for separator in SEPARATORS:
        name = f"content-separated-{separator.encode().hex() or 'not'}"
        common = separator in _COMMON_SEPARATORS
        yield _content(name, _template(_separated(separator)), _shown(separator), common=common)
    yield _content("content-line-end", _template(_closed), "over the content and a line's end")
    yield _content("content-items", _keyed_items, "over the header's items with their keys")


MISTAKES: tuple[Mistake, ...] = (
    *_all_contents(),
    _time("time-milliseconds", TimeUnit.MILLISECONDS, "in milliseconds", common=True),
    _time("time-seconds", TimeUnit.SECONDS, "in seconds", common=True),
    _time("time-iso", TimeUnit.ISO8601, "as ISO 8601", common=True),
    _url("url-scheme", _other_scheme, "with http for https, or the reverse"),
    _url("url-slash", _other_slash, "with or without the slash at its end"),
    _url("url-query", _without_query, "without its query"),
    _url("url-port", _without_port, "without its port"),
    _url("url-host", _without_host, "without scheme and host"),
)
