"""Schemes in which several signatures stand side by side while a key is being changed."""

from __future__ import annotations

from collections.abc import Iterator

from hookproof import header_items
from hookproof.judging import accepted, means
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import Level


@rule(
    id="rotation-wrong-then-right",
    level=Level.MUST,
    title="A right signature behind a wrong one is found",
    requirement="Of several signatures side by side, one right one MUST be enough.",
    source="the document: its scheme repeats signatures, which is for the rotation of keys",
    remedy="Compare every signature of the known kind, and accept when one matches.",
    who=Who.SENDER,
    needs=(Need.REPEAT,),
    after=VERIFIES,
)
@means("it does not try each of the signatures")
@accepted
def wrong_then_right(lab: Lab) -> Iterator[Case]:
    """An event with a signature by another key, and the right one behind it."""
    genuine = lab.genuine()
    rotated = genuine.with_signature(lab.random_signature(), *genuine.signatures)
    yield Case("an event whose second signature is the right one", rotated.request)


@rule(
    id="rotation-unknown-item",
    level=Level.SHOULD,
    title="A signature of an unknown version is passed over",
    requirement="An item of an unknown version beside the right signature SHOULD be ignored.",
    source="our judgement: a sender may introduce a new version beside the old one",
    remedy="Look for the version you know, and ignore the others.",
    who=Who.SENDER,
    needs=(Need.REPEAT,),
    after=VERIFIES,
)
@accepted
def unknown_item(lab: Lab) -> Iterator[Case]:
    """An event with a signature of version `v99` before the right one."""
    repeat = lab.scheme.repeat
    if repeat is None:
        return
    genuine = lab.genuine()
    sign = "=" if repeat.prefix.endswith("=") else repeat.prefix[-1:]
    unknown = f"v99{sign}{lab.random_signature()}{repeat.separator}"
    value = header_items.value_of(genuine)
    known = repeat.write(genuine.signatures)
    yield Case(
        "an event with a signature of an unknown version",
        header_items.with_value(genuine, value.replace(known, unknown + known)),
    )


RULES: tuple[Rule, ...] = (wrong_then_right, unknown_item)
