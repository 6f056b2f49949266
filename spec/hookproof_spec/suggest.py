"""Proposals for `x-webhook-signature`, for documents that do not have it yet.

What is known comes from the documents that are shipped: a header of theirs is recognised by its
name, or by a description that speaks of it. Where none is, a sample of the header, or the words
about it, are read; what they leave open is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast, final

from hookproof_spec import guessing
from hookproof_spec.documents import load
from hookproof_spec.documents.files import locate, names, parse_file
from hookproof_spec.documents.operations import operations
from hookproof_spec.documents.resolve import Library, Place
from hookproof_spec.documents.security import EXTENSION, signature_of
from hookproof_spec.nodes import str_of
from hookproof_spec.scheme_reader import read_scheme

if TYPE_CHECKING:
    from hookproof_spec.webhook import JsonValue

_LIKELY = re.compile(r"sign|hmac", re.I)
_SIGNATURES = re.compile(r"\{signatures?\}")


@final
@dataclass(frozen=True, slots=True)
class Known:
    """A scheme of a shipped document: the header of its signature, and its extension."""

    document: str
    title: str
    header: str
    extension: Mapping[str, JsonValue]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A proposal for one security scheme.

    `found_at` is the JSON pointer of what it was made from, `reason` says how. `missing` are the
    pointers of the operations that do not name the scheme under `security` yet, `declared` tells
    whether the security scheme is there. `open` is what has to be filled in or confirmed.
    """

    scheme: str
    header: str
    found_at: str
    reason: str
    extension: Mapping[str, JsonValue]
    open: tuple[str, ...]
    declared: bool
    missing: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class _Candidate:
    """A header that may carry a signature: a security scheme, or a parameter of operations.

    `missing` are the pointers of the operations that should name it under `security`.
    """

    name: str
    header: str
    place: Place
    declared: bool
    missing: tuple[str, ...]

    @property
    def words(self) -> str:
        return " ".join(
            str_of(self.place.child(*way).value)
            for way in (("description",), ("schema", "description"))
        )

    @property
    def sample(self) -> str:
        ways = (("example",), ("schema", "example"), ("schema", "examples", 0))
        return next(filter(None, (str_of(self.place.child(*way).value) for way in ways)), "")


@cache
def known_schemes() -> tuple[Known, ...]:
    """Return the schemes of all shipped documents that this version can read."""
    return tuple(scheme for name in names() for scheme in _schemes_of(name))


def _schemes_of(name: str) -> Iterator[Known]:
    root = Place(locate(name), "", parse_file(locate(name)))
    declared = root.child("components", "securitySchemes")
    for key in declared.value if isinstance(declared.value, dict) else {}:
        extension = declared.child(key, EXTENSION).value
        headers = Place(root.file, "", extension).child("carry", "header").value
        if read_scheme(extension, pointer="")[0] is None or not isinstance(headers, dict):
            continue
        header = next((h for h, text in headers.items() if _SIGNATURES.search(text)), None)
        if header is not None:
            title = str_of(root.child("info", "title").value)
            yield Known(name, title, header, cast("Mapping[str, JsonValue]", extension))


def suggest(path_or_name: str | Path) -> tuple[Suggestion, ...]:
    """Return a proposal for every header that may carry a signature and is not described yet.

    Raises:
        DocumentError: there is no such document, or it cannot be read, or has no webhooks.
    """
    unsigned, library = _unsigned(path_or_name)
    schemes = [*_schemes(unsigned, library)]
    named = {candidate.name for candidate in schemes}
    bare = [place for place in unsigned if not named & set(_named(place, library))]
    return tuple(_suggestion(candidate) for candidate in (*schemes, *_parameters(bare, library)))


def unsigned_operations(path_or_name: str | Path) -> tuple[str, ...]:
    """Return the JSON pointers of the operations that declare no signature.

    Raises:
        DocumentError: there is no such document, or it cannot be read, or has no webhooks.
    """
    return _pointers(_unsigned(path_or_name)[0])


def _unsigned(path_or_name: str | Path) -> tuple[list[Place], Library]:
    document = load(path_or_name)  # tells what is no document with webhooks
    path = Path(document.path)
    library = Library(Place(path, "", parse_file(path)))
    return [place for place in _operations(library) if _lacks_signature(place, library)], library


def _operations(library: Library) -> Iterator[Place]:
    webhooks = library.root.child("webhooks")
    for name in webhooks.value if isinstance(webhooks.value, dict) else {}:
        item = library.settle(webhooks.child(name), [])
        if item is not None:
            yield from (operation for _, operation in operations(item))


