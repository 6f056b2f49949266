"""A request as a command to be copied. No command holds a secret key."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from hookproof_spec import documents
from hookproof_spec.request import Request
from hookproof_spec.webhook import Document, Webhook

LONGEST_ARGUMENT = 60_000
"""Linux takes no argument of 128 KiB or more; a longer body gets no command."""
DEFAULT = "mobility-work"
"""The document that hookproof's commands take when they are told none."""
LISTEN_PORT, LISTEN_PATH = 8000, "/webhook"
"""Where `hookproof listen` listens when it is told nothing."""
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_OF_CURL = frozenset({"host", "content-length", "connection"})


def curl(request: Request) -> str:
    """Return one line for a POSIX shell that sends these bytes again; "" for a long body."""
    words = ["curl", "-i", "--globoff", "--path-as-is", "-X", shlex.quote(request.method)]
    words.append(shlex.quote(request.url))
    for header in _headers(request):
        words += ["-H", header]
    if len(request.body) > LONGEST_ARGUMENT:
        return ""
    if request.body.isascii() and request.body.decode().isprintable():
        # `--data-raw`, as `--data-binary` would read a file where a body begins with @.
        return " ".join([*words, "--data-raw", shlex.quote(request.body.decode())])
    return f"printf {_octal(request.body)} | {' '.join([*words, '--data-binary', '@-'])}"


def _headers(request: Request) -> Iterator[str]:
    for name, value in request.headers:
        if name.lower() in _OF_CURL:
            continue
        # `Name;` is how curl is told to send a header without a value.
        line = f"{name}: {value}" if value else f"{name};"
        plain = line.isascii() and line.isprintable()
        encoded = line.encode("utf-8", "replace") if max(line) > "\xff" else line.encode("latin-1")
        yield shlex.quote(line) if plain else f'"$(printf {_octal(encoded)})"'
    for name in ("Accept", "User-Agent", "Content-Type"):
        if request.header(name) is None:
            yield shlex.quote(f"{name}:")  # else curl adds its own


def _octal(data: bytes) -> str:
    """Quote bytes as a format of POSIX `printf`."""
    escaped = re.sub(rb"[^A-Za-z0-9_]", lambda found: b"\\%03o" % found[0][0], data)
    return f"'{escaped.decode()}'"


def check(document: Document, webhook: Webhook, request: Request, now: float) -> str:
    """Return the command that judges the request as a receiver would have at that time."""
    captured = json.dumps(
        {
            "method": request.method,
            "url": request.url,
            "headers": [list(header) for header in request.headers],
            "body_base64": base64.b64encode(request.body).decode(),
        }
    )
    if len(captured) > LONGEST_ARGUMENT:
        return ""
    judge = ["hookproof", "check", *_source(document, webhook), "--request", "-"]
    return f"printf '%s' {shlex.quote(captured)} | {' '.join(judge)} --now {now:.0f}"


def send(document: Document, webhook: Webhook, request: Request) -> str:
    """Return the command that signs the same payload anew and sends it; "" where none can."""
    if len(request.body) > LONGEST_ARGUMENT:
        return ""
    words = ["hookproof", "send", shlex.quote(request.url), *_source(document, webhook)]
    if request.body.isascii() and request.body.decode().isprintable():
        data = request.body.decode()
        if not data.startswith("@"):
            return " ".join([*words, "--data", shlex.quote(data)])
    return f"printf {_octal(request.body)} | {' '.join([*words, '--data', '@-'])}"


def forge(document: Document, webhook: Webhook, url: str, rule: str) -> str:
    """Return the command that sends what a rule of the contract would send."""
    words = ["hookproof", "send", shlex.quote(url), *_source(document, webhook)]
    return " ".join([*words, "--forge", shlex.quote(rule)])


def listen(document: Document, webhook: Webhook, url: str) -> str:
    """Return the command that receives the webhook on this machine, where its URL leads."""
    words = ["hookproof", "listen", *_source(document, webhook)]
    parts = urlsplit(url)
    if parts.hostname in _HERE:
        words += ["--port", str(parts.port or 80)] if parts.port != LISTEN_PORT else []
        words += ["--path", shlex.quote(parts.path or "/")] if parts.path != LISTEN_PATH else []
    return " ".join(words)


def _source(document: Document, webhook: Webhook) -> list[str]:
    path = Path(document.path)
    shipped = path.parent == Path(documents.__file__).parent
    spec = document.name if shipped else document.path
    words = [] if spec == DEFAULT else ["--spec", shlex.quote(spec)]
    if len(document.webhooks) > 1:
        words += ["--webhook", shlex.quote(webhook.name)]
    return words
