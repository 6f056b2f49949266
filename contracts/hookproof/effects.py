"""Effects: what a receiver did, as counted by whoever can see it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from hookproof.targets.base import Exchange, Framing
from hookproof.targets.http import HttpTarget
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request

SHAPES = (
    'an integer, an array, or an object with "processed" or "count"'
    ' and optionally "nonces", "ids" or "events"'
)
"""What a probe may answer, in words."""

_COUNTS = ("processed", "count")
_NAMES = ("nonces", "ids", "events")
_LIMIT = 16 * 1024 * 1024
_SHOWN = 80
_OWN_CONNECTION = Framing(fresh=True)


class ProbeError(HookproofError):
    """An effects probe that does not tell how many effects there are."""


@final
@dataclass(frozen=True, slots=True)
class Effects:
    """How many effects there are in all, and how many by name where the probe tells names.

    A name is a nonce, an id, or whatever else identifies an event.
    """

    count: int
    names: Mapping[str, int] | None = None

    def count_of(self, name: str) -> int | None:
        """Return how many effects have this name; None where the probe tells no names."""
        return None if self.names is None else self.names.get(name, 0)


class Probe(Protocol):
    """Whoever can tell what the receiver did."""

    def read(self) -> Effects:
        """Return the effects up to now.

        Raises:
            ProbeError: they cannot be told.
        """


@final
class UrlProbe:
    """Asks a URL that answers JSON. The options are those of `HttpTarget`."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        headers: Iterable[Header] = (),
        ca_file: str | Path | None = None,
        insecure: bool = False,
    ) -> None:
        self._target = HttpTarget(
            url, timeout=timeout, headers=headers, ca_file=ca_file, insecure=insecure, limit=_LIMIT
        )
        self._request = Request("GET", url, (("Accept", "application/json"),), b"")

    def read(self) -> Effects:
        """Ask for the effects, on a connection of its own.

        Raises:
            ProbeError: no answer, not 200, not JSON, or JSON of another shape.
        """
        exchange = self._target.send(self._request, _OWN_CONNECTION)
        try:
            return read_effects(_json_of(exchange))
        except ProbeError as error:
            raise ProbeError(error.problem, where=self._target.url, hint=error.hint) from error


@final
@dataclass(frozen=True, slots=True)
class CallableProbe:
    """Asks a function of this process. Its exceptions are the user's, and come out as they are."""

    function: Callable[[], object]

    def read(self) -> Effects:
        """Call the function.

        Raises:
            ProbeError: what it returned has another shape.
        """
        return read_effects(self.function())


def read_effects(value: object) -> Effects:
    """Return the effects that a probe's answer tells, JSON or what Python has for it.

    An array tells one effect an item, named by the item where it is a string, or by the strings in
    it where it is an object.

    Raises:
        ProbeError: it has another shape.
    """
    if isinstance(value, Mapping):
        return _from_object(value)
    if isinstance(value, list | tuple | set | frozenset):
        return _named(len(value), value)
    return Effects(_count(value, value))


def _from_object(value: Mapping[object, object]) -> Effects:
    key = next((key for key in _COUNTS if key in value), None)
    if key is None:
        raise _other_shape(value)
    count = _count(value[key], value)
    lists = [items for name in _NAMES if isinstance(items := value.get(name), list | tuple)]
    return _named(count, [item for items in lists for item in items]) if lists else Effects(count)


def _count(value: object, whole: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number, and some languages write 3.0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _other_shape(whole)
    return value


def _named(count: int, items: Iterable[object]) -> Effects:
    """Where there are effects but no names, names say nothing."""
    names = Counter(name for item in items for name in _names_of(item))
    return Effects(count, names if names or count == 0 else None)


def _names_of(item: object) -> set[str]:
    if isinstance(item, Mapping):
        return set(_strings(item))
    return {item} if isinstance(item, str) else set()


def _strings(item: object) -> Iterator[str]:
    """Walk without recursion, so that no depth of nesting is too deep."""
    left = [item]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            left.extend(value.values())
        elif isinstance(value, list | tuple):
            left.extend(value)


def _json_of(exchange: Exchange) -> object:
    if exchange.failure is not None:
        raise ProbeError(
            f"the effects probe gave no answer: {exchange.detail}",
            hint="is the address right?",
        )
    if exchange.status != 200:
        raise ProbeError(
            f"the effects probe answered {exchange.status} with {_cut(exchange.body)}",
            hint=f"it has to answer 200 with {SHAPES}",
        )
    if exchange.cut:
        raise ProbeError(f"the effects probe answered more than {_LIMIT} bytes")
    try:
        value: object = json.loads(exchange.body)
    except (ValueError, RecursionError) as error:
        raise _other_shape(exchange.body) from error
    return value


def _other_shape(seen: object) -> ProbeError:
    return ProbeError(f"the effects probe answered {_cut(seen)}", hint=f"allowed: {SHAPES}")


def _cut(seen: object) -> str:
    text = seen.decode("utf-8", "replace") if isinstance(seen, bytes) else _as_text(seen)
    if not text:
        return "nothing"
    shown = text if text.isprintable() else repr(text)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def _as_text(seen: object) -> str:
    """Return a value as JSON where it is JSON, because that is how the probe wrote it."""
    try:
        return json.dumps(seen, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return f"a {type(seen).__name__}"
