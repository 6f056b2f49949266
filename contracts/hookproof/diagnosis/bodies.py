"""Mistakes with the body: other bytes are signed than those that travel."""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import quote_from_bytes, unquote_to_bytes

from hookproof.diagnosis.making import Making, Step
from hookproof.diagnosis.mistake import Change, Mistake, Words

Rewriting = Callable[[bytes], bytes | None]
_MOST_UNPACKED = 10_000_000
_MOST_INDENTED = 10_000_000
_BRACKET = re.compile(rb"[\[\]{}]")
_RAW = "compute the HMAC over the raw body, before any parser or middleware has touched it"
_AS_SENT = "sign, record and verify the bytes that travel; parse them afterwards"


# --- JSON that was parsed and written anew --------------------------------------------------------


def _parsed(body: bytes) -> object:
    """Return a body's JSON; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _json(
    *, spaced: bool = False, escaped: bool = False, by_key: bool = False, indent: int | None = None
) -> Rewriting:
    separators = (", ", ": ") if spaced else (",", ": ") if indent else (",", ":")

    def rewrite(body: bytes) -> bytes | None:
        value = _parsed(body)
        if value is None or (indent and _grows(body, indent)):
            return None
        text = json.dumps(
            value, separators=separators, ensure_ascii=escaped, sort_keys=by_key, indent=indent
        )
        return text.encode("utf-8", "surrogatepass")

    return rewrite


def _grows(body: bytes, indent: int) -> bool:
    """Tell whether indentation may make a deep body many times as long."""
    steps = [1 if sign in b"[{" else -1 for sign in _BRACKET.findall(body)]
    depth = max(accumulate(steps), default=0)
    return (len(steps) + body.count(b",")) * depth * indent > _MOST_INDENTED


def _outer_sorted(write: Rewriting) -> Rewriting:
    """Sort the outermost members alone, as PHP's ksort does, and write the rest as `write` does."""

    def rewrite(body: bytes) -> bytes | None:
        value = _parsed(body)
        if not isinstance(value, dict):
            return None
        return write(json.dumps(dict(sorted(value.items()))).encode())

    return rewrite


def _slashes_escaped(*, by_key: bool = False) -> Rewriting:
    write = _json(escaped=True, by_key=by_key)

    def rewrite(body: bytes) -> bytes | None:
        written = write(body)
        return None if written is None else written.replace(b"/", b"\\/")

    return rewrite


def _html_escaped(body: bytes) -> bytes | None:
    written = _json(by_key=True)(body)
    if written is None:
        return None
    for sign in (b"<", b">", b"&"):
        written = written.replace(sign, b"\\u%04x" % ord(sign))
    return written


