"""The one place where secrets are taken out of what a report will show.

A run's events pass through a `Redactor` before any report sees them, so that no report has to
think of it. Masked are the secret, in every way in which a receiver is likely to echo it, and, in
answers, the signature that would have been right for the request: who reads a report must not be
able to forge. What we sent keeps its own signatures; they were on the wire.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import final

from hookproof.events import Event, RuleFinished, RuleResult, RunFinished, RunStarted
from hookproof.targets.base import Exchange
from hookproof.verdicts import Evidence
from hookproof_spec.errors import SecretError
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Signer

SHORTEST_CODED = 4
"""Coded forms shorter than this stand everywhere by chance: the hexadecimal of one letter."""
SHORTEST_INSIDE = 8
"""The same for the part of a base64 text that a secret amid other bytes fills."""
MASK_LENGTH = 8
_MASKS = "*#@~!=+^"
_ESCAPED_PLAINLY = dict(zip("\n\r\t\b\f\"'/", "nrtbf\"'/", strict=True)) | {"\\": r"\\"}
"""What follows the backslash where a character is escaped in JSON or in a string of a program."""
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


@final
class Redactor:
    """Masks secrets in texts, bytes, exchanges and events.

    `scheme` lets it also mask the key's decoded bytes and expected signatures.
    """

    __slots__ = ("_mask", "_pattern", "_signer")

    def __init__(self, secrets: Iterable[str], scheme: SignatureScheme | None = None) -> None:
        """Take what must not be shown; empty secrets are left out.

        Raises:
            SecretError: the first secret is not in the form that the scheme declares.
        """
        known = [secret for secret in secrets if secret]
        self._mask = _mask_for(known)
        self._pattern = _pattern_of(known, scheme)
        # Of an asymmetric signature nothing is expected: who verifies cannot make one.
        shared = scheme is not None and scheme.algorithm.is_shared
        self._signer = Signer(scheme, known[0]) if scheme and shared and known else None

    def __repr__(self) -> str:
        return "Redactor()"

    def bytes(self, data: bytes) -> bytes:
        """Return the bytes with every form of a secret masked."""
        return self._pattern.sub(self._mask, data) if self._pattern else data

    def text(self, text: str) -> str:
        """Return the text with every form of a secret masked."""
        return self.bytes(text.encode("utf-8", "backslashreplace")).decode("utf-8", "replace")

    def header(self, header: Header) -> Header:
        """Return a header line, in which every character is one byte, masked."""
        name, value = header
        return self._wire_text(name), self._wire_text(value)

    def request(self, request: Request) -> Request:
        """Return a request that was sent, with a secret masked wherever it stands."""
        return Request(
            request.method,
            self.text(request.url),
            tuple(map(self.header, request.headers)),
            self.bytes(request.body),
        )

    def exchange(self, exchange: Exchange) -> Exchange:
        """Return an exchange with secrets masked, and in its answer the expected signature too."""
        unsaid = self._expected(exchange.request)
        return exchange._replace(
            request=self.request(exchange.request),
            headers=tuple((n, unsaid.wire_text(v)) for n, v in map(self.header, exchange.headers)),
            body=unsaid.bytes(self.bytes(exchange.body)),
            detail=self.text(exchange.detail),
        )

    def event(self, event: Event) -> Event:
        """Return an event of a run that can be shown to anyone."""
        match event:
            case RunStarted():
                return replace(
                    event, target=self.text(event.target), effects=self.text(event.effects)
                )
            case RuleFinished(rule, result):
                return RuleFinished(rule, self._result(result))
            case RunFinished():
                notes = tuple(map(self.text, event.notes))
                return replace(event, reason=self.text(event.reason), notes=notes)
            case _:
                return event

    def events(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield a run's events as they come, each masked."""
        return map(self.event, events)

    def _result(self, result: RuleResult) -> RuleResult:
        return replace(
            result,
            message=self.text(result.message),
            expected=self.text(result.expected),
            settle=self.text(result.settle),
            script=self.text(result.script),
            evidence=tuple(
                Evidence(self.text(item.note), self.exchange(item.exchange))
                for item in result.evidence
            ),
        )

    def _wire_text(self, text: str) -> str:
        try:
            return self.bytes(text.encode("latin-1")).decode("latin-1")
        except UnicodeEncodeError:
            return self.text(text)

    def _expected(self, request: Request) -> _Signatures:
        """Return what would reveal the right signature of a request, unless it was sent."""
        if self._signer is None:
            return _Signatures(None, self._mask)
        encoding = self._signer.scheme.encoding
        whole = (request.url, *(value for _, value in request.headers))
        forms: list[bytes] = []
        for written in self._signer.expected(request):
            sent = any(written in text for text in whole) or written.encode() in request.body
            raw = None if sent else encoding.read(written)
            forms += [] if raw is None else _coded(raw)
        return _Signatures(re.compile(b"|".join(forms)) if forms else None, self._mask)


@final
class _Signatures:
    """Masks the forms of one signature."""

    __slots__ = ("_mask", "_pattern")

    def __init__(self, pattern: re.Pattern[bytes] | None, mask: bytes) -> None:
        self._pattern = pattern
        self._mask = mask

    def bytes(self, data: bytes) -> bytes:
        return self._pattern.sub(self._mask, data) if self._pattern else data

    def wire_text(self, text: str) -> str:
        return self.bytes(text.encode("latin-1", "replace")).decode("latin-1")


