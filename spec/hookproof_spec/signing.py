"""Signing: a total function of a scheme, a key, a request, a time and a nonce.

Nothing here reads a clock, draws a random number or does input or output. A scheme is compiled once
into functions; signing then calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import final

from hookproof_spec import parts, placing
from hookproof_spec.content import Facts, content_writer
from hookproof_spec.delivery import Delivery, received_facts, to_bytes
from hookproof_spec.keyed import keyed_hash, maker, written
from hookproof_spec.notation import TIME_WRITERS
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.templates import Template
from hookproof_spec.verification import Reason, Verification
from hookproof_spec.verifying import CLOCK_SKEW, Verifier, verify

__all__ = [
    "CLOCK_SKEW",
    "Delivery",
    "Reason",
    "Signer",
    "Verification",
    "Verifier",
    "keyed_hash",
    "sign",
    "verify",
]

LineWriter = Callable[[str, str, str], tuple[Header, ...]]
"""Writes header lines from timestamp, nonce and signature."""
Pick = Callable[[tuple[str, ...]], object]

_OF_THE_SENDER = frozenset({"timestamp", "nonce", "body", "secret", "key-id"})
"""What content is made of where the rest of the request does not matter."""
_IN_HEADERS = ("timestamp", "nonce", "signature", "signatures")


@final
class Signer:
    """Signs with one key under one scheme; the key's hash states are made once and kept."""

    __slots__ = (
        "_content",
        "_key_id",
        "_key_id_bytes",
        "_lines",
        "_nonce_bytes",
        "_second",
        "_secret",
        "_time",
        "_timestamp_bytes",
        "_whole",
        "scheme",
        "signature",
    )

    def __init__(self, scheme: SignatureScheme, secret: str) -> None:
        """Take a secret as it was issued.

        Raises:
            SecretError: it is not in the form that the scheme declares.
        """
        secrets = scheme.secrets(secret)
        self.scheme = scheme
        self.signature: Callable[[bytes], str] = written(scheme, maker(scheme, secrets.first))
        """Returns the encoded signature of some content."""
        self._second = (
            None if secrets.second is None else written(scheme, maker(scheme, secrets.second))
        )
        self._secret = scheme.key.key(secrets.first) if scheme.algorithm.is_bare else b""
        self._key_id = secrets.key_id
        self._key_id_bytes = parts.utf8(secrets.key_id)
        self._content = content_writer(scheme.content, placing.unit_of(scheme))
        self._time = TIME_WRITERS[scheme.timestamp.unit] if scheme.timestamp else _no_time
        self._timestamp_bytes = to_bytes(scheme, "timestamp")
        self._nonce_bytes = to_bytes(scheme, "nonce")
        self._lines = _line_writers(scheme)
        self._whole = self._lines is None

    def __repr__(self) -> str:
        return f"Signer({self.scheme.algorithm.value})"

    def sign(self, request: Request, *, timestamp: float | str, nonce: str) -> Delivery:
        """Sign a request.

        Args:
            request: what of it the scheme carries is replaced.
            timestamp: Unix seconds, or a text that is signed and sent as it stands.
            nonce: the identifier of this delivery; left out where the scheme has none.

        Raises:
            ValueError, OverflowError: the scheme writes calendar dates, and the time is beyond
                the year 9999.
        """
        text = timestamp if isinstance(timestamp, str) else self._time(timestamp)
        headers = self._other_headers(request)
        prepared = request
        if self._whole:
            prepared = self._prepared(request.with_headers(headers), text, nonce)
        content = self._content(self._facts(prepared, text, nonce))
        return Delivery(
            scheme=self.scheme,
            method=request.method,
            url=request.url,
            headers=headers,
            body=request.body,
            timestamp=text,
            nonce=nonce,
            signatures=(self.signature(content),),
            others=self._others(prepared, content) if self._whole else (),
        )

    def signed(self, request: Request, *, timestamp: float | str, nonce: str) -> Request:
        """Sign a request and return it, as `sign(…).request` does; the quickest way.

        Raises:
            ValueError, OverflowError: see `sign`.
        """
        if self._lines is None:
            return self.sign(request, timestamp=timestamp, nonce=nonce).request
        lines = self.headers(request, timestamp=timestamp, nonce=nonce)
        headers = self._other_headers(request) + lines
        return Request(request.method, request.url, headers, request.body)

    def headers(
        self, request: Request, *, timestamp: float | str, nonce: str
    ) -> tuple[Header, ...]:
        """Return the header lines that sign a request.

        They are all of it where the scheme carries nothing elsewhere.

        Raises:
            ValueError, OverflowError: see `sign`.
        """
        if self._lines is None:
            signed = self.sign(request, timestamp=timestamp, nonce=nonce).request
            return tuple(
                line for line in signed.headers if line[0].lower() in self.scheme.header_names
            )
        text = timestamp if isinstance(timestamp, str) else self._time(timestamp)
        signature = self.signature(self._content(self._facts(request, text, nonce)))
        return self._lines(text, nonce, signature)

    def expected(self, request: Request) -> tuple[str, ...]:
        """Return the signatures that would be right for a request as it stands.

        For those who keep them from being shown, and for those who explain a wrong one.
        """
        facts = received_facts(self.scheme, request)
        content = self._content((*facts[:4], self._secret, self._key_id_bytes))
        second = () if self._second is None else (self._second(content),)
        return (self.signature(content), *second)

    def _others(self, prepared: Request, content: bytes) -> tuple[tuple[str, str], ...]:
        second = "" if self._second is None else self._second(content)
        others = {"key-id": self._key_id, "signature2": second}
        return tuple((others | placing.digests(self.scheme, prepared)).items())

    def _other_headers(self, request: Request) -> tuple[Header, ...]:
        names = self.scheme.header_names
        return tuple([line for line in request.headers if line[0].lower() not in names])

    def _prepared(self, bare: Request, timestamp: str, nonce: str) -> Request:
        values = {
            "timestamp": timestamp,
            "nonce": nonce,
            "key-id": self._key_id,
            **placing.later_times(self.scheme, timestamp),
        }
        return placing.prepared(self.scheme, bare, values)

    def _facts(self, request: Request, timestamp: str, nonce: str) -> Facts:
        return (
            self._timestamp_bytes(timestamp),
            self._nonce_bytes(nonce),
            request.body,
            request,
            self._secret,
            self._key_id_bytes,
        )


