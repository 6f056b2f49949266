"""A signed request taken apart: what was signed, with which kind of key, and where it travels.

Pure, and without any secret: everything here can be seen by whoever sees the request. The pieces of
a carried value joined are that value; the pieces of the content joined are the bytes that a
signature is computed from, less the secret where it is part of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from hookproof_spec import parts, placing
from hookproof_spec.content import Facts, content_writer
from hookproof_spec.delivery import to_bytes
from hookproof_spec.request import Request
from hookproof_spec.scheme import (
    Algorithm,
    Carried,
    CarriedHeader,
    Encoding,
    KeyRule,
    KeyText,
    SignatureScheme,
    Where,
)
from hookproof_spec.templates import ItemsHeader, PlainHeader, Repeat, Template, base_of


class Role(StrEnum):
    """What a piece of a carried value or of the signed content is."""

    TIMESTAMP = "timestamp"
    NONCE = "nonce"
    BODY = "body"
    SIGNATURE = "signature"
    REQUEST = "request"
    KEY_NAME = "key-name"
    SECRET = "secret"
    FIXED = "fixed"


_ROLES: Mapping[str, Role] = {
    "timestamp": Role.TIMESTAMP,
    "nonce": Role.NONCE,
    "body": Role.BODY,
    "fields": Role.BODY,
    "field": Role.BODY,
    "json": Role.BODY,
    "signature": Role.SIGNATURE,
    "signatures": Role.SIGNATURE,
    "signature2": Role.SIGNATURE,
    "key-id": Role.KEY_NAME,
    "secret": Role.SECRET,
}


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text with one meaning; `name` is its placeholder, empty for fixed text.

    A secret's piece has no text.
    """

    role: Role
    data: bytes
    name: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Travelling:
    """A place in which values travel, as it was sent. `pieces` is empty where it is missing."""

    place: Carried
    pieces: tuple[Piece, ...]
    problem: str = ""

    @property
    def text(self) -> str:
        """The whole value."""
        encoding = "latin-1" if self.place.where is Where.HEADER else "utf-8"
        return b"".join(piece.data for piece in self.pieces).decode(encoding, "surrogateescape")


@final
@dataclass(frozen=True, slots=True)
class Digest:
    """A signature as it was written, and its bytes; None where the text is not so encoded."""

    text: str
    raw: bytes | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """A request taken apart under a scheme.

    `content` is empty where a value that is signed cannot be read from the request. `moment` is
    the timestamp in Unix seconds; `nonce_fits` whether the nonce has its declared shape, None
    where there is nothing to compare.
    """

    scheme: SignatureScheme
    content: tuple[Piece, ...]
    travelling: tuple[Travelling, ...]
    digests: tuple[Digest, ...]
    moment: float | None
    nonce_fits: bool | None

    @property
    def signed(self) -> bool:
        """Tell whether the request carries a signature at all, right or wrong."""
        return bool(self.digests)

    @property
    def content_size(self) -> int:
        """How many bytes are signed, less a secret."""
        return sum(len(piece.data) for piece in self.content)

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps a receiver from reading the signature."""
        return tuple(f"{each.place}: {each.problem}" for each in self.travelling if each.problem)


def take_apart(scheme: SignatureScheme, request: Request) -> Anatomy:
    """Return a request's signature in pieces; total, also for forgeries and unsigned requests."""
    travelling = tuple(_travelling(scheme, place, request) for place in scheme.carried)
    pieces = [piece for each in travelling for piece in each.pieces]
    values = {piece.name: piece.data for piece in reversed(pieces)}
    signatures = [p.data.decode("latin-1") for p in pieces if p.role is Role.SIGNATURE]
    timestamp, nonce = values.get("timestamp"), values.get("nonce")
    return Anatomy(
        scheme=scheme,
        content=_content(scheme, request, values),
        travelling=travelling,
        digests=tuple(Digest(text, scheme.encoding.read(text)) for text in signatures),
        moment=_moment(scheme, timestamp),
        nonce_fits=_fits(scheme, nonce),
    )


def _moment(scheme: SignatureScheme, timestamp: bytes | None) -> float | None:
    if scheme.timestamp is None or timestamp is None:
        return None
    return scheme.timestamp.unit.read(timestamp.decode("latin-1"))


def _fits(scheme: SignatureScheme, nonce: bytes | None) -> bool | None:
    if scheme.nonce is None or nonce is None:
        return None
    return scheme.nonce.matches(nonce.decode("latin-1"))


# --- what is signed -----------------------------------------------------------------------------


def _content(
    scheme: SignatureScheme, request: Request, values: Mapping[str, bytes]
) -> tuple[Piece, ...]:
    template = scheme.content
    if any(base in ("timestamp", "nonce") and base not in values for base in template.bases):
        return ()
    bare = placing.without_signatures(scheme, request)
    timestamp, nonce = values.get("timestamp", b""), values.get("nonce", b"")
    facts: Facts = (timestamp, nonce, bare.body, bare, b"", values.get("key-id", b""))
    unit = placing.unit_of(scheme)
    pieces = [_fixed(template.literals[0])]
    for name, literal in zip(template.names, template.literals[1:], strict=True):
        data = content_writer(Template.parse(f"{{{name}}}"), unit)(facts)
        pieces += [Piece(_role(name), data, name), _fixed(literal)]
    return tuple(piece for piece in pieces if piece.name or piece.data)


