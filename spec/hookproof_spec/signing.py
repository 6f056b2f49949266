"""Signing and verifying: total functions of a scheme, keys, a request and a time.

Nothing here reads a clock, draws a random number or does input or output; `now`, `timestamp` and
`nonce` are always given. Verifying never raises for anything a request can hold.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import final

from hookproof_spec import asymmetric
from hookproof_spec.errors import Problem, SecretError
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import Algorithm, SignatureScheme

CLOCK_SKEW = 60.0
"""How many seconds a sender's clock may run ahead before a request is `from the future`."""


class Reason(StrEnum):
    """Why a request was refused."""

    MISSING_HEADER = "missing header"
    MALFORMED_HEADER = "malformed header"
    MALFORMED_NONCE = "nonce of the wrong shape"
    WRONG_SIGNATURE = "wrong signature"
    STALE = "stale"
    FROM_THE_FUTURE = "from the future"
    REPLAYED = "replayed"
    WRONG_MEDIA_TYPE = "wrong media type"
    INVALID_PAYLOAD = "payload breaks the schema"


@final
@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on one request.

    `reason` is None exactly when the request is accepted. `detail` says it in words and never
    holds a secret or an expected signature. `age` is in seconds, negative for the future.
    """

    reason: Reason | None = None
    detail: str = ""
    timestamp: float | None = None
    nonce: str | None = None
    age: float | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def accepted(self) -> bool:
        """Tell whether the request is genuine, fresh and well formed."""
        return self.reason is None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A signed request taken apart, so that a forgery is one `with_…` away from the genuine one.

    `request` writes it. The texts of timestamp, nonce and signatures travel as they stand here,
    whether or not they fit each other; `headers` are the request's other header lines.
    """

    scheme: SignatureScheme
    method: str
    url: str
    headers: tuple[Header, ...]
    body: bytes
    timestamp: str
    nonce: str
    signatures: tuple[str, ...]

    @property
    def request(self) -> Request:
        """The request that carries these values."""
        return Request(self.method, self.url, (*self.headers, *self._carried()), self.body)

    @property
    def signed_bytes(self) -> bytes:
        """The content that a signature of these values would be computed from."""
        return self.scheme.signed_bytes(timestamp=self.timestamp, nonce=self.nonce, body=self.body)

    def _carried(self) -> Iterable[Header]:
        values = {
            "timestamp": self.timestamp,
            "nonce": self.nonce,
            "signature": self.signatures[0] if self.signatures else "",
        }
        if self.scheme.repeat is not None:
            values["signatures"] = self.scheme.repeat.write(self.signatures)
        return [(h.name, h.template.render(values)) for h in self.scheme.headers]

    def with_signature(self, *signatures: str) -> Delivery:
        """Return a copy that carries other signatures."""
        return replace(self, signatures=signatures)

    def with_timestamp(self, timestamp: str) -> Delivery:
        """Return a copy that claims another time; the signature stays."""
        return replace(self, timestamp=timestamp)

    def with_nonce(self, nonce: str) -> Delivery:
        """Return a copy that claims another nonce; the signature stays."""
        return replace(self, nonce=nonce)

    def with_body(self, body: bytes) -> Delivery:
        """Return a copy with another body; the signature stays."""
        return replace(self, body=body)


