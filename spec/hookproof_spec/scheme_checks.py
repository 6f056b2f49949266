"""Whether the words of an extension fit each other: what is signed travels, once, and apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hookproof_spec.boundaries import Alphabets, shiftable
from hookproof_spec.nodes import Node, shown
from hookproof_spec.scheme import (
    SIGNATURES,
    Carried,
    NonceRule,
    SignatureScheme,
    TimestampRule,
    Where,
)
from hookproof_spec.templates import ItemsHeader, base_of

_IN_BODY = (Where.JSON, Where.FIELD)


def check_scheme(root: Node, words: Mapping[str, object], scheme: SignatureScheme) -> None:
    """Note every way in which well-formed words contradict each other."""
    carried = Counter(name for place in scheme.carried for name in place.template.names)
    _check_travel(root, words, scheme, carried)
    _check_signatures(root, words, carried)
    _check_secret(root, scheme)
    _check_own_place(root, scheme)
    _check_body(root, words, scheme)
    _check_boundaries(root, scheme)


def _check_travel(
    root: Node, words: Mapping[str, object], scheme: SignatureScheme, carried: Counter[str]
) -> None:
    carry = _carry_node(root, scheme)
    for name in (name for name, times in carried.items() if times > 1):
        carry.error(f"{{{name}}} travels twice", "a receiver could not tell which one counts")
    bases = {base_of(name) for name in carried if not name.startswith("body")}
    for name in ("timestamp", "nonce"):
        if name in scheme.content.bases and name not in bases:
            root.child("content", None).error(
                f"{{{name}}} is signed and travels nowhere", "put it into a header under carry"
            )
        elif name in words and name not in bases:
            root.child(name, None).error(
                f"{name!r} is declared and travels nowhere", "put it into a header under carry"
            )
        elif name in bases and not scheme.covers(name):
            carry.warning(f"the signature does not cover {{{name}}}: anyone can change it")
    if not {"timestamp", "nonce"} & bases:
        root.warning(
            "neither a time nor a nonce travels: a captured request is good for ever",
            "if the payload identifies the delivery, carry it as {nonce} in json",
        )


def _carry_node(root: Node, scheme: SignatureScheme) -> Node:
    carry = root.child("carry", None)
    return carry.child("header", None) if scheme.headers else carry


def _check_signatures(root: Node, words: Mapping[str, object], carried: Counter[str]) -> None:
    carry = root.child("carry", None)
    if carried["signature"] and carried["signatures"]:
        carry.error("{signature} and {signatures} exclude each other")
    if not carried["signature"] and not carried["signatures"]:
        carry.error("there is no place where the signature travels", "put {signature} in a header")
    if carried["signature2"] and not carried["signature"]:
        carry.error("{signature2} is beside {signature}, which travels nowhere")
    if carried["signatures"] and "repeat" not in words:
        carry.error(
            "{signatures} needs 'repeat'", 'as in repeat: {item: "v1={signature}", separator: ","}'
        )
    if "repeat" in words and not carried["signatures"]:
        root.child("repeat", None).error("no header says {signatures}", "write it under carry")


def _check_secret(root: Node, scheme: SignatureScheme) -> None:
    inside = "secret" in scheme.content.bases
    if scheme.algorithm.is_bare and not inside:
        root.child("content", None).error(
            f"anyone can make a plain {scheme.algorithm.value}: the secret is not in the content",
            "put {secret} into it, or take an algorithm with a key, as hmac-sha256",
        )
    elif inside and not scheme.algorithm.is_bare:
        root.child("content", None).error(
            f"{{secret}} is for a plain hash, and {scheme.algorithm.value} has a key",
            "leave it out, or take sha1 or sha256",
        )
    if "key-id" in scheme.content.bases and scheme.has_second_key:
        root.child("content", None).error("{key-id} and {signature2} exclude each other")


def _check_own_place(root: Node, scheme: SignatureScheme) -> None:
    """Refuse what would have to be known before it is made."""
    reads = {name.partition("|")[0] for name in scheme.content.names}
    if {place.where for place in scheme.inside} >= set(_IN_BODY):
        root.child("carry", None).error("json and field exclude each other: a body is one of them")
    signed_json = [p for p in scheme.inside if p.where is Where.JSON and _signs(p)]
    if signed_json and "body" in reads:
        root.child("content", None).error(
            "{body} is signed and carries its own signature", "sign {json:/…} of its parts"
        )
    for place in scheme.carried:
        where = place.where.value
        if _signs(place) and f"{where}:{place.name}".lower() in {name.lower() for name in reads}:
            root.child("content", None).error(f"the {place} is signed and carries the signature")
        if scheme.digests and place.where in _IN_BODY and _holds_late(place):
            root.child("carry", None).child(where, None).child(place.name, None).error(
                "a digest of the body travels, which this would change"
            )


def _signs(place: Carried) -> bool:
    return not SIGNATURES.isdisjoint(place.template.names)


def _holds_late(place: Carried) -> bool:
    return _signs(place) or "body" in place.template.bases


def _check_body(root: Node, words: Mapping[str, object], scheme: SignatureScheme) -> None:
    covered = scheme.covers("body")
    if "uncovered" in words and covered:
        root.child("uncovered", None).error("the signature covers the body", "leave the word out")
    elif not covered and "uncovered" not in words:
        root.child("content", None).warning(
            "the signature does not cover the body",
            "put {body} into the content; or say uncovered: body if it is so",
        )


def _check_boundaries(root: Node, scheme: SignatureScheme) -> None:
    alphabets = Alphabets(
        scheme.encoding, scheme.timestamp or TimestampRule(), scheme.nonce or NonceRule()
    )
    for left, separator, right in shiftable(scheme.content, alphabets):
        between = f"{separator!r} may stand in both" if separator else "nothing stands between"
        root.child("content", None).warning(
            f"the boundary between {{{left}}} and {{{right}}} can be shifted: {between}",
            "declare nonce.pattern without that text" if "nonce" in (left, right) else "",
        )
    carry = root.child("carry", None)
    for place in scheme.carried:
        if isinstance(place.shape, ItemsHeader):
            node = carry.child(place.where.value, None).child(place.name, None)
            _check_items(node, place, place.shape.separator, alphabets)
    repeat = scheme.repeat
    if repeat is not None and alphabets.may_contain("signature", repeat.separator):
        root.child("repeat", None).child("separator", None).error(
            f"{shown(repeat.separator)} may stand in a signature written as {scheme.encoding.value}"
        )


def _check_items(node: Node, place: Carried, separator: str, alphabets: Alphabets) -> None:
    for name in place.template.names:
        if not alphabets.may_contain(name, separator):
            continue
        message = f"{shown(separator)} separates the items and may stand in {{{name}}}"
        if name in ("nonce", "key-id"):
            remedy = "declare nonce.pattern without it" if name == "nonce" else ""
            node.warning(message, remedy)
        else:
            node.error(message, "take another separator")


def check_security_scheme(
    root: Node, scheme: SignatureScheme, security_scheme: Mapping[str, object] | None
) -> None:
    """Warn where the security scheme around the extension tells other tools something else."""
    if security_scheme is None or not scheme.headers:
        return
    name = security_scheme.get("name")
    parameters = [place.name for place in scheme.inside if place.where is Where.QUERY]
    if security_scheme.get("in") == "query" and name in parameters:
        return
    if security_scheme.get("in") != "header" or not isinstance(name, str):
        root.warning("the security scheme around it is no apiKey in a header")
    elif name.lower() not in scheme.header_names:
        root.warning(
            f"the security scheme names the header {shown(name)}, which carries nothing here"
        )
