"""Reading a captured request: the JSON that `sign` writes, or HTTP as it stood on the wire."""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from pathlib import Path

from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header, Request

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/[0-9.]+")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")


def read_input(path: str, option: str) -> bytes:
    """Return the bytes of a file, or of standard input for `-`.

    Raises:
        HookproofError: it cannot be read, or is a terminal that would be waited for.
    """
    if path == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise HookproofError(
                "standard input is a terminal",
                where=option,
                hint="pipe something in, or name a file",
            )
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HookproofError(
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}",
            where=option,
            hint="name a file, or - for standard input",
        ) from error


def parse_request(data: bytes) -> Request:
    """Read a request in either form.

    Raises:
        HookproofError: it is neither, or it is cut.
    """
    start = data.lstrip()[:1]
    if not start:
        raise _wrong("it is empty", _FORMS)
    return _from_json(data) if start == b"{" else _from_http(data)


# --- JSON ---------------------------------------------------------------------------------------


def _from_json(data: bytes) -> Request:
    try:
        value = json.loads(data)
    except UnicodeDecodeError as error:
        raise _wrong("it is not UTF-8", _FORMS) from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise _wrong("it holds more than one request", "give one line at a time") from error
        raise _wrong(f"it is not JSON: {error.msg} at line {error.lineno}", _FORMS) from error
    except RecursionError as error:
        raise _wrong("it is nested too deeply", _FORMS) from error
    return Request(
        method=_text(value, "method"),
        url=_text(value, "url"),
        headers=_headers(value),
        body=_body(value),
    )


def _text(value: dict[str, object], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise _wrong(f"{name!r} is not a text", _FORMS)
    return text


def _headers(value: dict[str, object]) -> tuple[Header, ...]:
    lines = value.get("headers")
    if not isinstance(lines, list):
        raise _wrong("'headers' is not a list", _FORMS)
    return tuple(_header(line) for line in lines)


def _header(line: object) -> Header:
    match line:
        case [str() as name, str() as value]:
            return name, value
    raise _wrong("'headers' holds something else than pairs [name, value]", _FORMS)


def _body(value: dict[str, object]) -> bytes:
    try:
        return base64.b64decode(_text(value, "body_base64"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong("'body_base64' is not base64", _FORMS) from error


# --- HTTP ---------------------------------------------------------------------------------------


def _from_http(data: bytes) -> Request:
    head, found, body = _split(data)
    first, *lines = _LINE_END.split(head)
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        raise _wrong("its first line is no request line", _FORMS)
    if not found:
        raise _wrong("no empty line ends its headers", "capture the whole request")
    request = Request(
        method=request_line[1].decode(),
        url=request_line[2].decode("latin-1"),
        headers=tuple(map(_header_line, lines)),
        body=body,
    )
    return request.with_body(_framed(request))


def _split(data: bytes) -> tuple[bytes, bool, bytes]:
    end = _HEAD_END.search(data)
    if end is None:
        return data.rstrip(b"\r\n"), data.endswith(b"\n"), b""
    return data[: end.start()], True, data[end.end() :]


def _header_line(line: bytes) -> Header:
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon or not name or name != name.strip():
        raise _wrong(f"{line[:60]!r} is no header line", _FORMS)
    return name, value.strip(" \t")


def _framed(request: Request) -> bytes:
    """Return the body as its head declares it, which must not be more than there is."""
    if (request.header("Transfer-Encoding") or "").lower() == "chunked":
        return _unchunked(request.body)
    declared = request.header("Content-Length")
    if declared is None:
        return request.body
    if not re.fullmatch("[0-9]{1,15}", declared):
        raise _wrong("its Content-Length is not a number", "capture the whole request")
    body, rest = request.body[: int(declared)], request.body[int(declared) :]
    if len(body) < int(declared):
        raise _wrong(
            f"its body is cut: {len(body)} of {declared} bytes", "capture the whole request"
        )
    if rest.strip(b"\r\n"):  # one line end is what an editor adds
        raise _wrong(f"{len(rest)} bytes follow its body", "give one request at a time")
    return body


def _unchunked(data: bytes) -> bytes:
    parts: list[bytes] = []
    while True:
        line, _, data = data.partition(b"\r\n")
        size_text = line.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", size_text):
            raise _wrong("its chunks are malformed", "give the body without Transfer-Encoding")
        size = int(size_text, 16)
        if size == 0:
            return b"".join(parts)
        if data[size : size + 2] != b"\r\n":
            raise _wrong("its body is cut within a chunk", "capture the whole request")
        parts.append(data[:size])
        data = data[size + 2 :]


_FORMS = "give raw HTTP, or the JSON of `hookproof sign --format json`"


def _wrong(what: str, hint: str) -> HookproofError:
    return HookproofError(what, where="--request", hint=hint)
