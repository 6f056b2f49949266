"""Mistakes with the secret: other bytes are the key than the scheme declares."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote_plus

from hookproof.diagnosis.making import Making, Step
from hookproof.diagnosis.mistake import Change, Mistake, Words
from hookproof_spec.scheme import KeyText

Reading = Callable[[str], bytes | None]
_PREFIX = re.compile(r"[A-Za-z0-9]+[_-]")
_CUT = re.compile(r"[#$ ]")
_SEPARATORS = re.compile(r"[,;|:\s]+")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_HEX_PAIRS = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_MOST_PARTS = 4
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_CLEAN = "configure the secret as it was issued, and nothing around it"
_DECLARED = "make the key as the document's `key` declares it, or correct the declaration"
_UNSET = "set the secret where it is read, and refuse to start without one"
_DEFAULTS = ("undefined", "null", "None", "secret", "changeme")


# --- what becomes of a secret's text --------------------------------------------------------------


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _base64(text: str) -> bytes | None:
    """Decode base64 of either alphabet, with or without padding."""
    material = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(material + "=" * (-len(material) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _hex(text: str) -> bytes | None:
    try:
        return binascii.unhexlify(text) or None
    except (binascii.Error, ValueError):
        return None


_READINGS: Mapping[KeyText, Reading] = {
    KeyText.UTF8: _utf8,
    KeyText.BASE64: _base64,
    KeyText.HEX: _hex,
}


def _loose_base64(text: str) -> bytes | None:
    """Decode base64 and leave out what is none, as many languages do."""
    letters = _NO_BASE64.sub("", text.partition("=")[0])
    return _base64(letters[:-1] if len(letters) % 4 == 1 else letters)


def _loose_base64url(text: str) -> bytes | None:
    """Decode base64 of either alphabet and leave out what is none, as JavaScript does."""
    return _loose_base64(text.replace("-", "+").replace("_", "/"))


def _loose_hex(text: str) -> bytes | None:
    """Decode hexadecimal up to where it is none, as JavaScript does."""
    found = _HEX_PAIRS.match(text)
    return _hex(found[0]) if found else None


def _latin1(text: str) -> bytes | None:
    return text.encode("latin-1") if max(text, default="") <= "\xff" else None


def _unprefixed(reading: Reading) -> Reading:
    """Read what stands behind a prefix such as `live_`."""

    def read(text: str) -> bytes | None:
        found = _PREFIX.match(text)
        rest = text[found.end() :] if found else ""
        return reading(rest) if rest else None

    return read


def _part(number: int) -> Reading:
    def read(text: str) -> bytes | None:
        parts = [part for part in _SEPARATORS.split(text) if part]
        return _utf8(parts[number]) if number < len(parts) > 1 else None

    return read


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    return inner if inner and text[0] == text[-1] and text[0] in "\"'`" else text


# --- the table -----------------------------------------------------------------------------------


def _whole(reading: Reading) -> Change:
    """Read the secret as it was issued, whatever prefix and form are declared."""
    return lambda making: making.with_key(reading(making.secret))


def _declared(change: Callable[[str], str]) -> Change:
    """Change the secret's text, and make the key of it in the declared form."""

    def make(making: Making) -> Making | None:
        rule = making.scheme.key
        changed = change(making.secret).removeprefix(rule.without)
        return making.with_key(_READINGS[rule.text](changed) if changed else None)

    return make


def _key(name: str, make: Change, what: str, *, common: bool = False) -> Mistake:
    return Mistake(
        name=name,
        step=Step.KEY,
        make=make,
        receiver=Words(f"takes {what} for the key", _DECLARED),
        request=Words(f"with {what} as the key", _DECLARED),
        common=common,
    )


def _dirty(name: str, change: Callable[[str], str], what: str, *, common: bool = False) -> Mistake:
    """The other side's secret has more to it than the one given here."""
    return Mistake(
        name=name,
        step=Step.KEY,
        make=_whole(lambda text: _utf8(change(text))),
        receiver=Words(f"is configured with a secret {what}", _CLEAN),
        request=Words(f"with a secret {what}, unlike the one given here", _CLEAN),
        common=common,
    )


def _clean(name: str, change: Callable[[str], str], what: str) -> Mistake:
    """The secret given here has more to it than the other side's, which costs nothing to try:
    with a clean one it makes no difference."""
    return Mistake(
        name=name,
        step=Step.KEY,
        make=_declared(change),
        receiver=Words(f"has the secret without {what}; the one given here has it", _CLEAN),
        request=Words(f"with the secret without {what}; the one given here has it", _CLEAN),
        common=True,
    )


