"""Captured requests whose header cannot be read: what to change so that it can, and is right.

A repair is believed only where the repaired request verifies, so a guess is never told as a fact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import final
from urllib.parse import unquote

from hookproof_spec.errors import SecretError
from hookproof_spec.request import Request
from hookproof_spec.scheme import CarriedHeader, NonceRule, SignatureScheme, TimestampRule, TimeUnit
from hookproof_spec.signing import Reason, Verifier
from hookproof_spec.templates import ItemsHeader

GENUINE = (None, Reason.STALE, Reason.FROM_THE_FUTURE)
"""How a signature is judged that belongs to its request, whatever its age."""

_MOST_HEADERS = 100


@final
@dataclass(frozen=True, slots=True)
class Repaired:
    """A request as it should be, or a scheme in which it is as it should be, and what to say."""

    request: Request
    scheme: SignatureScheme
    told: str


Repair = Callable[[Request, SignatureScheme], Iterator[Repaired]]


def believed(request: Request, scheme: SignatureScheme, secret: str) -> Iterator[str]:
    """Yield what to say of a request that is genuine but for how its header is written."""
    for repair in REPAIRS:
        for repaired in repair(request, scheme):
            if _genuine(repaired, secret):
                yield repaired.told


def _genuine(repaired: Repaired, secret: str) -> bool:
    try:
        verdict = Verifier(repaired.scheme, secret).verify(repaired.request, 0.0)
    except SecretError:
        return False
    return verdict.reason in GENUINE


# --- the header's name ---------------------------------------------------------------------------


def _other_name(request: Request, scheme: SignatureScheme) -> Iterator[Repaired]:
    """A header of another name holds what is looked for."""
    wanted = scheme.signature_header.name
    for name, value in request.headers[:_MOST_HEADERS]:
        if name.lower() != wanted.lower():
            told = (
                f"the signature is right, and stands in {name}, not in {wanted}: correct the name,"
                " or see what renamed the header on its way"
            )
            yield Repaired(request.with_header(wanted, value), scheme, told)


def _twice(request: Request, scheme: SignatureScheme) -> Iterator[Repaired]:
    """The header stands twice, on two lines or joined on one."""
    name = scheme.signature_header.name
    values = list(request.header_values(name))
    for value in values:
        half = value[: (len(value) - 1) // 2].rstrip(", ")
        if value in (f"{half},{half}", f"{half}, {half}"):
            values.append(half)
    if len(values) > 1:
        for value in dict.fromkeys(values):
            told = f"one of the values of {name} is right: see what adds the header a second time"
            yield Repaired(request.with_header(name, value), scheme, told)


# --- the header's text ---------------------------------------------------------------------------


def _rewritten(request: Request, scheme: SignatureScheme) -> Iterator[Repaired]:
    header = scheme.signature_header
    value = request.header(header.name)
    if value is None:
        return
    for rewrite, what in _REWRITINGS:
        for changed in rewrite(value, header):
            if changed != value:
                told = (
                    f"the signature is right, but {header.name} is written {what}: write it as"
                    f" {header.template.text}"
                )
                yield Repaired(request.with_header(header.name, changed), scheme, told)


Rewriting = Callable[[str, CarriedHeader], Iterator[str]]


def _unquoted(value: str, _: CarriedHeader) -> Iterator[str]:
    yield value.strip(" \"'")
    yield value.replace('"', "").replace("'", "")


def _separated(value: str, header: CarriedHeader) -> Iterator[str]:
    if isinstance(header.shape, ItemsHeader):
        for separator in (";", "&", "|", ",", " "):
            yield re.sub(rf"\s*{re.escape(separator)}\s*", header.shape.separator, value)


def _assigned(value: str, header: CarriedHeader) -> Iterator[str]:
    if isinstance(header.shape, ItemsHeader):
        yield value.replace(":", "=")


def _lowered(value: str, header: CarriedHeader) -> Iterator[str]:
    if isinstance(header.shape, ItemsHeader):
        keys = {key.lower(): key for key in header.shape.keys}
        yield re.sub(
            r"([A-Za-z0-9_-]+)=", lambda found: f"{keys.get(found[1].lower(), found[1])}=", value
        )


def _prefixed(value: str, header: CarriedHeader) -> Iterator[str]:
    yield header.template.literals[0] + value
    yield header.template.literals[0] + value.partition("=")[2]


def _decoded(value: str, _: CarriedHeader) -> Iterator[str]:
    yield unquote(value)


def _named(value: str, header: CarriedHeader) -> Iterator[str]:
    """The line was pasted with its name, or behind a word as in Authorization."""
    yield value.removeprefix(f"{header.name}:").strip()
    yield value.partition(" ")[2]


def _from_json(value: str, header: CarriedHeader) -> Iterator[str]:
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        return
    if isinstance(items, str):
        yield items
    elif isinstance(items, dict) and isinstance(header.shape, ItemsHeader):
        known = [(key, item) for key, item in items.items() if isinstance(item, str | int)]
        yield header.shape.separator.join(f"{key}={item}" for key, item in known)


_REWRITINGS: tuple[tuple[Rewriting, str], ...] = (
    (_unquoted, "with quotes"),
    (_named, "with more before it"),
    (_separated, "with another separator"),
    (_assigned, "with ':' for '='"),
    (_lowered, "with its keys in other letters"),
    (_prefixed, "without its prefix, or with another one"),
    (_decoded, "percent-encoded"),
    (_from_json, "as JSON"),
)


# --- time and nonce ------------------------------------------------------------------------------


def _other_unit(request: Request, scheme: SignatureScheme) -> Iterator[Repaired]:
    rule = scheme.timestamp
    for unit in TimeUnit if rule is not None else ():
        if rule is not None and unit is not rule.unit:
            other = replace(scheme, timestamp=TimestampRule(unit, rule.tolerance))
            told = (
                f"the signature is right, and the timestamp is written in {_UNITS[unit]}, where"
                f" {_UNITS[rule.unit]} are declared: correct the sender, or the declaration"
            )
            yield Repaired(request, other, told)


_UNITS = {
    TimeUnit.SECONDS: "seconds",
    TimeUnit.MILLISECONDS: "milliseconds",
    TimeUnit.ISO8601: "ISO 8601 dates",
    TimeUnit.ISO8601_UTC: "ISO 8601 dates without a zone",
    TimeUnit.HTTP_DATE: "HTTP dates",
}


def _other_nonce(request: Request, scheme: SignatureScheme) -> Iterator[Repaired]:
    if scheme.nonce is not None and scheme.nonce.pattern is not None:
        told = (
            "the signature is right, and the nonce has another shape than the declared pattern"
            f" {scheme.nonce.pattern}: correct the sender, or the declaration"
        )
        yield Repaired(request, replace(scheme, nonce=NonceRule()), told)


REPAIRS: tuple[Repair, ...] = (_other_unit, _other_nonce, _other_name, _twice, _rewritten)
