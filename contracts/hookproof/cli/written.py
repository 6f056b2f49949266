"""Writing a request for other tools: header lines, JSON, HTTP, a curl command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from hookproof.reports.json_report import request_object
from hookproof_spec.request import Header, Request

LONGEST_ARGUMENT = 60_000
"""Linux takes no argument of 128 KiB or more; a longer body goes through standard input."""


def as_headers(request: Request) -> bytes:
    """Write the header lines alone, and an empty line behind them."""
    return b"".join(_line(header, b"\n") for header in request.headers) + b"\n"


def as_json(request: Request) -> bytes:
    """Write one line of JSON, as `check` reads it."""
    return json.dumps(request_object(request)).encode() + b"\n"


def as_http(request: Request) -> bytes:
    """Write the request as HTTP/1.1 has it on the wire."""
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    framing = (("Host", parts.netloc), ("Content-Length", str(len(request.body))))
    head = f"{request.method} {path} HTTP/1.1\r\n".encode("latin-1")
    missing = [line for line in framing if request.header(line[0]) is None]
    lines = b"".join(_line(header, b"\r\n") for header in (*missing, *request.headers))
    return head + lines + b"\r\n" + request.body


def as_curl(request: Request) -> bytes:
    """Write one line for a POSIX shell that sends exactly this, whatever the body's bytes are."""
    words = ["curl", "--globoff", "--path-as-is", "-X", shlex.quote(request.method)]
    words.append(shlex.quote(request.url))
    for header in _for_curl(request):
        words += ["-H", header]
    if _is_plain(request.body):
        # `--data-raw`, as `--data-binary` would read a file where a body begins with @.
        words += ["--data-raw", shlex.quote(request.body.decode())]
        return " ".join(words).encode() + b"\n"
    # An argument cannot hold every byte, nor be very long; `printf` is built into the shell.
    words += ["--data-binary", "@-"]
    return f"printf {_octal(request.body)} | {' '.join(words)}\n".encode()


FORMATS: Mapping[str, Callable[[Request], bytes]] = {
    "headers": as_headers,
    "json": as_json,
    "http": as_http,
    "curl": as_curl,
}


def _line(header: Header, end: bytes) -> bytes:
    return f"{header[0]}: {header[1]}".encode("latin-1") + end


def _for_curl(request: Request) -> Iterator[str]:
    for name, value in request.headers:
        # `Name;` is how curl is told to send a header without a value.
        line = f"{name}: {value}" if value else f"{name};"
        yield (
            shlex.quote(line) if line.isascii() else f'"$(printf {_octal(line.encode("latin-1"))})"'
        )
    if request.header("Content-Type") is None:
        yield shlex.quote("Content-Type:")  # else curl calls every body a form


def _is_plain(body: bytes) -> bool:
    """Tell whether a body can stand in one line of a command, and come out of it unchanged."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return len(body) <= LONGEST_ARGUMENT and text.isprintable()


def _octal(data: bytes) -> str:
    """Quote bytes as a format of POSIX `printf`."""
    escaped = re.sub(rb"[^A-Za-z0-9_]", lambda found: b"\\%03o" % found[0][0], data)
    return f"'{escaped.decode()}'"
