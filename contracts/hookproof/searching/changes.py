"""Changes of a genuine request, one at a time, each with its words."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Final, final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hookproof.lab import Lab
from hookproof.verdicts import Level
from hookproof_spec import payloads, pointers
from hookproof_spec.errors import Problem
from hookproof_spec.request import Request
from hookproof_spec.scheme import Encoding
from hookproof_spec.signing import Delivery, keyed_hash

HEX: Final = "0123456789abcdef"
BASE64: Final = string.ascii_letters + string.digits
PRINTABLE: Final = "".join(chr(code) for code in range(0x20, 0x7F))
ALGORITHMS: Final = ("sha224", "sha384", "sha3_256", "sha3_512", "blake2s", "blake2b")
"""Those that `forged-other-algorithm` does not try."""


@final
@dataclass(frozen=True, slots=True)
class Changed:
    """A genuine request after one change. `words` say the change as `flipping …`.

    `level` is the rule's own, unless only the holder of the secret can make the change.
    """

    words: str
    request: Request
    level: Level | None = None


Change = Callable[[Lab, Delivery], Changed | None]
"""Makes the change; None where the request has no place for it."""


def changes(lab: Lab) -> SearchStrategy[Change]:
    """Return all kinds of changes; the plainest come first, towards which others shrink."""
    kinds = [
        st.builds(flipped, st.integers(0, 255), st.integers(1, 15)),
        st.builds(replaced, _FIELDS, st.integers(0, 255), st.sampled_from(PRINTABLE)),
        st.builds(inserted, _FIELDS, st.integers(0, 255), st.sampled_from(PRINTABLE)),
        st.builds(removed, _FIELDS, st.integers(0, 255)),
        st.builds(rewritten, _FIELDS, st.text(BASE64, max_size=80)),
        st.builds(moved, st.integers(1, 600), st.booleans()),
        st.builds(swapped, st.sampled_from(("timestamp", "nonce", "signature", "body"))),
    ]
    if lab.scheme.covers("body"):
        kinds += [
            st.builds(body_byte, st.integers(0, 4000), st.integers(1, 255)),
            st.builds(body_more, st.integers(0, 4000), st.binary(min_size=1, max_size=4)),
            st.builds(body_less, st.integers(0, 4000), st.integers(1, 40)),
            st.builds(body_text, st.integers(0, 40), st.text(BASE64, min_size=1, max_size=8)),
        ]
    if lab.scheme.algorithm.hash_name is not None:
        kinds += [
            st.builds(
                other_key, st.integers(0, len(_KEYS) - 1), st.binary(min_size=1, max_size=40)
            ),
            st.builds(other_algorithm, st.sampled_from(ALGORITHMS)),
            st.builds(other_order, st.integers(0, 4), st.sampled_from((b".", b"", b":", b"\n"))),
        ]
    return st.one_of(kinds)


def every_digit(lab: Lab) -> Iterator[Change]:
    """Yield the change of each single character of a signature, to its nearest."""
    for place in range(len(lab.genuine().signatures[0].rstrip("="))):
        yield flipped(place, 1)


# --- the signature header -----------------------------------------------------------------------

_FIELDS = st.sampled_from(("signature", "nonce", "timestamp"))


def flipped(place: int, by: int) -> Change:
    """Change one character of the signature to another of its alphabet."""

    def change(_: Lab, genuine: Delivery) -> Changed | None:
        signature = genuine.signatures[0]
        letters = HEX if genuine.scheme.encoding is Encoding.HEX else BASE64
        at = place % len(signature)
        if signature[at] not in letters:
            return None
        index = letters.index(signature[at])
        other = letters[index ^ by] if letters is HEX else letters[(index + by) % len(letters)]
        digit = "hex digit" if letters is HEX else "character"
        where = (
            f"the last {digit}"
            if at == len(signature) - 1
            else (f"{digit} {at + 1} of {len(signature)}")
        )
        spoiled = signature[:at] + other + signature[at + 1 :]
        return Changed(
            f"flipping only {where} of the signature", genuine.with_signature(spoiled).request
        )

    return change


def replaced(field: str, place: int, letter: str) -> Change:
    """Change one character of a value to any other."""

    def edit(text: str, at: int) -> tuple[str, str]:
        words = f"changing only character {at + 1} of the {field} to {letter!r}"
        return text[:at] + letter + text[at + 1 :], words

    return _edited(field, place, edit)


def inserted(field: str, place: int, letter: str) -> Change:
    """Put one character into a value."""

    def edit(text: str, at: int) -> tuple[str, str]:
        words = f"putting only {letter!r} before character {at + 1} of the {field}"
        return text[:at] + letter + text[at:], words

    return _edited(field, place, edit)


def removed(field: str, place: int) -> Change:
    """Take one character out of a value."""

    def edit(text: str, at: int) -> tuple[str, str]:
        return text[:at] + text[at + 1 :], f"taking only character {at + 1} out of the {field}"

    return _edited(field, place, edit)


def rewritten(field: str, text: str) -> Change:
    """Put another text in the place of a value."""
    words = f"writing only {text!r} for the {field}" if text else f"leaving the {field} empty"
    return _edited(field, 0, lambda _text, _at: (text, words))


def _edited(field: str, place: int, edit: Callable[[str, int], tuple[str, str]]) -> Change:
    def change(_: Lab, genuine: Delivery) -> Changed | None:
        text = value_of(genuine, field)
        if not text:
            return None
        new, words = edit(text, place % len(text))
        return Changed(words, with_value(genuine, field, new).request)

    return change


def value_of(delivery: Delivery, field: str) -> str:
    """Return what a delivery carries as timestamp, nonce or signature."""
    if field == "signature":
        return delivery.signatures[0]
    return delivery.timestamp if field == "timestamp" else delivery.nonce


def with_value(delivery: Delivery, field: str, text: str) -> Delivery:
    """Return a copy that carries another timestamp, nonce or signature."""
    match field:
        case "signature":
            return delivery.with_signature(text)
        case "timestamp":
            return delivery.with_timestamp(text)
    return delivery.with_nonce(text)


def moved(seconds: int, older: bool) -> Change:
    """Claim another time, within any window."""

    def change(lab: Lab, genuine: Delivery) -> Changed | None:
        rule = lab.scheme.timestamp
        moment = rule.unit.read(genuine.timestamp) if rule else None
        if rule is None or moment is None:
            return None
        text = rule.unit.write(moment - seconds if older else moment + min(seconds, 30))
        words = "older" if older else "younger"
        return Changed(
            f"claiming only a timestamp that is {seconds} s {words}",
            genuine.with_timestamp(text).request,
        )

    return change


def swapped(part: str) -> Change:
    """Take one part from another genuine request."""

    def change(lab: Lab, genuine: Delivery) -> Changed | None:
        other = lab.genuine(timestamp=lab.clock() - 2)
        words = f"taking only the {part} from another genuine request"
        if part == "body":
            return Changed(words, genuine.with_body(other.body).request)
        text = value_of(other, part)
        return Changed(words, with_value(genuine, part, text).request) if text else None

    return change


# --- the body -----------------------------------------------------------------------------------


def body_byte(place: int, by: int) -> Change:
    """Change one byte of the body."""

    def change(_: Lab, genuine: Delivery) -> Changed | None:
        body = bytearray(genuine.body)
        at = place % len(body)
        body[at] ^= by
        words = f"changing only byte {at + 1} of the body to {bytes([body[at]])!r}"
        return Changed(words, genuine.with_body(bytes(body)).request)

    return change


def body_more(place: int, more: bytes) -> Change:
    """Put bytes into the body."""

    def change(_: Lab, genuine: Delivery) -> Changed | None:
        at = place % (len(genuine.body) + 1)
        body = genuine.body[:at] + more + genuine.body[at:]
        words = f"putting only {more!r} before byte {at + 1} of the body"
        return Changed(words, genuine.with_body(body).request)

    return change


def body_less(place: int, count: int) -> Change:
    """Take bytes out of the body."""

    def change(_: Lab, genuine: Delivery) -> Changed | None:
        at = place % len(genuine.body)
        body = genuine.body[:at] + genuine.body[at + count :]
        size = len(genuine.body) - len(body)
        what = "byte" if size == 1 else f"{size} bytes from byte"
        return Changed(
            f"taking only {what} {at + 1} out of the body", genuine.with_body(body).request
        )

    return change


def body_text(place: int, text: str) -> Change:
    """Change one text of the payload, as JSON."""

    def change(_: Lab, genuine: Delivery) -> Changed | None:
        value = payloads.decode(genuine.body)
        if isinstance(value, Problem):
            return None
        places = [at for at, leaf in pointers.leaves(value) if isinstance(leaf, str)]
        if not places:
            return None
        pointer = places[place % len(places)]
        body = payloads.encode(pointers.replace(value, pointer, text))
        words = f"changing only {pointer} of the body to {text!r}"
        return Changed(words, genuine.with_body(body).request)

    return change


# --- what only the holder of the secret could make ------------------------------------------------

_KEYS: Final[tuple[tuple[str, Callable[[bytes, bytes], bytes]], ...]] = (
    ("another key", lambda _key, drawn: drawn),
    ("the key without its last byte", lambda key, _: key[:-1]),
    ("the key without its first byte", lambda key, _: key[1:]),
    ("the first half of the key", lambda key, _: key[: len(key) // 2]),
    ("the key in other case", lambda key, _: key.swapcase()),
    ("the key and more bytes behind it", lambda key, drawn: key + drawn),
    ("the key back to front", lambda key, _: key[::-1]),
)


def other_key(kind: int, drawn: bytes) -> Change:
    """Sign with another key, or with a part of the right one."""

    def change(lab: Lab, genuine: Delivery) -> Changed | None:
        words, make = _KEYS[kind]
        wrong = make(lab.key, drawn)
        if not wrong.rstrip(b"\0"):  # HMAC fills keys up with zeros: this would be the empty key
            return None
        return _signed(genuine, f"signing with {words}", wrong, None, None)

    return change


def other_algorithm(name: str) -> Change:
    """Sign with another algorithm than the declared one and those of the listed rule."""

    def change(lab: Lab, genuine: Delivery) -> Changed | None:
        if name == lab.scheme.algorithm.hash_name or name not in hashlib.algorithms_available:
            return None
        key = lab.key
        return _signed(genuine, f"signing with HMAC by {name}", key, name, None)

    return change


def other_order(order: int, between: bytes) -> Change:
    """Sign the same parts in another order."""

    def change(lab: Lab, genuine: Delivery) -> Changed | None:
        values = {
            "timestamp": genuine.timestamp.encode(),
            "nonce": genuine.nonce.encode(),
            "body": genuine.body,
        }
        names = [name for name in values if lab.scheme.covers(name) and values[name]]
        orders = list(permutations(names))[1:]
        if not orders:
            return None
        chosen = orders[order % len(orders)]
        content = between.join(values[name] for name in chosen)
        if content == genuine.signed_bytes:  # the declared order itself, with nothing between
            return None
        words = f"signing {', '.join(chosen)} in this order, {between!r} between them"
        return _signed(genuine, words, lab.key, None, content)

    return change


def _signed(
    genuine: Delivery, words: str, key: bytes, hash_name: str | None, content: bytes | None
) -> Changed:
    scheme = genuine.scheme
    make = keyed_hash(key, hash_name or scheme.algorithm.hash_name or "sha256")
    written = scheme.encoding.write(make(genuine.signed_bytes if content is None else content))
    secret_only = hash_name is not None or content is not None
    level = Level.SHOULD if secret_only else None
    return Changed(words, genuine.with_signature(written).request, level)
