"""Making signatures: from a scheme and a secret to a function of the content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from hookproof_spec import asymmetric
from hookproof_spec.notation import WRITERS
from hookproof_spec.scheme import SignatureScheme

Make = Callable[[bytes], bytes]


def maker(scheme: SignatureScheme, secret: str) -> Make:
    """Return the function that signs a content, with one key's own secret.

    Raises:
        SecretError: the secret is not in the form that the scheme declares.
    """
    hash_name = scheme.algorithm.hash_name
    if hash_name is None:
        return asymmetric.signing_function(scheme, secret)
    key = scheme.key.key(secret)
    return keyed_hash(key, hash_name) if scheme.algorithm.is_keyed else bare_hash(hash_name)


def written(scheme: SignatureScheme, make: Make) -> Callable[[bytes], str]:
    """Return the function that signs a content and encodes the signature."""
    write = WRITERS[scheme.encoding]
    return lambda content: write(make(content))


def bare_hash(hash_name: str) -> Make:
    """Return a plain hash."""
    return lambda content: hashlib.new(hash_name, content).digest()


def keyed_hash(key: bytes, hash_name: str) -> Make:
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
