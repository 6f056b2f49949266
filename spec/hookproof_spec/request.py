"""An HTTP request as a value: what a sender puts on the wire and a receiver judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

Header = tuple[str, str]


@final
@dataclass(frozen=True, slots=True)
class Request:
    """One request, byte for byte.

    Header names and values are text in which every character is one byte (Latin-1), as HTTP
    libraries hand them on; they keep their case, order and duplicates. `body` is the raw body.
    """

    method: str
    url: str
    headers: tuple[Header, ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header, found whatever its case."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return all values of a header, in the order of their lines."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def with_header(self, name: str, value: str) -> Request:
        """Return a copy in which the header stands once, where its first line stood."""
        wanted = name.lower()
        headers: list[Header] = []
        placed = False
        for line in self.headers:
            if line[0].lower() != wanted:
                headers.append(line)
            elif not placed:
                headers.append((name, value))
                placed = True
        if not placed:
            headers.append((name, value))
        return replace(self, headers=tuple(headers))

    def with_added_header(self, name: str, value: str) -> Request:
        """Return a copy with one more header line at the end."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without_header(self, name: str) -> Request:
        """Return a copy without any line of that header."""
        wanted = name.lower()
        kept = tuple(line for line in self.headers if line[0].lower() != wanted)
        return replace(self, headers=kept)

    def with_headers(self, headers: tuple[Header, ...]) -> Request:
        """Return a copy with exactly these header lines."""
        return replace(self, headers=headers)

    def with_body(self, body: bytes) -> Request:
        """Return a copy with another body; nothing else changes."""
        return replace(self, body=body)

    def with_method(self, method: str) -> Request:
        """Return a copy with another method."""
        return replace(self, method=method)

    def with_url(self, url: str) -> Request:
        """Return a copy addressed to another URL."""
        return replace(self, url=url)
