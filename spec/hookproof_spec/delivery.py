"""A signed request taken apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

from hookproof_spec import parts, placing
from hookproof_spec.content import Facts, content_writer
from hookproof_spec.notation import on_the_wire
from hookproof_spec.request import Header, Request
from hookproof_spec.scheme import CarriedInside, SignatureScheme
from hookproof_spec.stamps import readable_values

ToBytes = Callable[[str], bytes]


def to_bytes(scheme: SignatureScheme, name: str) -> ToBytes:
    """Return how a value's text becomes bytes: UTF-8, but in headers a byte for each character."""
    inside = isinstance(scheme.place_of(name), CarriedInside)
    return parts.utf8 if inside else on_the_wire


def received_facts(scheme: SignatureScheme, request: Request) -> Facts:
    """Return what there is to sign in a request as it arrived, without secret and key's name.

    A timestamp or nonce that cannot be read is the empty text.
    """
    timestamp, nonce = readable_values(scheme, request)
    before = placing.without_signatures(scheme, request)
    return (
        to_bytes(scheme, "timestamp")(timestamp),
        to_bytes(scheme, "nonce")(nonce),
        before.body,
        before,
        b"",
        b"",
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A signed request taken apart, so that a forgery is one `with_…` away from the genuine one.

    `request` writes it. The texts of timestamp, nonce, signatures and the rest travel as they stand
    here, whether or not they fit each other; `headers` are the request's other header lines, and
    `url` and `body` are as they are before values are put into them. `others` are the texts of
    other placeholders: the key's name, digests of the body, the signature by a second key.
    """

    scheme: SignatureScheme
    method: str
    url: str
    headers: tuple[Header, ...]
    body: bytes
    timestamp: str
    nonce: str
    signatures: tuple[str, ...]
    others: tuple[tuple[str, str], ...] = ()

    @property
    def request(self) -> Request:
        """The request that carries these values."""
        scheme, values = self.scheme, self._values
        lines = [(header.name, header.template.render(values)) for header in scheme.headers]
        request = Request(self.method, self.url, (*self.headers, *lines), self.body)
        return placing.filled(request, scheme.inside, values) if scheme.inside else request

    @property
    def signed_bytes(self) -> bytes:
        """The content that a signature of these values would be computed from.

        Where the secret is part of the content, it is left out here.
        """
        scheme, values = self.scheme, self._values
        bare = Request(self.method, self.url, self.headers, self.body)
        request = placing.prepared(scheme, bare, values)
        facts: Facts = (
            to_bytes(scheme, "timestamp")(self.timestamp),
            to_bytes(scheme, "nonce")(self.nonce),
            request.body,
            request,
            b"",
            parts.utf8(values.get("key-id", "")),
        )
        return content_writer(scheme.content, placing.unit_of(scheme))(facts)

    @property
    def _values(self) -> dict[str, str]:
        scheme = self.scheme
        values = {
            "timestamp": self.timestamp,
            "nonce": self.nonce,
            "signature": self.signatures[0] if self.signatures else "",
        }
        if scheme.repeat is not None:
            values["signatures"] = scheme.repeat.write(self.signatures)
        if self.others:
            values.update(self.others)
        if scheme.later_times:
            values |= placing.later_times(scheme, self.timestamp)
        return values

    def with_signature(self, *signatures: str) -> Delivery:
        """Return a copy that carries other signatures; one by a second key is the first of them."""
        first = signatures[0] if signatures else ""
        others = tuple((n, first if n == "signature2" else text) for n, text in self.others)
        return replace(self, signatures=signatures, others=others)

    def with_timestamp(self, timestamp: str) -> Delivery:
        """Return a copy that claims another time; the signature stays."""
        return replace(self, timestamp=timestamp)

    def with_nonce(self, nonce: str) -> Delivery:
        """Return a copy that claims another nonce; the signature stays."""
        return replace(self, nonce=nonce)

    def with_body(self, body: bytes) -> Delivery:
        """Return a copy with another body; the signature stays, and so do digests beside it."""
        return replace(self, body=body)