@final
class Signer:
    """Signs with one key under one scheme; the key's hash states are made once and kept."""

    __slots__ = ("_make", "scheme")

    def __init__(self, scheme: SignatureScheme, secret: str) -> None:
        """Take a secret as it was issued.

        Raises:
            SecretError: it is not in the form that the scheme declares.
        """
        self.scheme = scheme
        self._make = _maker(scheme, secret)

    def __repr__(self) -> str:
        return f"Signer({self.scheme.algorithm.value})"

    def signature(self, content: bytes) -> str:
        """Return the encoded signature of some content."""
        return self.scheme.encoding.write(self._make(content))

    def sign(self, request: Request, *, timestamp: float | str, nonce: str) -> Delivery:
        """Sign a request.

        Args:
            request: its headers that the scheme carries are replaced.
            timestamp: Unix seconds, or a text that is signed and sent as it stands.
            nonce: the identifier of this delivery; left out where the scheme has none.

        Raises:
            ValueError, OverflowError: the scheme writes calendar dates, and the time is beyond
                the year 9999.
        """
        scheme = self.scheme
        text = timestamp if isinstance(timestamp, str) else _written(scheme, timestamp)
        content = scheme.signed_bytes(timestamp=text, nonce=nonce, body=request.body)
        carried = {header.name.lower() for header in scheme.headers}
        return Delivery(
            scheme=scheme,
            method=request.method,
            url=request.url,
            headers=tuple(line for line in request.headers if line[0].lower() not in carried),
            body=request.body,
            timestamp=text,
            nonce=nonce,
            signatures=(self.signature(content),),
        )


def sign(
    scheme: SignatureScheme, request: Request, secret: str, *, timestamp: float | str, nonce: str
) -> Request:
    """Return the request with the scheme's headers in place.

    Raises:
        SecretError: the secret is not in the form that the scheme declares.
    """
    return Signer(scheme, secret).sign(request, timestamp=timestamp, nonce=nonce).request


def _written(scheme: SignatureScheme, seconds: float) -> str:
    return scheme.timestamp.unit.write(seconds) if scheme.timestamp else ""


def _maker(scheme: SignatureScheme, secret: str) -> Callable[[bytes], bytes]:
    hash_name = scheme.algorithm.hash_name
    if hash_name is None:
        return asymmetric.signing_function(scheme.key, secret)
    return keyed_hash(scheme.key.key(secret), hash_name)


def keyed_hash(key: bytes, hash_name: str) -> Callable[[bytes], bytes]:
    """Return HMAC (RFC 2104) under one key, with the key's two hash states kept."""
    inner, outer = hashlib.new(hash_name), hashlib.new(hash_name)
    if len(key) > inner.block_size:
        key = hashlib.new(hash_name, key).digest()
    block = key.ljust(inner.block_size, b"\0")
    inner.update(bytes(byte ^ 0x36 for byte in block))
    outer.update(bytes(byte ^ 0x5C for byte in block))

    def digest(content: bytes) -> bytes:
        first = inner.copy()
        first.update(content)
        second = outer.copy()
        second.update(first.digest())
        return second.digest()

    return digest


@final
@dataclass(frozen=True, slots=True)
class _Stamp:
    """What a request's headers said of its signature, in its own text."""

    timestamp: str
    nonce: str
    signatures: tuple[str, ...]


