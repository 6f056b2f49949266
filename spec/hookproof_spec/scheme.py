"""The declared signature scheme: what is signed, with what, and where every value travels.

A `SignatureScheme` is read from a document's `x-webhook-signature` (`scheme_reader`) and is all
that signing, verifying and forging know of a provider.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import ClassVar, final

from hookproof_spec.key_rule import (
    AS_ISSUED,
    KeyDigest,
    KeyRule,
    Secrets,
    UnicodeForm,
    split_secret,
)
from hookproof_spec.notation import Encoding, KeyText, TimeUnit, on_the_wire
from hookproof_spec.pointers import token
from hookproof_spec.templates import HeaderShape, Repeat, Template, base_of

__all__ = [
    "Algorithm",
    "Carried",
    "CarriedHeader",
    "CarriedInside",
    "Encoding",
    "KeyDigest",
    "KeyRule",
    "KeyText",
    "NonceRule",
    "OnRetry",
    "SignatureScheme",
    "TimeUnit",
    "TimestampRule",
    "UnicodeForm",
    "Where",
    "on_the_wire",
]

SIGNATURES = frozenset({"signature", "signatures", "signature2"})
"""The placeholders of what is made by signing; everything else is in place before."""


class Algorithm(StrEnum):
    """What makes the signature."""

    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA384 = "hmac-sha384"
    HMAC_SHA512 = "hmac-sha512"
    ED25519 = "ed25519"
    SHA1 = "sha1"
    SHA256 = "sha256"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
    RSA_SHA1 = "rsa-sha1"
    RSA_SHA256 = "rsa-sha256"

    @property
    def is_keyed(self) -> bool:
        """Tell whether it is an HMAC, whose key is no part of the content."""
        return self.value.startswith("hmac-")

    @property
    def is_bare(self) -> bool:
        """Tell whether it is a plain hash, of a content that has the secret in it."""
        return self in (Algorithm.SHA1, Algorithm.SHA256)

    @property
    def is_shared(self) -> bool:
        """Tell whether sender and receiver have the same secret; else there is a pair of keys."""
        return self.is_keyed or self.is_bare

    @property
    def hash_name(self) -> str | None:
        """The name of the hash for `hashlib`; None where there is no shared secret."""
        return self.value.removeprefix("hmac-") if self.is_shared else None

    @property
    def signature_size(self) -> int:
        """The usual length of a signature in bytes, before it is encoded."""
        return hashlib.new(self.hash_name).digest_size if self.hash_name else _SIZES[self]

    def may_have_made(self, raw: bytes) -> bool:
        """Tell whether a signature can be so long."""
        if self is Algorithm.ECDSA_P256_SHA256:
            return 8 <= len(raw) <= 72
        if self in (Algorithm.RSA_SHA1, Algorithm.RSA_SHA256):
            return len(raw) >= 128
        return len(raw) == self.signature_size


_SIZES = {
    Algorithm.ED25519: 64,
    Algorithm.ECDSA_P256_SHA256: 70,  # DER: 68 to 72 as a rule
    Algorithm.RSA_SHA1: 256,  # a key of 2048 bits
    Algorithm.RSA_SHA256: 256,
}


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
        return bool(self.check()(nonce))

    def check(self) -> Callable[[str], object]:
        """Return `matches` as a plain function, for those who call it often."""
        return bool if self.pattern is None else _compiled(self.pattern).fullmatch


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


class Where(StrEnum):
    """In which part of a request values travel; also the word for it under `carry`."""

    HEADER = "header"
    QUERY = "query"
    JSON = "json"
    FIELD = "field"


@final
@dataclass(frozen=True, slots=True)
class CarriedHeader:
    """One header that carries values: its name, how it is written and how it is read."""

    where: ClassVar[Where] = Where.HEADER
    name: str
    template: Template
    shape: HeaderShape

    def __str__(self) -> str:
        return f"{self.name} header"


@final
@dataclass(frozen=True, slots=True)
class CarriedInside:
    """A parameter of the query, a field of a form or a place in a JSON body that carries values.

    `name` is the parameter's or the field's name, or the place's JSON pointer. `number`: the value
    is written as a JSON number.
    """

    where: Where
    name: str
    template: Template
    shape: HeaderShape
    number: bool = False

    def __str__(self) -> str:
        words = {Where.QUERY: "parameter", Where.FIELD: "field"}
        return f"{self.name} {words[self.where]}" if self.where in words else f"{self.name} in JSON"


Carried = CarriedHeader | CarriedInside


@final
@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature as a document declares it; see the extension's own description for each word."""

    algorithm: Algorithm
    content: Template
    headers: tuple[CarriedHeader, ...]
    encoding: Encoding = Encoding.HEX
    key: KeyRule = AS_ISSUED
    repeat: Repeat | None = None
    timestamp: TimestampRule | None = None
    nonce: NonceRule | None = None
    inside: tuple[CarriedInside, ...] = ()
    header_names: frozenset[str] = field(init=False, repr=False, compare=False)
    """The headers that carry values, in lower case."""
    digests: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The placeholders of the body's digests that travel."""
    later_times: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The placeholders of times later than the timestamp that travel."""

    def __post_init__(self) -> None:
        """Note what is asked for with every request."""
        names = dict.fromkeys(name for place in self.carried for name in place.template.names)
        derived = {
            "header_names": frozenset(header.name.lower() for header in self.headers),
            "digests": tuple(name for name in names if base_of(name) == "body"),
            "later_times": tuple(name for name in names if name.startswith("timestamp:")),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def carried(self) -> tuple[Carried, ...]:
        """Every place in which values travel."""
        return (*self.headers, *self.inside)

    @property
    def signature_place(self) -> Carried:
        """The place in which the signature travels."""
        return next(
            place
            for place in self.carried
            if {"signature", "signatures"} & set(place.template.names)
        )

    @property
    def signature_header(self) -> CarriedHeader:
        """The header in which the signature travels; see `signature_place` where it is none."""
        place = self.signature_place
        return CarriedHeader(place.name, place.template, place.shape)

    @property
    def has_key_id(self) -> bool:
        """Tell whether a secret is given as `name:secret`."""
        return self._says("key-id")

    @property
    def has_second_key(self) -> bool:
        """Tell whether two secrets are given, joined by a colon."""
        return self._says("signature2")

    def _says(self, name: str) -> bool:
        templates = (self.content, *(place.template for place in self.carried))
        return any(name in template.bases for template in templates)

    def secrets(self, secret: str) -> Secrets:
        """Take a secret as it was issued apart.

        Raises:
            SecretError: the name, or the second secret, is missing.
        """
        return split_secret(secret, named=self.has_key_id, paired=self.has_second_key)

    def covers(self, name: str) -> bool:
        """Tell whether the signature covers all of a value: `body`, `timestamp`, `nonce`.

        It does when the content holds it, or a place in which the value, or a digest of it,
        travels.
        """
        bases = set(self.content.bases)
        if name in bases or (name == "body" and "fields" in bases):
            return True
        return any(
            name in place.template.bases and self._covers_place(place) for place in self.carried
        )

    def _covers_place(self, place: Carried) -> bool:
        names = {name.partition("|")[0] for name in self.content.names}
        if place.where is Where.HEADER:
            return any(name.lower() == f"header:{place.name}".lower() for name in names)
        within = {Where.QUERY: {"url", "path"}, Where.FIELD: {"body", "fields"}}
        wholes = within.get(place.where, {"body"})
        return f"{place.where.value}:{place.name}" in names or bool(wholes & names)

    @property
    def body_places(self) -> frozenset[str]:
        """The JSON pointers of the payload's members, or fields, that carry values."""
        names = (
            (place.where, place.name if place.where is Where.JSON else token(place.name))
            for place in self.inside
        )
        return frozenset(pointer for where, pointer in names if where is not Where.QUERY)

    def place_of(self, name: str) -> Carried | None:
        """Return the place in which a value travels."""
        return next((place for place in self.carried if name in place.template.bases), None)

    def header_of(self, name: str) -> CarriedHeader | None:
        """Return the header in which a value travels."""
        return next((h for h in self.headers if name in h.template.bases), None)

    def describe(self) -> str:
        """Say the scheme in one line."""
        place = self.signature_place
        age = self.timestamp.tolerance if self.timestamp else None
        content = self.content.text.replace("\r", r"\r").replace("\n", r"\n")
        within = f", at most {age:g} s old" if age is not None else ""
        where = place.name if place.where is Where.HEADER else str(place)
        return (
            f"{self.algorithm.value} over {content}, {self.encoding.value},"
            f" in {where}: {place.template.text}{within}"
        )
