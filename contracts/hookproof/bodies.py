"""Payloads of events: the document's example made unique and current, in any lawful spelling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import final

from hookproof_spec import payloads, pointers
from hookproof_spec.webhook import JsonValue, Webhook


@final
class Bodies:
    """Makes payload values of one webhook.

    `texts` are the pointers of the free texts besides the marker's, in which rules put difficult
    characters.
    """

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._example = payloads.example(webhook)
        self._dates = payloads.dates(webhook)
        self.texts = tuple(p for p in payloads.free_texts(webhook) if p != webhook.marker)

    def value(self, marker: str, now: float, *, dated: float | None = None) -> JsonValue:
        """Return an event with this marker; its dates say `dated` (Unix seconds) or `now`."""
        value = self._example
        moment = now if dated is None else dated
        for pointer, form in self._dates:
            value = pointers.replace(value, pointer, self.date(moment, form))
        if self._webhook.marker is not None:
            value = pointers.replace(value, self._webhook.marker, marker)
        return value

    @staticmethod
    def date(moment: float, form: str) -> str:
        """Write Unix seconds as the schema's `date` or `date-time`."""
        when = datetime.fromtimestamp(moment, UTC)
        if form == "date":
            return when.date().isoformat()
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def with_texts(self, value: JsonValue, texts: Sequence[str]) -> JsonValue:
        """Return the value with these texts in its free texts.

        Where there are fewer places than texts, the last place takes the rest, and where there is
        none, the texts follow the marker in its own field.
        """
        if not self.texts:
            marker = self._webhook.marker or ""
            found = pointers.get(value, marker) if marker else None
            joined = " ".join((str(found), *texts))
            return pointers.replace(value, marker, joined) if marker else value
        places = self.texts[: len(texts)]
        for pointer, text in zip(places[:-1], texts, strict=False):
            value = pointers.replace(value, pointer, text)
        return pointers.replace(value, places[-1], " ".join(texts[len(places) - 1 :]))


def compact(value: JsonValue) -> bytes:
    """Write JSON as most senders do: no white space, UTF-8."""
    return payloads.encode(value)


def as_php_writes(value: JsonValue) -> bytes:
    r"""Write JSON as PHP's json_encode does by default: `\/` and `\u00e9`."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def indented(value: JsonValue) -> bytes:
    """Write JSON over several lines with four spaces."""
    return json.dumps(value, indent=4, ensure_ascii=False).encode()


def reversed_keys(value: JsonValue) -> JsonValue:
    """Return the same value with the members of every object in reverse order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [reversed_keys(item) for item in value]
    return value
