"""What a sample of a signature header, or the words about it, tell of its scheme."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

ALGORITHM = "algorithm: what makes the signature"
CONTENT = "content: what is signed, in which order, with what in between"
ENCODING = "encoding: hex, base64 or base64url"
PLACES = "carry: that the values under json, query or field stand there in your payload, too"
TOLERANCE = "timestamp: the oldest age that a receiver should accept, in seconds"
ON_RETRY = "nonce: its pattern, and whether a retry keeps it (on-retry: same or new)"

_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE64 = re.compile(r"[0-9A-Za-z+/]+={0,2}")
_HEX_SIZES = {40: "hmac-sha1", 64: "hmac-sha256", 96: "hmac-sha384", 128: "hmac-sha512"}
_BASE64_SIZES = {28: "hmac-sha1", 44: "hmac-sha256", 64: "hmac-sha384", 88: "hmac-sha512"}
_UNITS = {10: "s", 13: "ms"}
_ITEM = re.compile(r"([A-Za-z0-9_-]+)=(.+)")
_WORDS = (
    (re.compile(r"ed-?25519", re.I), "ed25519"),
    (re.compile(r"sha-?512", re.I), "hmac-sha512"),
    (re.compile(r"sha-?384", re.I), "hmac-sha384"),
    (re.compile(r"sha-?256", re.I), "hmac-sha256"),
    (re.compile(r"sha-?1\b", re.I), "hmac-sha1"),
)


@final
@dataclass(frozen=True, slots=True)
class Guess:
    """A first form of the extension, and what has to be filled in or confirmed."""

    extension: Mapping[str, JsonValue]
    open: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class _Value:
    """A part of a sample: the text before it, and what it seems to be."""

    before: str
    name: str
    detail: str = ""
    encoding: str = ""


def from_sample(header: str, sample: str) -> Guess | None:
    """Read a sample value of a header; None where no signature is recognised in it."""
    values = [*_values(sample)]
    signature = next((value for value in values if value.name == "signature"), None)
    if signature is None:
        return None
    names = [value.name for value in values]
    if len(set(names)) != len(names):
        return None
    extension: dict[str, JsonValue] = {
        "algorithm": signature.detail,
        "content": _content(names),
        "encoding": signature.encoding,
        "carry": {"header": {header: _separator(sample).join(map(_written, values))}},
    }
    still = [ALGORITHM, CONTENT]
    for value in values:
        if value.name == "timestamp":
            extension["timestamp"] = {"unit": value.detail, "tolerance": 300}
            still.append(TOLERANCE)
        elif value.name == "nonce":
            extension["nonce"] = {"pattern": value.detail}
            still.append(ON_RETRY)
    return Guess(extension, tuple(still))


def from_words(header: str, words: str) -> Guess:
    """Return the commonest form, with what the words about a header say of it."""
    algorithm = next((name for pattern, name in _WORDS if pattern.search(words)), None)
    encoding = "base64" if re.search(r"base-?64", words, re.I) else "hex"
    said_encoding = encoding == "base64" or re.search(r"\bhex", words, re.I) is not None
    prefix = re.search(r"\b((?:sha(?:1|256|512)|v[0-9])=)", words)
    extension: dict[str, JsonValue] = {
        "algorithm": algorithm or "hmac-sha256",
        "content": "{body}",
        "encoding": encoding,
        "carry": {"header": {header: (prefix[1] if prefix else "") + "{signature}"}},
    }
    still = [*([] if algorithm else [ALGORITHM]), CONTENT, *([] if said_encoding else [ENCODING])]
    return Guess(extension, tuple(still))


def _separator(sample: str) -> str:
    return ";" if ";" in sample else ","


def _values(sample: str) -> Iterator[_Value]:
    items = [_ITEM.fullmatch(part.strip()) for part in sample.split(_separator(sample))]
    if len(items) > 1 and all(items):
        yield from (_value(f"{item[1]}=", item[2]) for item in items if item is not None)
        return
    prefix = re.match(r"(?:[A-Za-z0-9-]+=)?", sample)
    before = prefix[0] if prefix and _HEX.fullmatch(sample[prefix.end() :]) else ""
    yield _value(before, sample[len(before) :])


def _value(before: str, text: str) -> _Value:
    if text.isascii() and text.isdigit() and len(text) in _UNITS:
        return _Value(before, "timestamp", _UNITS[len(text)])
    if _HEX.fullmatch(text) and before.rstrip("=").lower() not in ("nonce", "id"):
        algorithm = _HEX_SIZES.get(len(text))
        if algorithm is not None:
            return _Value(before, "signature", algorithm, "hex")
    if _BASE64.fullmatch(text) and len(text) in _BASE64_SIZES:
        return _Value(before, "signature", _BASE64_SIZES[len(text)], "base64")
    return _Value(before, "nonce", _pattern(text))


def _pattern(text: str) -> str:
    letters = "0-9a-f" if re.fullmatch(r"[0-9a-f]+", text) else "0-9A-Za-z_-"
    return f"[{letters}]{{{len(text)}}}"


def _written(value: _Value) -> str:
    return f"{value.before}{{{value.name}}}"


def _content(names: list[str]) -> str:
    signed = [f"{{{name}}}" for name in names if name != "signature"]
    return ".".join((*signed, "{body}"))