def _role(name: str) -> Role:
    return _ROLES.get(base_of(name), Role.REQUEST)


def _fixed(text: str) -> Piece:
    return Piece(Role.FIXED, text.encode("utf-8", "surrogateescape"))


# --- where it travels ---------------------------------------------------------------------------


def _travelling(scheme: SignatureScheme, place: Carried, request: Request) -> Travelling:
    found = _found(place, request)
    if not found:
        return Travelling(place=place, pieces=(), problem="the request does not have it")
    text, shape = found[0].strip(" \t"), place.shape
    read = shape.read(text, scheme.repeat)
    problem = read if isinstance(read, str) else ""
    if len(found) > 1:
        problem = f"it stands {len(found)} times; the first is shown"
    runs = (
        _plain(shape, text, scheme.repeat)
        if isinstance(shape, PlainHeader)
        else _items(shape, text)
    )
    pieces = tuple(_piece(scheme, place, name, run) for name, run in runs if name or run)
    return Travelling(place=place, pieces=pieces, problem=problem)


def _found(place: Carried, request: Request) -> tuple[str, ...]:
    if isinstance(place, CarriedHeader):
        return request.header_values(place.name)
    if place.where is Where.JSON:
        text = parts.json_text(request.body, place.name)
        return () if text is None else (text,)
    encoded = parts.query(request.url) if place.where is Where.QUERY else request.body
    return tuple(
        value.decode("utf-8", "surrogateescape") for value in parts.values(encoded, place.name)
    )


def _piece(scheme: SignatureScheme, place: Carried, name: str, text: str) -> Piece:
    if place.where is Where.HEADER:
        data = to_bytes(scheme, name)(text) if name else text.encode("latin-1", "replace")
    else:
        data = text.encode("utf-8", "surrogateescape")
    return Piece(_role(name) if name else Role.FIXED, data, name)


Run = tuple[str, str]
"""A placeholder's name, or "" for fixed text, and what stands there."""


def _plain(shape: PlainHeader, value: str, repeat: Repeat | None) -> Iterator[Run]:
    if not value.startswith(shape.prefix):
        yield "", value
        return
    yield "", shape.prefix
    rest = value[len(shape.prefix) :]
    if shape.name == "signatures" and repeat is not None:
        yield from _repeated(repeat, rest)
    else:
        yield shape.name, rest


def _repeated(repeat: Repeat, value: str) -> Iterator[Run]:
    for number, item in enumerate(value.split(repeat.separator)):
        yield "", repeat.separator if number else ""
        bare = item.strip()
        if not bare.startswith(repeat.prefix):
            yield "", item
            continue
        start = item.index(bare)
        yield "", item[: start + len(repeat.prefix)]
        yield "signatures", bare[len(repeat.prefix) :]
        yield "", item[start + len(bare) :]


def _items(shape: ItemsHeader, value: str) -> Iterator[Run]:
    for number, item in enumerate(value.split(shape.separator)):
        yield "", shape.separator if number else ""
        key, equals, rest = item.partition("=")
        name = shape.keys.get(key.strip(" "), "")
        if not equals or not name:
            yield "", item
            continue
        bare = rest.rstrip(" ")
        yield "", key + equals
        yield name, bare
        yield "", rest[len(bare) :]


# --- in words -----------------------------------------------------------------------------------


def key_words(algorithm: Algorithm, key: KeyRule) -> str:
    """Say how a secret, as it was issued, becomes the key; never its text."""
    if not algorithm.is_shared:
        return "the private key of a pair; a receiver needs only the public one"
    prefix = f" without its prefix {key.without}" if key.without else ""
    words = {
        KeyText.UTF8: f"the UTF-8 bytes of the secret key{prefix}",
        KeyText.BASE64: f"the secret key{prefix}, decoded from base64",
        KeyText.HEX: f"the secret key{prefix}, decoded from hexadecimal",
    }[key.text]
    if key.normalize is not None:
        words += f", normalised to {key.normalize.value} first"
    if key.digest is not None:
        words += f", and of that the {key.digest.value.upper()}"
    return words


def formula(algorithm: Algorithm) -> tuple[str, ...]:
    """Return how the signature's bytes are computed, a line for each step."""
    name = (algorithm.hash_name or algorithm.value.rpartition("-")[2]).upper()
    if algorithm.is_keyed:
        return (
            f"inner = {name}((key ⊕ 36 36 36 …) ‖ content)",
            f"digest = {name}((key ⊕ 5c 5c 5c …) ‖ inner)",
        )
    if algorithm.is_bare:
        return (f"digest = {name}(content)",)
    match algorithm:
        case Algorithm.ED25519:
            return ("signature = Ed25519(private key, content)",)
        case Algorithm.ECDSA_P256_SHA256:
            return (f"digest = {name}(content)", "signature = ECDSA P-256(private key, digest)")
        case _:
            return (
                f"digest = {name}(content)",
                "signature = RSA PKCS #1(private key, digest)",
            )


def encoding_words(encoding: Encoding) -> str:
    """Say how the signature's bytes are written as text."""
    match encoding:
        case Encoding.HEX:
            return "two lower-case hexadecimal digits a byte"
        case Encoding.BASE64:
            return "base64, padded with ="
        case Encoding.BASE64URL:
            return "base64url, without padding"
