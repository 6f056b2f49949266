"""How values are written as text and read back: signatures, keys, points in time."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum


class Encoding(StrEnum):
    """How the signature's bytes are written."""

    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"

    def write(self, raw: bytes) -> str:
        """Write bytes as text."""
        return WRITERS[self](raw)

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


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


WRITERS: dict[Encoding, Callable[[bytes], str]] = {
    Encoding.HEX: bytes.hex,
    Encoding.BASE64: _base64,
    Encoding.BASE64URL: _base64url,
}
"""`Encoding.write` as plain functions, for those who call it often."""


class KeyText(StrEnum):
    """How the secret's text becomes the key's bytes."""

    UTF8 = "utf-8"
    BASE64 = "base64"
    HEX = "hex"


class TimeUnit(StrEnum):
    """How a point in time is written."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    ISO8601 = "iso8601"
    ISO8601_UTC = "iso8601-utc"
    HTTP_DATE = "http-date"

    def write(self, seconds: float) -> str:
        """Write Unix seconds as text.

        Raises:
            ValueError, OverflowError: a calendar form cannot express a time so far away.
        """
        return TIME_WRITERS[self](seconds)

    def read(self, text: str) -> float | None:
        """Return Unix seconds, or None when the text is not in this form.

        Strict on purpose: `+5`, ` 5`, `5.0`, `1_0` and digits of other scripts are not numbers
        here, because a lenient reading is how a signed text is made to mean another time.
        """
        return TIME_READERS[self](text)


def _write_seconds(seconds: float) -> str:
    return str(int(seconds))


def _write_milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))


def _write_iso8601(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_iso8601_utc(seconds: float) -> str:
    return _write_iso8601(seconds).removesuffix("Z")


def _write_http_date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


_is_seconds = re.compile(r"[0-9]{1,12}").fullmatch
_is_milliseconds = re.compile(r"[0-9]{1,15}").fullmatch


def _read_seconds(text: str) -> float | None:
    return float(text) if _is_seconds(text) else None


def _read_milliseconds(text: str) -> float | None:
    return float(text) / 1000 if _is_milliseconds(text) else None


def _read_iso8601(text: str) -> float | None:
    return _calendar(datetime.fromisoformat, text)


def _read_iso8601_utc(text: str) -> float | None:
    return _calendar(_fromisoformat_utc, text)


def _fromisoformat_utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_http_date(text: str) -> float | None:
    return _calendar(parsedate_to_datetime, text)


def _calendar(parse: Callable[[str], datetime], text: str) -> float | None:
    try:
        moment = parse(text)
        return moment.timestamp() if moment.tzinfo and text.isascii() else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


TIME_WRITERS: dict[TimeUnit, Callable[[float], str]] = {
    TimeUnit.SECONDS: _write_seconds,
    TimeUnit.MILLISECONDS: _write_milliseconds,
    TimeUnit.ISO8601: _write_iso8601,
    TimeUnit.ISO8601_UTC: _write_iso8601_utc,
    TimeUnit.HTTP_DATE: _write_http_date,
}
TIME_READERS: dict[TimeUnit, Callable[[str], float | None]] = {
    TimeUnit.SECONDS: _read_seconds,
    TimeUnit.MILLISECONDS: _read_milliseconds,
    TimeUnit.ISO8601: _read_iso8601,
    TimeUnit.ISO8601_UTC: _read_iso8601_utc,
    TimeUnit.HTTP_DATE: _read_http_date,
}


def on_the_wire(text: str) -> bytes:
    """Return a header value's bytes: a byte for each character, or UTF-8 where there is none."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
