"""Which changes of a genuine request leave it saying the same to a lenient, correct receiver.

Correct receivers differ in how they read a header: spaces, order, unknown items, capitals, other
spellings of a number, what stands behind a value. A request that still carries the genuine time,
nonce and signature over the genuine content says nothing of a receiver but that, and is no forgery.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from hookproof_spec import payloads
from hookproof_spec.errors import Problem
from hookproof_spec.request import Request
from hookproof_spec.scheme import Encoding, TimeUnit
from hookproof_spec.signing import Delivery

_LOOSE = re.compile(r"[\s\"'\x00]")


def says_the_same(genuine: Delivery, request: Request) -> bool:
    """Tell whether a changed request still says what the genuine one does."""
    return _same_body(genuine.body, request.body) and _same_header(genuine, request)


def _same_body(genuine: bytes, body: bytes) -> bool:
    """Tell whether two bodies are one text, or one JSON value, to some reader of them."""
    if genuine == body or _lossy(genuine) == _lossy(body):
        return True
    value = payloads.decode(body)
    return not isinstance(value, Problem) and value == payloads.decode(genuine)


def _lossy(body: bytes) -> tuple[str, ...]:
    text = body.decode("utf-8", "ignore")
    return ("".join(text.replace("\ufeff", "").split()),)


def _same_header(genuine: Delivery, request: Request) -> bool:
    lines = [value for h in genuine.scheme.headers for value in request.header_values(h.name)]
    text = _LOOSE.sub("", " ".join(lines))
    return any(_holds(genuine, read) for read in {text, unquote(text), unquote(text, "latin-1")})


def _holds(genuine: Delivery, text: str) -> bool:
    return (
        _holds_time(genuine, text)
        and _holds_nonce(genuine, text)
        and any(_holds_signature(genuine, signature, text) for signature in genuine.signatures)
    )


def _holds_time(genuine: Delivery, text: str) -> bool:
    rule = genuine.scheme.timestamp
    if rule is None or not genuine.timestamp:
        return True
    if rule.unit in (TimeUnit.SECONDS, TimeUnit.MILLISECONDS):
        digits = text.replace("_", "")
        return re.search(rf"(?<![1-9])(?<!\d\d)0*{genuine.timestamp}(?!\d)", digits) is not None
    return _LOOSE.sub("", genuine.timestamp).lower() in text.lower()


def _holds_nonce(genuine: Delivery, text: str) -> bool:
    if genuine.scheme.nonce is None:
        return True
    nonce = re.escape(_LOOSE.sub("", genuine.nonce))
    return re.search(rf"(?<![A-Za-z0-9_-]){nonce}(?![A-Za-z0-9_-])", text) is not None


def _holds_signature(genuine: Delivery, signature: str, text: str) -> bool:
    """Decoders stop at what they do not know, or skip it, and drop half a byte."""
    if genuine.scheme.encoding is Encoding.HEX:
        found = re.findall(r"[0-9a-f]+", text.lower())
        return any(run[: len(run) // 2 * 2] == signature for run in found)
    raw = genuine.scheme.encoding.read(signature) or b""
    return any(_decoded(run)[: len(raw)] == raw for run in re.findall(r"[\w+/-]+", text))


def _decoded(text: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/")
    whole = standard[: len(standard) - (len(standard) % 4 == 1)]
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4))
    except ValueError:
        return b""