@final
class Verifier:
    """Verifies under one scheme with one or more keys (several during a rotation)."""

    __slots__ = ("_checks", "scheme")

    def __init__(self, scheme: SignatureScheme, secrets: str | Iterable[str]) -> None:
        """Take the secret that is valid now, or several during a rotation.

        Raises:
            SecretError: there is none, or one is not in the declared form, or is empty: an empty
                key would make every signature that anyone computes a valid one.
        """
        self.scheme = scheme
        given = (secrets,) if isinstance(secrets, str) else secrets
        self._checks = tuple(_checker(scheme, secret) for secret in given)
        if not self._checks:
            raise SecretError("no secret is given", hint="give the webhook's secret key")

    def __repr__(self) -> str:
        return f"Verifier({self.scheme.algorithm.value}, {len(self._checks)} keys)"

    def verify(
        self, request: Request, now: float, *, tolerance: float | None = None
    ) -> Verification:
        """Judge a request: header, shape, signature, age, in this order.

        Args:
            request: what arrived.
            now: Unix seconds.
            tolerance: the oldest age to accept in seconds, instead of the declared one.
        """
        stamp = _read_stamp(self.scheme, request)
        if isinstance(stamp, Verification):
            return stamp
        moment = self.scheme.timestamp.unit.read(stamp.timestamp) if self.scheme.timestamp else None
        if self.scheme.timestamp and moment is None:
            return Verification(Reason.MALFORMED_HEADER, "the timestamp is not a time")
        if self.scheme.nonce and not self.scheme.nonce.matches(stamp.nonce):
            return Verification(Reason.MALFORMED_NONCE, "the nonce has not the declared shape")
        verdict = Verification(
            timestamp=moment,
            nonce=stamp.nonce if self.scheme.nonce else None,
            age=None if moment is None else now - moment,
        )
        if not self._signed_by_us(stamp, request.body):
            return replace(
                verdict,
                reason=Reason.WRONG_SIGNATURE,
                detail="the signature belongs to other bytes or another key",
            )
        return self._aged(verdict, tolerance)

    def _signed_by_us(self, stamp: _Stamp, body: bytes) -> bool:
        content = self.scheme.signed_bytes(timestamp=stamp.timestamp, nonce=stamp.nonce, body=body)
        matched = False
        for check in self._checks:
            for signature in stamp.signatures:
                matched |= check(content, signature)
        return matched

    def _aged(self, verdict: Verification, tolerance: float | None) -> Verification:
        declared = self.scheme.timestamp.tolerance if self.scheme.timestamp else None
        limit = declared if tolerance is None else tolerance
        if verdict.age is None:
            return verdict
        if limit is not None and verdict.age > limit:
            return replace(
                verdict,
                reason=Reason.STALE,
                detail=f"{verdict.age:.0f} s old; at most {limit:g} s are accepted",
            )
        if verdict.age < -CLOCK_SKEW:
            return replace(
                verdict,
                reason=Reason.FROM_THE_FUTURE,
                detail=f"{-verdict.age:.0f} s ahead of the receiver's clock",
            )
        return verdict


def verify(
    scheme: SignatureScheme,
    request: Request,
    secrets: str | Iterable[str],
    now: float,
    *,
    tolerance: float | None = None,
) -> Verification:
    """Judge a request; see `Verifier.verify`.

    Raises:
        SecretError: a secret is empty or not in the form that the scheme declares.
    """
    return Verifier(scheme, secrets).verify(request, now, tolerance=tolerance)


def _checker(scheme: SignatureScheme, secret: str) -> Callable[[bytes, str], bool]:
    if scheme.algorithm is Algorithm.ED25519:
        return asymmetric.verifying_function(scheme.key, secret, scheme.encoding)
    if not scheme.key.key(secret):
        raise SecretError("the secret is empty", hint="set it to the webhook's secret key")
    signer = Signer(scheme, secret)

    def check(content: bytes, signature: str) -> bool:
        expected = signer.signature(content).encode()
        return hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))

    return check


def _read_stamp(scheme: SignatureScheme, request: Request) -> _Stamp | Verification:
    values: dict[str, str] = {}
    signatures: tuple[str, ...] = ()
    for header in scheme.headers:
        lines = request.header_values(header.name)
        if not lines or not lines[0].strip():
            return Verification(Reason.MISSING_HEADER, f"no {header.name} header")
        if len(lines) > 1:
            return Verification(Reason.MALFORMED_HEADER, f"{header.name} stands twice")
        if not lines[0].isascii() and max(lines[0]) > "\xff":
            return Verification(Reason.MALFORMED_HEADER, f"{header.name} is not made of bytes")
        fields = header.shape.read(lines[0].strip(" \t"), scheme.repeat)
        if isinstance(fields, str):
            return Verification(Reason.MALFORMED_HEADER, f"{header.name}: {fields}")
        values.update(fields.values)
        signatures += fields.signatures
    if "signature" in values:
        signatures = (values["signature"], *signatures)
    if not signatures:
        return Verification(Reason.MALFORMED_HEADER, "no signature of the declared kind")
    return _Stamp(values.get("timestamp", ""), values.get("nonce", ""), signatures)