def _no_time(_: float) -> str:
    return ""


def _line_writers(scheme: SignatureScheme) -> LineWriter | None:
    """Return what writes the headers from timestamp, nonce and signature, where that is all."""
    names = {name for place in scheme.carried for name in place.template.names}
    whole = not set(scheme.content.bases) <= _OF_THE_SENDER
    if scheme.inside or whole or not names <= set(_IN_HEADERS):
        return None
    writers = [(header.name, *_picked(header.template)) for header in scheme.headers]
    prefix = scheme.repeat.prefix if scheme.repeat else ""

    def write(timestamp: str, nonce: str, signature: str) -> tuple[Header, ...]:
        values = (timestamp, nonce, signature, prefix + signature)
        return tuple([(name, form % pick(values)) for name, form, pick in writers])

    return write if len(writers) != 1 else _line_writer(*writers[0], prefix)


def _line_writer(name: str, form: str, pick: Pick, prefix: str) -> LineWriter:
    """Return what writes the only header, in half the time."""

    def write(timestamp: str, nonce: str, signature: str) -> tuple[Header, ...]:
        return ((name, form % pick((timestamp, nonce, signature, prefix + signature))),)

    return write


def _picked(template: Template) -> tuple[str, Pick]:
    return template.form, itemgetter(*map(_IN_HEADERS.index, template.names))


def sign(
    scheme: SignatureScheme, request: Request, secret: str, *, timestamp: float | str, nonce: str
) -> Request:
    """Return the request with the scheme's values in place.

    Raises:
        SecretError: the secret is not in the form that the scheme declares.
    """
    return Signer(scheme, secret).signed(request, timestamp=timestamp, nonce=nonce)
