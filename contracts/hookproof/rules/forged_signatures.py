"""Signatures that are nearly right, or that turn into true, null or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof.judging import means, refused
from hookproof.lab import Case, Lab
from hookproof.rule import Rule, rule
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import Level
from hookproof_spec.scheme import Encoding

LITERALS = ("null", "undefined", "None", "true", "0", "NaN", "*", "%00", "z" * 64, "0" * 64)


@rule(
    id="forged-signature-truncated",
    level=Level.MUST,
    title="A prefix of the right signature is refused",
    requirement="A signature that was cut short MUST be refused.",
    source="our judgement: one accepted character means sixteen guesses for any forgery",
    remedy="Check the length, then compare in constant time.",
    after=VERIFIES,
)
@refused
def signature_truncated(lab: Lab) -> Iterator[Case]:
    """A fresh event whose right signature is cut to 0, 1, 8, half and nearly all characters."""
    length = len(lab.random_signature())
    for kept in sorted({0, 1, 8, length // 2, length - 2, length - 1}):
        genuine = lab.genuine()
        cut = _cut(lab, genuine.signatures[0], kept)
        yield Case(f"a signature cut to {len(cut)} characters", genuine.with_signature(cut).request)


def _cut(lab: Lab, signature: str, kept: int) -> str:
    """Cut the text, but never so that only padding is lost: that would be the same signature."""
    if lab.scheme.encoding is Encoding.HEX:
        return signature[:kept]
    return signature.rstrip("=")[: max(0, min(kept, len(signature.rstrip("=")) - 2))]


@rule(
    id="forged-signature-flipped",
    level=Level.MUST,
    title="A signature with one wrong digit is refused",
    requirement="A signature that differs from the right one in one digit MUST be refused.",
    source="our judgement: finds a comparison of only a part",
    remedy="Compare all of it.",
    after=VERIFIES,
)
@means("it compares a part of the signature")
@refused
def signature_flipped(lab: Lab) -> Iterator[Case]:
    """Eight fresh events, each with four bits of its signature changed at another place."""
    digits = 2 * lab.scheme.algorithm.signature_size
    for place in sorted({0, 7, 8, 15, 16, 31, 32, digits - 1}):
        genuine = lab.genuine()
        flipped = genuine.with_signature(_flipped(lab, genuine.signatures[0], place))
        yield Case(f"a signature that is wrong in digit {place} alone", flipped.request)


def _flipped(lab: Lab, signature: str, place: int) -> str:
    raw = bytearray(lab.scheme.encoding.read(signature) or b"")
    raw[place // 2] ^= 0x50 if place % 2 == 0 else 0x05
    return lab.scheme.encoding.write(bytes(raw))


@rule(
    id="forged-signature-literal",
    level=Level.MUST,
    title="Words for nothing are no signature",
    requirement="A signature that is `null`, `true`, `0` or the like MUST be refused.",
    source="our judgement: loose comparisons and lenient decoders exist",
    remedy="Require the exact length and alphabet before decoding.",
    after=VERIFIES,
)
@refused
def signature_literal(lab: Lab) -> Iterator[Case]:
    """Fresh events with `null`, `undefined`, `true`, `0`, zeros and others as signature."""
    for literal in LITERALS:
        shown = literal if len(literal) < 12 else f"{literal[:4]}…"
        genuine = lab.genuine()
        while genuine.signatures[0].startswith(literal):  # by chance a prefix: not this rule's
            genuine = lab.genuine()
        forged = genuine.with_signature(literal)
        yield Case(f"the signature {shown!r}", forged.request)


RULES: tuple[Rule, ...] = (signature_truncated, signature_flipped, signature_literal)