def _whole_numbers(body: bytes) -> bytes | None:
    """Write JSON as JavaScript does, which knows one kind of number."""
    value = _parsed(body)
    if value is None:
        return None
    text = json.dumps(_integral(value), separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _integral(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    return [_integral(item) for item in value] if isinstance(value, list) else value


def _python_text(body: bytes) -> bytes | None:
    value = _parsed(body)
    return None if value is None else str(value).encode("utf-8", "surrogatepass")


def _buffer_json(body: bytes) -> bytes:
    """Write bytes as JavaScript's JSON.stringify writes a Buffer."""
    return b'{"type":"Buffer","data":[%s]}' % ",".join(map(str, body)).encode()


# --- text ----------------------------------------------------------------------------------------


def _recoded(reading: str, writing: str, errors: str = "strict") -> Rewriting:
    def rewrite(body: bytes) -> bytes | None:
        try:
            return body.decode(reading, errors).encode(writing, errors)
        except UnicodeError:
            return None

    return rewrite


def _unescaped(body: bytes) -> bytes:
    return body.replace(b"\\/", b"/")


def _unix_lines(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n")


def _windows_lines(body: bytes) -> bytes:
    return _unix_lines(body).replace(b"\n", b"\r\n")


def _without_bom(body: bytes) -> bytes:
    return body.removeprefix(codecs.BOM_UTF8)


def _with_bom(body: bytes) -> bytes:
    return codecs.BOM_UTF8 + body


def _with_marks(body: bytes) -> bytes:
    return bytes(byte if byte < 128 else ord("?") for byte in body)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _digest_hex(body: bytes) -> bytes:
    return _digest(body).hex().encode()


def _as_ascii(body: bytes) -> bytes:
    return body.decode("ascii", "replace").encode()


def _percent_encoded(body: bytes) -> bytes:
    return quote_from_bytes(body, safe="").encode()


def _quoted(body: bytes) -> bytes | None:
    """Write the body's text as a JSON string: serialised twice."""
    try:
        return json.dumps(body.decode(), ensure_ascii=False).encode()
    except UnicodeError:
        return None


def _unquoted(body: bytes) -> bytes | None:
    value = _parsed(body)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None


def _debased(body: bytes) -> bytes | None:
    try:
        return base64.b64decode(body.strip(b'"\r\n '), validate=True) or None
    except binascii.Error:
        return None


def _unpacked(body: bytes) -> bytes | None:
    """Return what a gzip or zlib body holds."""
    try:
        return zlib.decompressobj(wbits=47).decompress(body, _MOST_UNPACKED)
    except zlib.error:
        return None


# --- the table -----------------------------------------------------------------------------------


def _always(text: bytes) -> Rewriting:
    return lambda _: text


_NO_BODIES = (
    ("body-javascript-object", b"[object Object]", "as JavaScript joins a parsed object to a text"),
    ("body-undefined", b"undefined", "as JavaScript joins a body that nothing has kept"),
    ("body-php-array", b"Array", "as PHP joins a parsed object to a text"),
)
"""What stands in a body's place where something that is no text is joined to a text."""


def _change(rewriting: Rewriting) -> Change:
    def make(making: Making) -> Making | None:
        try:
            return making.with_body(rewriting(making.delivery.body))
        except (ValueError, RecursionError):  # JSON too deep, or a number too long, to be written
            return None

    return make


def _rewritten(name: str, rewriting: Rewriting, how: str, *, common: bool = False) -> Mistake:
    return Mistake(
        name=name,
        step=Step.BODY,
        make=_change(rewriting),
        receiver=Words(
            f"verifies re-serialised JSON ({how}), not the bytes that it received", _RAW
        ),
        request=Words(f"over re-serialised JSON ({how}), not over this body's bytes", _AS_SENT),
        common=common,
    )


def _changed(name: str, rewriting: Rewriting, what: str, *, common: bool = False) -> Mistake:
    return Mistake(
        name=name,
        step=Step.BODY,
        make=_change(rewriting),
        receiver=Words(f"verifies {what}, not the bytes that it received", _RAW),
        request=Words(f"over {what}, not over its bytes", _AS_SENT),
        common=common,
    )


MISTAKES: tuple[Mistake, ...] = (
    _rewritten("json-compact", _json(), "compact", common=True),
    _rewritten(
        "json-spaced",
        _json(spaced=True, escaped=True),
        "with a space after each comma and colon, as Python's json.dumps writes it",
        common=True,
    ),
    _rewritten(
        "json-escaped", _json(escaped=True), r"compact, letters beyond ASCII as \u00e9", common=True
    ),
    _rewritten(
        "json-slashes-escaped",
        _slashes_escaped(),
        r"compact, with \/ and \u00e9 as PHP's json_encode writes it",
        common=True,
    ),
    _rewritten("json-sorted", _json(by_key=True), "compact, its keys sorted", common=True),
    _rewritten(
        "json-sorted-spaced",
        _json(spaced=True, escaped=True, by_key=True),
        "its keys sorted, with a space after each comma and colon",
        common=True,
    ),
    _rewritten(
        "json-sorted-escaped",
        _json(escaped=True, by_key=True),
        r"compact, its keys sorted, letters beyond ASCII as \u00e9",
    ),
    _rewritten(
        "json-sorted-slashes-escaped",
        _slashes_escaped(by_key=True),
        r"compact, its keys sorted, with \/ and \u00e9",
    ),
    _rewritten(
        "json-outer-sorted",
        _outer_sorted(_json()),
        "compact, its outermost keys sorted",
        common=True,
    ),
    _rewritten(
        "json-outer-sorted-escaped",
        _outer_sorted(_slashes_escaped()),
        r"compact, its outermost keys sorted, with \/ and \u00e9",
    ),
    _rewritten("json-html-escaped", _html_escaped, r"its keys sorted, with \u003c as Go writes it"),
    _rewritten(
        "json-spaced-unescaped",
        _json(spaced=True),
        "with a space after each comma and colon, letters beyond ASCII as they are",
    ),
    _rewritten("json-whole-numbers", _whole_numbers, "compact, with 1 for 1.0"),
    _rewritten("json-indented-2", _json(indent=2), "indented by two spaces", common=True),
    _rewritten("json-indented-4", _json(indent=4), "indented by four spaces", common=True),
    _changed(
        "python-text",
        _python_text,
        "the text of a parsed object, as Python's str() gives it",
        common=True,
    ),
    _changed(
        "python-bytes-text",
        lambda body: str(body).encode(),
        "the text b'...' of a bytes object, as Python's str() gives it",
        common=True,
    ),
    _changed(
        "buffer-json",
        _buffer_json,
        "a Buffer that was serialised, as JavaScript's JSON.stringify does it",
        common=True,
    ),
    *(
        _changed(name, _always(text), f"the text {text.decode()!r}, {why}", common=True)
        for name, text, why in _NO_BODIES
    ),
    _changed("body-empty", lambda _: b"", "an empty body, as a stream read twice is", common=True),
    _changed("body-line-end-added", lambda body: body + b"\n", "the body and a line's end"),
    _changed("body-line-end-taken", lambda body: body.rstrip(b"\r\n"), "the body less a line end"),
    _changed("body-trimmed", bytes.strip, "the body without the white space around it"),
    _changed("body-unix-lines", _unix_lines, "the body with LF for CRLF"),
    _changed("body-windows-lines", _windows_lines, "the body with CRLF for LF"),
    _changed("body-slashes-unescaped", _unescaped, r"the body with / for \/"),
    _changed("body-bom-taken", _without_bom, "the body without its byte order mark"),
    _changed(
        "body-bom-added", lambda body: codecs.BOM_UTF8 + body, "the body with a byte order mark"
    ),
    _changed("body-latin-1", _recoded("latin-1", "utf-8"), "the body decoded as Latin-1"),
    _changed("body-to-latin-1", _recoded("utf-8", "latin-1"), "the body encoded as Latin-1"),
    _changed("body-to-utf-16", _recoded("utf-8", "utf-16-le"), "the body encoded as UTF-16"),
    _changed("body-ascii", _as_ascii, "the body decoded as ASCII"),
    _changed("body-ascii-marks", _with_marks, "the body with ? for letters beyond ASCII"),
    _changed("body-quoted", _quoted, "the body serialised once more, as a JSON string"),
    _changed("body-unquoted", _unquoted, "the text in the body's JSON string"),
    _changed(
        "body-base64", base64.b64encode, "the body in base64, as a gateway hands it on", common=True
    ),
    _changed("body-debased", _debased, "the body decoded from base64"),
    _changed("body-unpacked", _unpacked, "the body decompressed"),
    _changed("body-hex", lambda body: body.hex().encode(), "the body in hexadecimal"),
    _changed("body-digest-hex", _digest_hex, "the body's SHA-256 in hexadecimal", common=True),
    _changed("body-digest", _digest, "the body's SHA-256"),
    _changed("body-percent-decoded", unquote_to_bytes, "the body percent-decoded"),
    _changed("body-percent-encoded", _percent_encoded, "the body percent-encoded"),
)
