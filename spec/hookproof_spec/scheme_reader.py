"""From a document's `x-webhook-signature` to a `SignatureScheme`, or to all that is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from hookproof_spec import patterns
from hookproof_spec.boundaries import Alphabets, shiftable
from hookproof_spec.errors import Problem, Severity
from hookproof_spec.nodes import Node, nearest, shown
from hookproof_spec.placeholders import read_template
from hookproof_spec.scheme import (
    Algorithm,
    CarriedHeader,
    Encoding,
    KeyRule,
    KeyText,
    NonceRule,
    OnRetry,
    SignatureScheme,
    TimestampRule,
    TimeUnit,
)
from hookproof_spec.templates import ItemsHeader, Repeat, Template, TemplateError, header_shape

WORDS = ("algorithm", "key", "content", "encoding", "carry", "repeat", "timestamp", "nonce")
_WORDS_LATER = ("numbers", "uncovered")
_ALGORITHMS_LATER = ("sha1", "sha256", "ecdsa-p256-sha256", "rsa-sha1", "rsa-sha256")
_KEY_LATER = ("digest", "normalize")
_CARRY_LATER = ("json", "query", "field", "numbers")

_IN_CONTENT = ("body", "timestamp", "nonce")
_IN_HEADER = ("timestamp", "nonce", "signature", "signatures")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


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
    words = root.mapping("x-webhook-signature", WORDS, _WORDS_LATER)
    if words is None:
        return None, tuple(found)
    draft = _read_draft(root, words)
    if draft is not None:
        _check_travel(root, words, draft)
        _check_boundaries(root, draft)
        _check_security_scheme(root, draft, security_scheme)
    if draft is None or any(problem.severity is Severity.ERROR for problem in found):
        return None, tuple(found)
    return draft.scheme(), tuple(found)


@final
@dataclass(frozen=True, slots=True)
class _Draft:
    """All words, each well-formed by itself."""

    algorithm: Algorithm
    key: KeyRule
    content: Template
    encoding: Encoding
    headers: tuple[CarriedHeader, ...]
    repeat: Repeat | None
    timestamp: TimestampRule
    nonce: NonceRule

    @property
    def carried(self) -> Counter[str]:
        """How often each value travels."""
        return Counter(name for header in self.headers for name in header.template.names)

    @property
    def alphabets(self) -> Alphabets:
        return Alphabets(self.encoding, self.timestamp, self.nonce)

    def scheme(self) -> SignatureScheme:
        return SignatureScheme(
            algorithm=self.algorithm,
            content=self.content,
            headers=self.headers,
            encoding=self.encoding,
            key=self.key,
            repeat=self.repeat,
            timestamp=self.timestamp if self.carried["timestamp"] else None,
            nonce=self.nonce if self.carried["nonce"] else None,
        )


def _read_draft(root: Node, words: Mapping[str, object]) -> _Draft | None:
    """Read every word, whatever the others say; None when one of them cannot be read."""
    before = len(root.found)
    algorithm = _algorithm(root, words)
    content = _content(root, words)
    encoding = (
        root.child("encoding", words["encoding"]).choice(Encoding, "encoding")
        if "encoding" in words
        else Encoding.HEX
    )
    key = _key(root.child("key", words.get("key", {})))
    repeat = _repeat(root.child("repeat", words["repeat"])) if "repeat" in words else None
    timestamp = _timestamp(root.child("timestamp", words.get("timestamp", {})))
    nonce = _nonce(root.child("nonce", words.get("nonce", {})))
    headers = _carry(root, words, repeat)
    if algorithm is None or content is None or encoding is None or headers is None:
        return None
    if any(problem.severity is Severity.ERROR for problem in root.found[before:]):
        return None
    return _Draft(algorithm, key, content, encoding, headers, repeat, timestamp, nonce)


def _algorithm(root: Node, words: Mapping[str, object]) -> Algorithm | None:
    if "algorithm" not in words:
        root.error("'algorithm' is missing", nearest("", [word.value for word in Algorithm]))
        return None
    return root.child("algorithm", words["algorithm"]).choice(
        Algorithm, "algorithm", _ALGORITHMS_LATER
    )


def _content(root: Node, words: Mapping[str, object]) -> Template | None:
    if "content" not in words:
        root.error("'content' is missing", 'name the bytes that are signed: content: "{body}"')
        return None
    node = root.child("content", words["content"])
    template = read_template(node, "content", _IN_CONTENT)
    if template is not None and "body" not in template.names:
        node.warning("the signature does not cover the body", "put {body} into the content")
    return template


def _key(node: Node) -> KeyRule:
    words = node.mapping("key", ("text", "without"), _KEY_LATER) or {}
    text: KeyText | None = KeyText.UTF8
    without: str | None = ""
    if "text" in words:
        text = node.child("text", words["text"]).choice(KeyText, "key text")
    if "without" in words:
        without = node.child("without", words["without"]).text("a key's prefix")
    return KeyRule(text or KeyText.UTF8, without or "")


def _timestamp(node: Node) -> TimestampRule:
    words = node.mapping("timestamp", ("unit", "tolerance")) or {}
    unit: TimeUnit | None = TimeUnit.SECONDS
    tolerance = None
    if "unit" in words:
        unit = node.child("unit", words["unit"]).choice(TimeUnit, "unit")
    if "tolerance" in words:
        tolerance = node.child("tolerance", words["tolerance"]).positive("tolerance")
    return TimestampRule(unit or TimeUnit.SECONDS, tolerance)


def _nonce(node: Node) -> NonceRule:
    words = node.mapping("nonce", ("pattern", "on-retry")) or {}
    pattern: str | None = None
    on_retry: OnRetry | None = OnRetry.UNKNOWN
    if "pattern" in words:
        pattern = _pattern(node.child("pattern", words["pattern"]))
    if "on-retry" in words:
        on_retry = node.child("on-retry", words["on-retry"]).choice(OnRetry, "on-retry")
    return NonceRule(pattern, on_retry or OnRetry.UNKNOWN)


def _pattern(node: Node) -> str | None:
    pattern = node.text("a nonce's pattern")
    if pattern is None:
        return None
    complaint = patterns.complaint(pattern)
    if complaint:
        node.error(f"{shown(pattern)} is no regular expression: {complaint}")
        return None
    return pattern


def _repeat(node: Node) -> Repeat | None:
    words = node.mapping("repeat", ("item", "separator"))
    if words is None:
        return None
    for word in ("item", "separator"):
        if word not in words:
            node.error(f"{word!r} is missing", 'as in {item: "v1={signature}", separator: ","}')
            return None
    item_node = node.child("item", words["item"])
    item = read_template(item_node, "an item", ("signature",))
    separator = node.child("separator", words["separator"]).text("a separator")
    if item is None or separator is None:
        return None
    if item.names != ("signature",) or item.literals[1]:
        item_node.error("an item is a prefix and then {signature}", 'as in "v1={signature}"')
    elif not separator or separator in item.literals[0]:
        node.child("separator", separator).error("it must be a text that is in no item")
    return Repeat(item.literals[0], separator)


def _carry(
    root: Node, words: Mapping[str, object], repeat: Repeat | None
) -> tuple[CarriedHeader, ...] | None:
    node = root.child("carry", words.get("carry"))
    if "carry" not in words:
        root.error("there is no place where the signature travels", "add carry: {header: …}")
        return None
    places = node.mapping("carry", ("header",), _CARRY_LATER)
    if places is None:
        return None
    if "header" not in places:
        node.error("there is no place where the signature travels", "add carry: {header: …}")
        return None
    headers = node.child("header", places["header"])
    names = headers.mapping("carry.header")
    if names is None:
        return None
    _check_names(headers, names)
    read = [_header(headers.child(name, names[name]), name, repeat) for name in names]
    return tuple(header for header in read if header is not None)


def _check_names(node: Node, names: Mapping[str, object]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        child = node.child(name, None)
        if not _HEADER_NAME.fullmatch(name):
            child.error(f"{shown(name)} is no header name")
        if name.lower() in seen:
            child.error(f"{seen[name.lower()]!r} is the same header: case does not count")
        seen[name.lower()] = name


def _header(node: Node, name: str, repeat: Repeat | None) -> CarriedHeader | None:
    template = read_template(node, "a header", _IN_HEADER)
    if template is None:
        return None
    if not all(literal.isascii() and literal.isprintable() for literal in template.literals):
        node.error("a header's text is made of printable ASCII characters")
        return None
    if not template.names:
        node.error("it carries no value", nearest("", [f"{{{word}}}" for word in _IN_HEADER]))
        return None
    try:
        return CarriedHeader(name, template, header_shape(template, repeat))
    except TemplateError as error:
        node.error(
            f"{shown(template.text)} cannot be read back: {error}",
            "write {x}, or prefix{x}, or items k={x} with one separator",
        )
        return None


def _check_travel(root: Node, words: Mapping[str, object], draft: _Draft) -> None:
    """Check that what is signed, or declared, travels, and once."""
    carried = draft.carried
    carry = root.child("carry", None).child("header", None)
    for name in (name for name, times in carried.items() if times > 1):
        carry.error(f"{{{name}}} travels twice", "a receiver could not tell which one counts")
    _check_signature(carry, words, root, carried)
    for name in ("timestamp", "nonce"):
        if name in draft.content.names and not carried[name]:
            root.child("content", None).error(
                f"{{{name}}} is signed and travels nowhere", "put it into a header under carry"
            )
        elif name in words and not carried[name]:
            root.child(name, None).error(
                f"{name!r} is declared and travels nowhere", "put it into a header under carry"
            )
        elif carried[name] and name not in draft.content.names:
            carry.warning(f"the signature does not cover {{{name}}}: anyone can change it")


def _check_signature(
    carry: Node, words: Mapping[str, object], root: Node, carried: Counter[str]
) -> None:
    if carried["signature"] and carried["signatures"]:
        carry.error("{signature} and {signatures} exclude each other")
    if not carried["signature"] and not carried["signatures"]:
        carry.error("there is no place where the signature travels", "put {signature} in a header")
    if carried["signatures"] and "repeat" not in words:
        carry.error(
            "{signatures} needs 'repeat'", 'as in repeat: {item: "v1={signature}", separator: ","}'
        )
    if "repeat" in words and not carried["signatures"]:
        root.child("repeat", None).error("no header says {signatures}", "write it under carry")


def _check_boundaries(root: Node, draft: _Draft) -> None:
    for left, separator, right in shiftable(draft.content, draft.alphabets):
        between = f"{separator!r} may stand in both" if separator else "nothing stands between"
        root.child("content", None).warning(
            f"the boundary between {{{left}}} and {{{right}}} can be shifted: {between}",
            "declare nonce.pattern without that text" if "nonce" in (left, right) else "",
        )
    carry = root.child("carry", None).child("header", None)
    for header in draft.headers:
        if isinstance(header.shape, ItemsHeader):
            _check_items(carry.child(header.name, None), header, header.shape.separator, draft)
    repeat = draft.repeat
    if repeat is not None and draft.alphabets.may_contain("signature", repeat.separator):
        root.child("repeat", None).child("separator", None).error(
            f"{shown(repeat.separator)} may stand in a signature written as {draft.encoding.value}"
        )


def _check_items(node: Node, header: CarriedHeader, separator: str, draft: _Draft) -> None:
    for name in header.template.names:
        if not draft.alphabets.may_contain(name, separator):
            continue
        message = f"{shown(separator)} separates the items and may stand in {{{name}}}"
        if name == "nonce":
            node.warning(message, "declare nonce.pattern without it")
        else:
            node.error(message, "take another separator")


def _check_security_scheme(
    root: Node, draft: _Draft, security_scheme: Mapping[str, object] | None
) -> None:
    if security_scheme is None:
        return
    name = security_scheme.get("name")
    names = [header.name.lower() for header in draft.headers]
    if security_scheme.get("in") != "header" or not isinstance(name, str):
        root.warning("the security scheme around it is no apiKey in a header")
    elif name.lower() not in names:
        root.warning(
            f"the security scheme names the header {shown(name)}, which carries nothing here"
        )