def _default(text: str, *, common: bool = False) -> Mistake:
    what = f"the word {text!r}" if text else "an empty key"
    return Mistake(
        name=f"key-{text.lower() or 'empty'}",
        step=Step.KEY,
        make=lambda making: making.with_key(text.encode()),
        receiver=Words(f"verifies with {what} instead of its secret", _UNSET),
        request=Words(f"with {what} instead of the secret", _UNSET),
        common=common,
    )


MISTAKES: tuple[Mistake, ...] = (
    _dirty("secret-line-end", lambda text: f"{text}\n", "that ends in a newline", common=True),
    _clean("secret-trimmed", str.strip, "the white space at its ends"),
    _key("key-base64", _whole(_base64), "the secret decoded from base64", common=True),
    _key(
        "key-base64-unprefixed",
        _whole(_unprefixed(_base64)),
        "the secret decoded from base64, its prefix taken off,",
        common=True,
    ),
    _key("key-text", _whole(_utf8), "the secret's whole text, not decoded,", common=True),
    _key("key-hex", _whole(_hex), "the secret decoded from hexadecimal", common=True),
    _key(
        "key-unprefixed",
        _whole(_unprefixed(_utf8)),
        "the secret without its prefix, not decoded,",
        common=True,
    ),
    _key(
        "key-base64url-loosely",
        _whole(_loose_base64url),
        "the secret decoded from base64, in which what is no base64 is left out,",
        common=True,
    ),
    _key(
        "key-base64-loosely",
        _whole(_loose_base64),
        "the secret decoded from base64, in which '-', '_' and what is no base64 are left out,",
        common=True,
    ),
    _key(
        "key-hex-loosely",
        _whole(_loose_hex),
        "the secret's beginning decoded from hexadecimal, up to where it is none,",
        common=True,
    ),
    _key("key-hex-unprefixed", _whole(_unprefixed(_hex)), "the secret's hexadecimal part decoded"),
    _default("", common=True),
    _default("undefined", common=True),
    *(_default(text) for text in _DEFAULTS[1:]),
    _dirty("secret-quoted", lambda text: f'"{text}"', "in double quotes", common=True),
    _dirty("secret-quoted-singly", lambda text: f"'{text}'", "in single quotes"),
    _clean("secret-unquoted", _unquoted, "the quotes around it"),
    _dirty("secret-windows-line-end", lambda text: f"{text}\r\n", "that ends in CR LF"),
    _dirty("secret-return", lambda text: f"{text}\r", "that ends in a carriage return"),
    _dirty("secret-space-behind", lambda text: f"{text} ", "that ends in a space"),
    _dirty("secret-space-before", lambda text: f" {text}", "that begins with a space"),
    _dirty("secret-bom", lambda text: _BOM + text, "that begins with a byte order mark"),
    _clean("secret-without-bom", lambda text: text.removeprefix(_BOM), "the byte order mark"),
    _clean("secret-cut", lambda text: _CUT.split(text)[0], "what follows a '#', '$' or space"),
    _dirty("secret-lower", str.lower, "in lower case"),
    _dirty("secret-upper", str.upper, "in upper case"),
    _dirty("secret-percent-decoded", unquote_plus, "that was percent-decoded"),
    _key("key-latin-1", _whole(_latin1), "the secret encoded as Latin-1"),
    _key(
        "key-encoded-base64",
        _whole(lambda text: base64.b64encode(_utf8(text))),
        "the secret encoded in base64",
    ),
    _key(
        "key-encoded-hex",
        _whole(lambda text: _utf8(text).hex().encode()),
        "the secret encoded in hexadecimal",
    ),
    _key(
        "key-digest",
        _whole(lambda text: hashlib.sha256(_utf8(text)).digest()),
        "the secret's SHA-256",
    ),
    _key(
        "key-digest-hex",
        _whole(lambda text: hashlib.sha256(_utf8(text)).hexdigest().encode()),
        "the secret's SHA-256 in hexadecimal",
    ),
    *(
        Mistake(
            name=f"secret-part-{number + 1}",
            step=Step.KEY,
            make=_whole(_part(number)),
            receiver=Words(f"has part {number + 1} of the secret given here", _CLEAN),
            request=Words(
                f"with part {number + 1} of the secret given here, which holds several",
                "give the one secret that belongs to this webhook",
            ),
            common=True,
        )
        for number in range(_MOST_PARTS)
    ),
)
