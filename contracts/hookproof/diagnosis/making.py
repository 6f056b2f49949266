"""How one signature is made, step by step, so that a mistake can get one step wrong."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import final

from hookproof_spec.errors import SecretError
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.signing import Delivery, Reason, Signer, Verifier
from hookproof_spec.templates import Template


class Step(StrEnum):
    """The step that a mistake gets wrong. Two mistakes are joined only where their steps differ."""

    BODY = "body"
    CONTENT = "content"
    KEY = "key"
    TIME = "time"
    URL = "url"
    HASH = "hash"
    WRITING = "writing"


def keyed(key: bytes, content: bytes, hash_name: str) -> bytes:
    """Return an HMAC."""
    return hmac.digest(key, content, hash_name)


def secret_first(key: bytes, content: bytes, hash_name: str) -> bytes:
    """Return a plain hash of key and content."""
    return hashlib.new(hash_name, key + content).digest()


def secret_last(key: bytes, content: bytes, hash_name: str) -> bytes:
    """Return a plain hash of content and key."""
    return hashlib.new(hash_name, content + key).digest()


def exchanged(key: bytes, content: bytes, hash_name: str) -> bytes:
    """Return an HMAC of the key, made with the content as its key."""
    return hmac.digest(content, key, hash_name)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """A signature in the making.

    `delivery` has the values and the scheme whose content is signed. `issued` is the secret as it
    was given, `secret` the one in it that signs. `hash_name` is that of the HMAC; "" where the
    scheme signs in another way, which is then taken as it is. `write` turns the raw signature into
    text.
    """

    delivery: Delivery
    issued: str = field(repr=False)
    secret: str = field(repr=False)
    key: bytes = field(repr=False)
    hash_name: str
    mix: Callable[[bytes, bytes, str], bytes] = keyed
    write: Callable[[bytes], str]

    @classmethod
    def of(cls, delivery: Delivery, issued: str) -> Making:
        """Return the way in which a scheme makes a signature.

        Raises:
            SecretError: the secret is not in the form that the scheme declares.
        """
        scheme = delivery.scheme
        secret = scheme.secrets(issued).first
        is_keyed = scheme.algorithm.is_keyed
        return cls(
            delivery=delivery,
            issued=issued,
            secret=secret,
            key=scheme.key.key(secret) if is_keyed else b"",
            hash_name=(scheme.algorithm.hash_name or "") if is_keyed else "",
            write=scheme.encoding.write,
        )

    @property
    def scheme(self) -> SignatureScheme:
        """The scheme, whose content a mistake may have changed."""
        return self.delivery.scheme

    @property
    def content(self) -> bytes:
        """The bytes that are signed."""
        return self.delivery.signed_bytes

    def signature(self) -> str:
        """Return the signature as it is written.

        Raises:
            SecretError: the key can verify, and cannot sign.
        """
        if not self.hash_name:
            return Signer(self.scheme, self.issued).expected(self.delivery.request)[0]
        return self.write(self.mix(self.key, self.content, self.hash_name))

    def made(self, signatures: Container[str]) -> bool:
        """Tell whether one of these signatures is made in this way."""
        if self.scheme.algorithm.is_shared:
            return self.signature() in signatures
        return _verifies(self.delivery, self.issued)

    def with_body(self, body: bytes | None) -> Making | None:
        """Return the making of a signature over another body; None where there is no other."""
        if body is None or body == self.delivery.body:
            return None
        return replace(self, delivery=self.delivery.with_body(body))

    def with_key(self, key: bytes | None) -> Making | None:
        """Return the making of a signature with another key; None where there is no other."""
        if key is None or key == self.key or not self.hash_name:
            return None
        return replace(self, key=key)

    def with_content(self, text: str) -> Making | None:
        """Return the making of a signature over another content; None where it is no other."""
        if text == self.scheme.content.text:
            return None
        scheme = replace(self.scheme, content=Template.parse(text))
        return replace(self, delivery=replace(self.delivery, scheme=scheme))


def _verifies(delivery: Delivery, secret: str) -> bool:
    """Tell whether a delivery's signature belongs to its values, whatever their age."""
    try:
        verdict = Verifier(delivery.scheme, secret).verify(delivery.request, 0.0)
    except SecretError:
        return False
    return verdict.reason in (None, Reason.STALE, Reason.FROM_THE_FUTURE)
