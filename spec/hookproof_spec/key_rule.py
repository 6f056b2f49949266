"""How a secret, as it was issued, becomes the bytes of a key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from hookproof_spec.errors import SecretError
from hookproof_spec.notation import KeyText


class KeyDigest(StrEnum):
    """The hash that is taken of the key's bytes at last."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


class UnicodeForm(StrEnum):
    """The Unicode normalisation form in which the secret's text is taken."""

    NFC = "NFC"
    NFD = "NFD"
    NFKC = "NFKC"
    NFKD = "NFKD"


@final
@dataclass(frozen=True, slots=True)
class KeyRule:
    """How a secret becomes key bytes: normalise, strip the prefix, decode, hash; in this order."""

    text: KeyText = KeyText.UTF8
    without: str = ""
    digest: KeyDigest | None = None
    normalize: UnicodeForm | None = None

    def key(self, secret: str) -> bytes:
        """Return the key's bytes; none where there is no secret, which a hash would hide.

        Raises:
            SecretError: the secret is not in the declared form.
        """
        if self.normalize is not None:
            secret = unicodedata.normalize(self.normalize.value, secret)
        raw = self._decoded(secret.removeprefix(self.without))
        return hashlib.new(self.digest.value, raw).digest() if self.digest and raw else raw

    def _decoded(self, material: str) -> bytes:
        try:
            match self.text:
                case KeyText.UTF8:
                    return material.encode()
                case KeyText.BASE64:
                    padded = material.rstrip("=") + "=" * (-len(material.rstrip("=")) % 4)
                    return base64.b64decode(padded, altchars=b"+/", validate=True)
                case KeyText.HEX:
                    return binascii.unhexlify(material)
        except (binascii.Error, ValueError) as error:
            raise SecretError(
                f"the secret is not {self.text.value}",
                hint="check that it was copied whole, without quotes or a line's end",
            ) from error


AS_ISSUED = KeyRule()
"""The secret's own text as UTF-8."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """A secret taken apart: the name of the key, the key's secret, and that of a second key."""

    key_id: str
    first: str
    second: str | None

    @property
    def each(self) -> tuple[str, ...]:
        """Every part that must stay secret."""
        return (self.first,) if self.second is None else (self.first, self.second)

    def __repr__(self) -> str:
        return "Secrets()"


def split_secret(secret: str, *, named: bool, paired: bool) -> Secrets:
    """Take `name:secret` or `secret:secret` apart; a name comes first, where there is one.

    Raises:
        SecretError: the name, or the second secret, is missing.
    """
    key_id, first, second = "", secret, None
    if named:
        key_id, colon, first = first.partition(":")
        if not colon or not key_id:
            raise SecretError("the key's name is missing", hint="give it as name:secret")
    if paired:
        first, colon, second = first.partition(":")
        if not colon:
            raise SecretError("the second secret is missing", hint="give both as first:second")
    return Secrets(key_id, first, second)