def _mask_for(secrets: Iterable[str]) -> bytes:
    """Return a mask that is no part of a secret: else masking could make what it takes out."""
    used = set("".join(secrets))
    sign = next((sign for sign in _MASKS if sign not in used), _MASKS[0])
    return sign.encode() * MASK_LENGTH


def _pattern_of(secrets: list[str], scheme: SignatureScheme | None) -> re.Pattern[bytes] | None:
    forms: list[bytes] = []
    for part in (part for secret in secrets for part in _parts(secret, scheme)):
        forms += _forms_of_text(part)
        key = _key_of(part, scheme)
        if key is not None and key != part.encode():
            forms += [re.escape(key), *_coded(key)]
    # Longest first: of two forms that begin alike, the whole is masked and not its beginning.
    ordered = sorted(dict.fromkeys(forms), key=len, reverse=True)
    return re.compile(b"|".join(ordered)) if ordered else None


def _parts(secret: str, scheme: SignatureScheme | None) -> tuple[str, ...]:
    """Return a secret and, where it is made of several, each of them; a key's name is none."""
    if scheme is None or not (scheme.has_key_id or scheme.has_second_key):
        return (secret,)
    try:
        parts = scheme.secrets(secret).each
    except SecretError:  # another webhook's secret, which has a form of its own
        return (secret,)
    return (secret, *(part for part in parts if part))


def _key_of(secret: str, scheme: SignatureScheme | None) -> bytes | None:
    if scheme is None or not scheme.algorithm.is_shared or secret.startswith("-----BEGIN "):
        return None
    try:
        return scheme.key.key(secret)
    except SecretError:
        return None


def _forms_of_text(secret: str) -> list[bytes]:
    forms = [b"".join(map(_any_escape, secret)), *_coded(secret.encode())]
    if "\n" in secret:  # a PEM key, echoed with its line ends taken away
        forms += [_any_escape_of(line) for line in secret.split("\n") if len(line) >= 32]
    return forms


def _any_escape_of(text: str) -> bytes:
    return b"".join(map(_any_escape, text))


def _any_escape(character: str) -> bytes:
    """Match a character as it stands, percent-encoded, or escaped in JSON, a string or HTML."""
    raw = character.encode("utf-8", "surrogatepass")
    percent = b"".join(b"%%(?:25)?%02x" % byte for byte in raw)  # once or twice
    units = character.encode("utf-16-be", "surrogatepass").hex()
    json = "".join(rf"\\\\?u{units[at : at + 4]}" for at in range(0, len(units), 4)).encode()
    code = ord(character)
    number = f"&#0*{code};|&#x0*{code:x};".encode()
    ways = [re.escape(raw), b"(?i:%s|%s|%s)" % (percent, json, number)]
    ways += [rf"\\x{code:02x}".encode()] if code < 256 else []
    ways += [b"(?i:%s)" % b"".join(rb"\\x%02x" % byte for byte in raw)] if code >= 128 else []
    if character in _ESCAPED_PLAINLY:
        ways.append(rf"\\{_ESCAPED_PLAINLY[character]}".encode())
    if character == '"':
        ways.append(rb'\\{3}"')  # JSON in JSON
    ways += [_HTML[character].encode()] if character in _HTML else []
    ways += [rb"\+"] if character == " " else []
    ways += [re.escape(character.encode("latin-1"))] if 128 <= code < 256 else []
    return b"(?:%s)" % b"|".join(ways)


def _coded(raw: bytes) -> list[bytes]:
    """Return patterns of bytes in hexadecimal, base64 and numbers, alone or amid other bytes."""
    forms = [b"(?i:%s)" % raw.hex().encode()] if 2 * len(raw) >= SHORTEST_CODED else []
    if len(raw) >= SHORTEST_CODED:
        forms.append(b"(?i:%s)" % _BETWEEN_HEX.join(b"%02x" % byte for byte in raw))
        forms.append(rb"(?<!\d)%s(?!\d)" % rb",\s{0,9}".join(b"%d" % byte for byte in raw))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).rstrip(b"=")
        if len(whole) >= SHORTEST_CODED:
            forms.append(_either_base64(whole) + b"(?:=|%3[Dd]){0,2}")
        forms += [_either_base64(part) for part in _inside(raw, encode(b"\0" + raw), 1)]
        forms += [_either_base64(part) for part in _inside(raw, encode(b"\0\0" + raw), 2)]
        forms += [_either_base64(part) for part in _inside(raw, encode(raw), 0)]
    return list(dict.fromkeys(forms))


_BETWEEN_HEX = rb"(?:[ :,-]{1,2}|,?\s?0x|\\x)"
"""What stands between the bytes of a dump, of an array in a program, or of an escaped string."""


def _either_base64(text: bytes) -> bytes:
    """Escape a base64 text; `+`, `/` may also be percent-encoded, `/` escaped as in JSON."""
    escaped = re.escape(text)
    return escaped.replace(rb"\+", rb"(?:\+|%2[Bb])").replace(b"/", rb"(?:\\?/|%2[Ff])")


def _inside(raw: bytes, encoded: bytes, offset: int) -> Iterator[bytes]:
    """Yield the characters of an encoding that depend on nothing but the secret's own bytes."""
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    part = encoded[first:last]
    if len(part) >= SHORTEST_INSIDE:
        yield part
