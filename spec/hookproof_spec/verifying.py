"""Verifying: a total function of a scheme, keys, a request and the present time.

It never raises for anything a request can hold, and compares in constant time. A scheme is compiled
once into functions; verifying then calls them.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

from hookproof_spec import asymmetric, parts, placing
from hookproof_spec.content import Facts, content_writer
from hookproof_spec.delivery import to_bytes
from hookproof_spec.errors import SecretError
from hookproof_spec.keyed import maker
from hookproof_spec.notation import TIME_READERS, WRITERS
from hookproof_spec.request import Request
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.stamps import Stamp, stamp_reader
from hookproof_spec.verification import Reason, Verification

CLOCK_SKEW = 60.0
"""How many seconds a sender's clock may run ahead before a request is `from the future`."""

Check = Callable[[bytes, str], bool]
_verdict = tuple.__new__  # what Verification(…) calls, in half its time


@final
@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    """One secret: its checks of a signature and of the one by a second key."""

    secret: bytes
    key_id: str
    first: Check
    second: Check | None

    def accepts(self, content: bytes, stamp: Stamp) -> bool:
        matched = False
        for signature in stamp.signatures:
            matched |= self.first(content, signature)
        if self.second is not None:
            matched |= self.second(content, stamp.second)
        others = stamp.others
        return matched and (not others or others.get("key-id", self.key_id) == self.key_id)


@final
class Verifier:
    """Verifies under one scheme with one or more keys (several during a rotation)."""

    __slots__ = (
        "_content",
        "_fits",
        "_keys",
        "_moment",
        "_nonce_bytes",
        "_of_key",
        "_read",
        "_timestamp_bytes",
        "_tolerance",
        "scheme",
    )

    def __init__(self, scheme: SignatureScheme, secrets: str | Iterable[str]) -> None:
        """Take the secret that is valid now, or several during a rotation.

        Raises:
            SecretError: there is none, or one is not in the declared form, or is empty: an empty
                key would make every signature that anyone computes a valid one.
        """
        given = (secrets,) if isinstance(secrets, str) else secrets
        self.scheme = scheme
        self._keys = tuple(_key(scheme, secret) for secret in given)
        if not self._keys:
            raise SecretError("no secret is given", hint="give the webhook's secret key")
        self._read = stamp_reader(scheme)
        self._moment = TIME_READERS[scheme.timestamp.unit] if scheme.timestamp else None
        self._tolerance = scheme.timestamp.tolerance if scheme.timestamp else None
        self._fits = scheme.nonce.check() if scheme.nonce else None
        self._content = content_writer(scheme.content, placing.unit_of(scheme))
        self._of_key = not {"secret", "key-id"}.isdisjoint(scheme.content.bases)
        self._timestamp_bytes = to_bytes(scheme, "timestamp")
        self._nonce_bytes = to_bytes(scheme, "nonce")

    def __repr__(self) -> str:
        return f"Verifier({self.scheme.algorithm.value}, {len(self._keys)} keys)"

    def verify(
        self, request: Request, now: float, *, tolerance: float | None = None
    ) -> Verification:
        """Judge a request: its values, their shape, the signature, the age, in this order.

        Args:
            request: what arrived.
            now: Unix seconds.
            tolerance: the oldest age to accept in seconds, instead of the declared one.
        """
        stamp = self._read(request)
        if isinstance(stamp, Verification):
            return stamp
        moment, nonce, age = None, None, None
        if self._moment is not None:
            moment = self._moment(stamp.timestamp)
            if moment is None:
                return Verification(Reason.MALFORMED_HEADER, "the timestamp is not a time")
            age = now - moment
        if self._fits is not None:
            nonce = stamp.nonce
            if not self._fits(nonce):
                return Verification(Reason.MALFORMED_NONCE, "the nonce has not the declared shape")
        if not self._is_genuine(stamp, request):
            detail = "the signature belongs to other bytes or another key"
            return Verification(Reason.WRONG_SIGNATURE, detail, moment, nonce, age)
        limit = self._tolerance if tolerance is None else tolerance
        if age is not None and (age < -CLOCK_SKEW or (limit is not None and age > limit)):
            return Verification(*_aged(age, limit), moment, nonce, age)
        return _verdict(Verification, (None, "", moment, nonce, age, ()))

    def _is_genuine(self, stamp: Stamp, request: Request) -> bool:
        if self.scheme.inside:
            request = placing.without_signatures(self.scheme, request)
        facts: Facts = (
            self._timestamp_bytes(stamp.timestamp),
            self._nonce_bytes(stamp.nonce),
            request.body,
            request,
            b"",
            b"",
        )
        content = b"" if self._of_key else self._content(facts)
        matched = False
        for key in self._keys:
            if self._of_key:
                content = self._content((*facts[:4], key.secret, parts.utf8(key.key_id)))
            matched |= key.accepts(content, stamp)
        return matched and not (stamp.others and self._is_odd(stamp, request))

    def _is_odd(self, stamp: Stamp, request: Request) -> bool:
        """Tell whether a digest or a later time that travels is not what it should be."""
        right = placing.digests(self.scheme, request)
        right |= placing.later_times(self.scheme, stamp.timestamp)
        return any(stamp.others.get(name, text) != text for name, text in right.items())


def _aged(age: float, limit: float | None) -> tuple[Reason, str]:
    if limit is not None and age > limit:
        return Reason.STALE, f"{age:.0f} s old; at most {limit:g} s are accepted"
    return Reason.FROM_THE_FUTURE, f"{-age:.0f} s ahead of the receiver's clock"


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


def _key(scheme: SignatureScheme, secret: str) -> _Key:
    secrets = scheme.secrets(secret)
    return _Key(
        secret=scheme.key.key(secrets.first) if scheme.algorithm.is_bare else b"",
        key_id=secrets.key_id,
        first=_check(scheme, secrets.first),
        second=None if secrets.second is None else _check(scheme, secrets.second),
    )


def _check(scheme: SignatureScheme, secret: str) -> Check:
    if not scheme.algorithm.is_shared:
        return asymmetric.verifying_function(scheme, secret)
    if not scheme.key.key(secret):
        raise SecretError("the secret is empty", hint="set it to the webhook's secret key")
    make, write = maker(scheme, secret), WRITERS[scheme.encoding]

    def check(content: bytes, signature: str) -> bool:
        return signature.isascii() and hmac.compare_digest(write(make(content)), signature)

    return check
