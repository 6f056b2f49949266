"""Mistakes with the hash, and with how the signature is written."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

from hookproof.diagnosis.making import Making, Step, exchanged, secret_first, secret_last
from hookproof.diagnosis.mistake import Change, Mistake, Words

HASHES = ("sha1", "sha256", "sha384", "sha512", "md5")
_COMMON_HASHES = ("sha1", "sha256", "sha512")
_ALGORITHM = "use the algorithm that the document declares"
_ENCODING = "write the signature's bytes as the document declares, and compare them so"
_CUTS = (8, 16, 32, 40)

Writing = Callable[[Making, bytes], str]


# --- the hash ------------------------------------------------------------------------------------


def _by(hash_name: str) -> Change:
    def make(making: Making) -> Making | None:
        if making.hash_name in ("", hash_name):
            return None
        return replace(making, hash_name=hash_name)

    return make


def _mixed(mix: Callable[[bytes, bytes, str], bytes]) -> Change:
    return lambda making: replace(making, mix=mix) if making.hash_name else None


def _unkeyed(making: Making) -> Making | None:
    return replace(making, mix=secret_first, key=b"") if making.hash_name else None


def _hash(name: str, make: Change, what: str, *, common: bool = False) -> Mistake:
    return Mistake(
        name=name,
        step=Step.HASH,
        make=make,
        receiver=Words(f"computes {what}", _ALGORITHM),
        request=Words(f"as {what}", _ALGORITHM),
        common=common,
    )


# --- the writing ---------------------------------------------------------------------------------


def _hex(_: Making, raw: bytes) -> str:
    return raw.hex()


def _upper_hex(_: Making, raw: bytes) -> str:
    return raw.hex().upper()


def _base64(_: Making, raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _base64_unpadded(_: Making, raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


def _base64url(_: Making, raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _base64url_unpadded(_: Making, raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _base64_of_hex(_: Making, raw: bytes) -> str:
    return base64.b64encode(raw.hex().encode()).decode()


def _named(making: Making, raw: bytes) -> str:
    return f"{making.hash_name}={making.scheme.encoding.write(raw)}"


def _quoted(making: Making, raw: bytes) -> str:
    return f'"{making.scheme.encoding.write(raw)}"'


def _cut(length: int) -> Writing:
    return lambda making, raw: making.scheme.encoding.write(raw)[:length]


def _as(writing: Writing) -> Change:
    def make(making: Making) -> Making | None:
        return replace(making, write=lambda raw: writing(making, raw)) if making.hash_name else None

    return make


def _written(name: str, writing: Writing, what: str, *, common: bool = False) -> Mistake:
    return Mistake(
        name=name,
        step=Step.WRITING,
        make=_as(writing),
        receiver=Words(f"expects the signature {what}", _ENCODING),
        request=Words(f"rightly, and written {what}", _ENCODING),
        common=common,
    )


MISTAKES: tuple[Mistake, ...] = (
    *(
        _hash(f"hash-{name}", _by(name), f"HMAC with {name.upper()}", common=name in _COMMON_HASHES)
        for name in HASHES
    ),
    _hash(
        "hash-secret-first",
        _mixed(secret_first),
        "a plain hash of secret and content, which is no HMAC",
        common=True,
    ),
    _hash(
        "hash-secret-last",
        _mixed(secret_last),
        "a plain hash of content and secret, which is no HMAC",
        common=True,
    ),
    _hash(
        "hash-exchanged",
        _mixed(exchanged),
        "HMAC of the secret with the content as the key: the two are exchanged",
        common=True,
    ),
    _hash("hash-unkeyed", _unkeyed, "a plain hash without the secret"),
    _written("written-upper-hex", _upper_hex, "in upper-case hexadecimal", common=True),
    _written("written-hex", _hex, "in hexadecimal", common=True),
    _written("written-base64", _base64, "in base64", common=True),
    _written("written-base64-unpadded", _base64_unpadded, "in base64 without padding"),
    _written("written-base64url", _base64url, "in base64url"),
    _written("written-base64url-unpadded", _base64url_unpadded, "in base64url without padding"),
    _written("written-base64-of-hex", _base64_of_hex, "as base64 of its hexadecimal"),
    _written("written-named", _named, "behind the hash's name and `=`", common=True),
    _written("written-quoted", _quoted, "in quotes"),
    *(
        _written(f"written-cut-{length}", _cut(length), f"cut to {length} characters")
        for length in _CUTS
    ),
)