def _lacks_signature(operation: Place, library: Library) -> bool:
    # A scheme in which something is wrong is there: `spec check` tells what.
    return not any(_extended(name, library) for name in _named(operation, library)) and (
        signature_of(operation, library, [])[0] is None
    )


def _named(operation: Place, library: Library) -> Iterator[str]:
    stated = operation if operation.has("security") else library.root
    requirements = stated.child("security").value
    for requirement in requirements if isinstance(requirements, list) else ():
        yield from requirement if isinstance(requirement, dict) else ()


def _extended(name: str, library: Library) -> bool:
    return library.root.child("components", "securitySchemes", name).has(EXTENSION)


def _schemes(unsigned: list[Place], library: Library) -> Iterator[_Candidate]:
    declared = library.root.child("components", "securitySchemes")
    for name in declared.value if isinstance(declared.value, dict) else {}:
        place = library.settle(declared.child(name), [])
        if place is None or place.has(EXTENSION) or not _may_sign(place, name):
            continue
        used = any(name in _named(operation, library) for operation in unsigned)
        missing = () if used else _pointers(unsigned)
        yield _Candidate(name, str_of(place.child("name").value), place, True, missing)


def _parameters(unsigned: list[Place], library: Library) -> Iterator[_Candidate]:
    users: dict[str, list[Place]] = {}
    places: dict[str, Place] = {}
    for operation in unsigned:
        listed = operation.child("parameters")
        for number in range(len(listed.value) if isinstance(listed.value, list) else 0):
            place = library.settle(listed.child(number), [])
            if place is not None and _may_sign(place):
                key = str_of(place.child("name").value).lower()
                places.setdefault(key, place)
                users.setdefault(key, []).append(operation)
    for key, place in places.items():
        header = str_of(place.child("name").value)
        yield _Candidate(header, header, place, False, _pointers(users[key]))


def _may_sign(place: Place, name: str = "") -> bool:
    header = str_of(place.child("name").value)
    if place.child("in").value != "header" or not header:
        return False
    return bool(_LIKELY.search(f"{header} {name}")) or _by_name(header) is not None


def _pointers(operations: list[Place]) -> tuple[str, ...]:
    return tuple(place.node([]).pointer for place in operations)


def _suggestion(candidate: _Candidate) -> Suggestion:
    reason, guess = _made(candidate)
    return Suggestion(
        scheme=candidate.name,
        header=candidate.header,
        found_at=candidate.place.node([]).pointer,
        reason=reason,
        extension=guess.extension,
        open=guess.open,
        declared=candidate.declared,
        missing=candidate.missing,
    )


def _made(candidate: _Candidate) -> tuple[str, guessing.Guess]:
    known = _by_name(candidate.header)
    if known is not None:
        reason = f"{candidate.header} is the header of {known.document} ({known.title})"
        carry = known.extension["carry"]
        inside = isinstance(carry, Mapping) and set(carry) != {"header"}
        return reason, guessing.Guess(known.extension, (guessing.PLACES,) if inside else ())
    known = _by_words(candidate.words)
    if known is not None:
        reason = f"its description speaks of {known.title} ({known.document})"
        return reason, guessing.Guess(_renamed(known, candidate.header), (guessing.CONTENT,))
    guess = guessing.from_sample(candidate.header, candidate.sample)
    if guess is not None:
        return "made from its example", guess
    guess = guessing.from_words(candidate.header, candidate.words)
    if not candidate.words.strip():
        return "made from the header's name alone: everything is a guess", guess
    return "made from its description", guess


def _by_name(header: str) -> Known | None:
    return next((one for one in known_schemes() if one.header.lower() == header.lower()), None)


def _by_words(words: str) -> Known | None:
    def speaks_of(text: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", words, re.I) is not None

    return next((one for one in known_schemes() if speaks_of(one.header)), None) or next(
        (one for one in known_schemes() if speaks_of(one.title)), None
    )


def _renamed(known: Known, header: str) -> Mapping[str, JsonValue]:
    """Return a known extension whose signature travels in another header.

    What stands in the known sender's payload or query is left out: this payload is another.
    """
    carry = cast("dict[str, JsonValue]", known.extension["carry"])
    headers: dict[str, JsonValue] = {
        header if name == known.header else name: text
        for name, text in cast("dict[str, JsonValue]", carry["header"]).items()
    }
    kept: dict[str, JsonValue] = {**known.extension, "carry": {"header": headers}}
    travels = " ".join(map(str, headers.values()))
    return {
        word: value
        for word, value in kept.items()
        if word not in ("timestamp", "nonce") or f"{{{word}}}" in travels
    }
