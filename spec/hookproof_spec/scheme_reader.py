"""From a document's `x-webhook-signature` to a `SignatureScheme`, or to all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from hookproof_spec import patterns
from hookproof_spec.carry_reader import read_carry, read_repeat
from hookproof_spec.errors import Problem, Severity
from hookproof_spec.nodes import Node, nearest, shown
from hookproof_spec.placeholders import Place, read_template
from hookproof_spec.scheme import (
    Algorithm,
    CarriedHeader,
    CarriedInside,
    Encoding,
    KeyDigest,
    KeyRule,
    KeyText,
    NonceRule,
    OnRetry,
    SignatureScheme,
    TimestampRule,
    TimeUnit,
    UnicodeForm,
)
from hookproof_spec.scheme_checks import check_scheme, check_security_scheme
from hookproof_spec.templates import Template

WORDS = (
    "algorithm",
    "key",
    "content",
    "encoding",
    "carry",
    "repeat",
    "timestamp",
    "nonce",
    "uncovered",
)
Word = TypeVar("Word", bound=StrEnum)


class Uncovered(StrEnum):
    """What a document says the signature does not cover, so that nobody is warned of it."""

    BODY = "body"


def read_scheme(
    extension: object, *, pointer: str, security_scheme: Mapping[str, object] | None = None
) -> tuple[SignatureScheme | None, tuple[Problem, ...]]:
    """Read the extension's value.

    Args:
        extension: anything that a YAML or JSON document can hold, or anything else.
        pointer: where it stands in the document.
        security_scheme: the OpenAPI security scheme that it extends, if it stands in one.

    Returns:
        The scheme, or None when there is an error, and all problems, warnings among them.
    """
    found: list[Problem] = []
    root = Node(extension, pointer, found)
    words = root.mapping("x-webhook-signature", WORDS)
    if words is None:
        return None, tuple(found)
    scheme = _read(root, words)
    if scheme is not None:
        check_scheme(root, words, scheme)
        check_security_scheme(root, scheme, security_scheme)
    if any(problem.severity is Severity.ERROR for problem in found):
        return None, tuple(found)
    return scheme, tuple(found)


def _read(root: Node, words: Mapping[str, object]) -> SignatureScheme | None:
    """Read every word, whatever the others say; None when one of them cannot be read."""
    before = len(root.found)
    algorithm = _algorithm(root, words)
    content = _content(root, words)
    encoding = _word(root, words, "encoding", Encoding) or Encoding.HEX
    _word(root, words, "uncovered", Uncovered)
    key = _key(root.child("key", words.get("key", {})))
    repeat = read_repeat(root.child("repeat", words["repeat"])) if "repeat" in words else None
    timestamp = _timestamp(root.child("timestamp", words.get("timestamp", {})))
    nonce = _nonce(root.child("nonce", words.get("nonce", {})))
    carried = read_carry(root, words, repeat)
    if algorithm is None or content is None or carried is None:
        return None
    if any(problem.severity is Severity.ERROR for problem in root.found[before:]):
        return None
    travels = {base for place in carried for base in place.template.bases}
    return SignatureScheme(
        algorithm=algorithm,
        content=content,
        headers=tuple(place for place in carried if isinstance(place, CarriedHeader)),
        encoding=encoding,
        key=key,
        repeat=repeat,
        timestamp=timestamp if "timestamp" in travels else None,
        nonce=nonce if "nonce" in travels else None,
        inside=tuple(place for place in carried if isinstance(place, CarriedInside)),
    )


def _word(
    node: Node, words: Mapping[str, object], word: str, kind: type[Word], what: str = ""
) -> Word | None:
    """Return one of an enumeration's words, where it is given."""
    if word not in words:
        return None
    return node.child(word, words[word]).choice(kind, what or word)


def _algorithm(root: Node, words: Mapping[str, object]) -> Algorithm | None:
    if "algorithm" not in words:
        root.error("'algorithm' is missing", nearest("", [word.value for word in Algorithm]))
        return None
    return _word(root, words, "algorithm", Algorithm)


def _content(root: Node, words: Mapping[str, object]) -> Template | None:
    if "content" not in words:
        root.error("'content' is missing", 'name the bytes that are signed: content: "{body}"')
        return None
    return read_template(root.child("content", words["content"]), "content", Place.CONTENT)


def _key(node: Node) -> KeyRule:
    words = node.mapping("key", ("text", "without", "digest", "normalize")) or {}
    without: str | None = ""
    if "without" in words:
        without = node.child("without", words["without"]).text("a key's prefix")
    return KeyRule(
        text=_word(node, words, "text", KeyText, "key text") or KeyText.UTF8,
        without=without or "",
        digest=_word(node, words, "digest", KeyDigest, "key digest"),
        normalize=_word(node, words, "normalize", UnicodeForm, "Unicode form"),
    )


def _timestamp(node: Node) -> TimestampRule:
    words = node.mapping("timestamp", ("unit", "tolerance")) or {}
    tolerance = None
    if "tolerance" in words:
        tolerance = node.child("tolerance", words["tolerance"]).positive("a tolerance")
    return TimestampRule(_word(node, words, "unit", TimeUnit) or TimeUnit.SECONDS, tolerance)


def _nonce(node: Node) -> NonceRule:
    words = node.mapping("nonce", ("pattern", "on-retry")) or {}
    pattern: str | None = None
    if "pattern" in words:
        pattern = _pattern(node.child("pattern", words["pattern"]))
    return NonceRule(pattern, _word(node, words, "on-retry", OnRetry) or OnRetry.UNKNOWN)


def _pattern(node: Node) -> str | None:
    pattern = node.text("a nonce's pattern")
    if pattern is None:
        return None
    complaint = patterns.complaint(pattern)
    if complaint:
        node.error(f"{shown(pattern)} is no regular expression: {complaint}")
        return None
    if not pattern:
        node.error("a nonce has a character at least", "leave 'pattern' out where any may come")
        return None
    return pattern
