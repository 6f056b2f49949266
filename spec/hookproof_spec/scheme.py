"""The declared signature scheme: what is signed, with what, and where every value travels.

A `SignatureScheme` is read from a document's `x-webhook-signature` (`scheme_reader`) and is all
that signing, verifying and forging know of a provider.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum
from functools import cache
from typing import final

from hookproof_spec.errors import SecretError
from hookproof_spec.templates import HeaderShape, Repeat, Template


class Algorithm(StrEnum):
    """What makes the signature."""

    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA384 = "hmac-sha384"
    HMAC_SHA512 = "hmac-sha512"
    ED25519 = "ed25519"

    @property
    def hash_name(self) -> str | None:
        """The name of the HMAC's hash for `hashlib`; None where there is no shared key."""
        return self.value.removeprefix("hmac-") if self.value.startswith("hmac-") else None

    @property
    def signature_size(self) -> int:
        """The length of a signature in bytes, before it is encoded."""
        return hashlib.new(self.hash_name).digest_size if self.hash_name else 64


class Encoding(StrEnum):
    """How the signature's bytes are written."""

    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"

    def write(self, raw: bytes) -> str:
        """Write bytes as text."""
        match self:
            case Encoding.HEX:
                return raw.hex()
            case Encoding.BASE64:
                return base64.b64encode(raw).decode()
            case Encoding.BASE64URL:
                return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def read(self, text: str) -> bytes | None:
        """Read what `write` writes; None for any other text."""
        try:
            match self:
                case Encoding.HEX:
                    raw = bytes.fromhex(text)
                case Encoding.BASE64:
                    raw = base64.b64decode(text, validate=True)
                case Encoding.BASE64URL:
                    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
        return raw if self.write(raw) == text else None


class KeyText(StrEnum):
    """How the secret's text becomes the key's bytes."""

    UTF8 = "utf-8"
    BASE64 = "base64"
    HEX = "hex"


@final
@dataclass(frozen=True, slots=True)
class KeyRule:
    """How a secret, as it was issued, becomes key bytes: strip the prefix, then decode."""

    text: KeyText = KeyText.UTF8
    without: str = ""

    def key(self, secret: str) -> bytes:
        """Return the key's bytes.

        Raises:
            SecretError: the secret is not in the declared form.
        """
        material = secret.removeprefix(self.without)
        try:
            match self.text:
                case KeyText.UTF8:
                    return material.encode()
                case KeyText.BASE64:
                    padded = material.rstrip("=") + "=" * (-len(material.rstrip("=")) % 4)
                    return base64.b64decode(padded, altchars=b"+/", validate=True)
                case KeyText.HEX:
                    return binascii.unhexlify(material)
        except (binascii.Error, ValueError) as error:
            raise SecretError(
                f"the secret is not {self.text.value}",
                hint="check that it was copied whole, without quotes or a line's end",
            ) from error


_SECONDS = re.compile(r"[0-9]{1,12}")
_MILLISECONDS = re.compile(r"[0-9]{1,15}")


class TimeUnit(StrEnum):
    """How a point in time is written."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    ISO8601 = "iso8601"
    HTTP_DATE = "http-date"

    def write(self, seconds: float) -> str:
        """Write Unix seconds as text.

        Raises:
            ValueError, OverflowError: a calendar form cannot express a time so far away.
        """
        match self:
            case TimeUnit.SECONDS:
                return str(int(seconds))
            case TimeUnit.MILLISECONDS:
                return str(int(seconds * 1000))
            case TimeUnit.ISO8601:
                moment = datetime.fromtimestamp(seconds, UTC)
                return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            case TimeUnit.HTTP_DATE:
                return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)

    def read(self, text: str) -> float | None:
        """Return Unix seconds, or None when the text is not in this form.

        Strict on purpose: `+5`, ` 5`, `5.0`, `1_0` and digits of other scripts are not numbers
        here, because a lenient reading is how a signed text is made to mean another time.
        """
        match self:
            case TimeUnit.SECONDS:
                return float(text) if _SECONDS.fullmatch(text) else None
            case TimeUnit.MILLISECONDS:
                return float(text) / 1000 if _MILLISECONDS.fullmatch(text) else None
            case TimeUnit.ISO8601:
                return _calendar(datetime.fromisoformat, text)
            case TimeUnit.HTTP_DATE:
                return _calendar(parsedate_to_datetime, text)


def _calendar(parse: Callable[[str], datetime], text: str) -> float | None:
    try:
        moment = parse(text)
        return moment.timestamp() if moment.tzinfo and text.isascii() else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


@final
@dataclass(frozen=True, slots=True)
class TimestampRule:
    """How time is written, and the oldest age in seconds that a receiver may accept."""

    unit: TimeUnit = TimeUnit.SECONDS
    tolerance: float | None = None


class OnRetry(StrEnum):
    """Whether a retry of an event keeps its nonce."""

    SAME = "same"
    NEW = "new"
    UNKNOWN = "unknown"


@final
@dataclass(frozen=True, slots=True)
class NonceRule:
    """What a nonce looks like (a whole-text regular expression, ASCII classes), and on a retry."""

    pattern: str | None = None
    on_retry: OnRetry = OnRetry.UNKNOWN

    def matches(self, nonce: str) -> bool:
        """Tell whether a text has the declared shape; without one, any non-empty text has."""
        if self.pattern is None:
            return bool(nonce)
        return _compiled(self.pattern).fullmatch(nonce) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def on_the_wire(text: str) -> bytes:
    """Return a header value's bytes: a byte for each character, or UTF-8 where there is none."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


@final
@dataclass(frozen=True, slots=True)
class CarriedHeader:
    """One header that carries values: its name, how it is written and how it is read."""

    name: str
    template: Template
    shape: HeaderShape


@final
@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature as a document declares it; see the extension's own description for each word."""

    algorithm: Algorithm
    content: Template
    headers: tuple[CarriedHeader, ...]
    encoding: Encoding = Encoding.HEX
    key: KeyRule = KeyRule()
    repeat: Repeat | None = None
    timestamp: TimestampRule | None = None
    nonce: NonceRule | None = None

    @property
    def signature_header(self) -> CarriedHeader:
        """The header in which the signature travels."""
        return next(
            header
            for header in self.headers
            if {"signature", "signatures"} & set(header.template.names)
        )

    def covers(self, name: str) -> bool:
        """Tell whether the signature covers a value: `body`, `timestamp`, `nonce`."""
        return name in self.content.names

    def header_of(self, name: str) -> CarriedHeader | None:
        """Return the header in which a value travels."""
        return next((h for h in self.headers if name in h.template.names), None)

    def signed_bytes(self, *, timestamp: str, nonce: str, body: bytes) -> bytes:
        """Return the content that is signed, from the values' own text."""
        values: Mapping[str, bytes] = {
            "timestamp": on_the_wire(timestamp),
            "nonce": on_the_wire(nonce),
            "body": body,
        }
        return self.content.render_bytes(values)

    def describe(self) -> str:
        """Say the scheme in one line."""
        header = self.signature_header
        age = self.timestamp.tolerance if self.timestamp else None
        within = f", at most {age:g} s old" if age is not None else ""
        return (
            f"{self.algorithm.value} over {self.content.text}, {self.encoding.value},"
            f" in {header.name}: {header.template.text}{within}"
        )
