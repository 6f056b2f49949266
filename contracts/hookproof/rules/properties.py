"""Properties: Hypothesis looks for what no rule lists, and makes what it finds small.

The reference verifier judges the very bytes of each request, also while a finding is made smaller;
what it does not call genuine, forged or stale is left out. Nonces and markers are new each time.
"""

from __future__ import annotations

from hookproof.lab import Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules.roots import AGES, VERIFIES
from hookproof.verdicts import Judgement, Level

WRITTEN = (
    "valid-basic",
    "valid-php-escapes",
    "valid-utf8",
    "valid-whitespace",
    "valid-key-order",
    "valid-nonce-last-char",
)
"""Listed spellings of an event: who refuses one of them refuses many that are drawn."""

FORGERIES = (
    *VERIFIES,
    "forged-no-header",
    "forged-empty-secret",
    "forged-default-secret",
    "forged-unkeyed-hash",
    "forged-body-changed",
    "forged-body-empty",
    "forged-duplicate-json-key",
    "forged-timestamp-refreshed",
    "forged-nonce-refreshed",
    "forged-signature-truncated",
    "forged-signature-flipped",
    "forged-signature-literal",
    "forged-param-missing",
    "forged-param-duplicated",
)
"""Listed forgeries: who takes one of them takes many that are drawn."""

HEADERS = (
    *FORGERIES,
    "header-garbage",
    "header-non-ascii",
    "header-signature-shape",
    "header-timestamp-shape",
)
"""Listed headers: who crashes on one of them crashes on many that are drawn."""


@rule(
    id="property-valid",
    level=Level.MUST,
    title="Every payload of the schema is accepted, however it is written",
    requirement="Every payload that conforms to the document's schema, in every lawful spelling of"
    " JSON, correctly signed, MUST be accepted with exactly one effect.",
    source="the document's schema; RFC 8259 and RFC 7493 for what every reader of JSON can read",
    remedy="Verify the raw bytes first; parse with a JSON library and take what the schema allows.",
    who=Who.SENDER,
    after=WRITTEN,
)
def property_valid(lab: Lab) -> Judgement:
    """Events around the document's example: texts of any characters, members left out that may be,
    in any order, white space and escapes."""
    from hookproof.searching.valid import judge_valid

    return judge_valid(lab, "property-valid")


@rule(
    id="property-forged",
    level=Level.MUST,
    title="No change of a genuine request goes unnoticed",
    requirement="Every change of a genuine request's body, signature header, key or content that"
    " makes it a forgery MUST be refused, with no effect.",
    source="vendor: compare the signature with that of timestamp, nonce and payload",
    remedy="Compute the HMAC over the bytes as they arrived, and compare all of it.",
    after=FORGERIES,
)
def property_forged(lab: Lab) -> Judgement:
    """Genuine requests with one change each: every character of the signature, any character of
    timestamp and nonce, any byte of the body, parts of other requests, other keys and contents."""
    from hookproof.searching.forged import judge_forged

    return judge_forged(lab, "property-forged")


@rule(
    id="property-stale",
    level=Level.MUST,
    title="Every age is judged on the right side of the window",
    requirement="Every correctly signed request that is older than the declared tolerance, or else"
    " a day, MUST be refused; every one within the declared tolerance MUST be accepted.",
    source="vendor: a timestamp too old can be filtered; the receiver's own declaration",
    remedy="Compare numbers: refuse when now - timestamp exceeds the tolerance.",
    needs=(Need.TIMESTAMP,),
    after=(*AGES, "stale-zero", "stale-just-outside", "valid-edge-fresh"),
)
def property_stale(lab: Lab) -> Judgement:
    """Correctly signed events of every age, 15 s and more away from the edge of the window."""
    from hookproof.searching.stale import judge_stale

    return judge_stale(lab, "property-stale")


@rule(
    id="property-malformed",
    level=Level.SHOULD,
    title="No bytes in the signature header are accepted or crash the receiver",
    requirement="Whatever stands in the signature header SHOULD be answered 4xx, and MUST NOT be"
    " accepted.",
    source="our judgement: anyone can send any bytes",
    remedy="Parse defensively: whatever does not match the grammar is 400 or 401.",
    who=Who.ANYONE,
    needs=(Need.HEADER,),
    after=HEADERS,
)
def property_malformed(lab: Lab) -> Judgement:
    """Signature headers made of fragments, with a random signature where there is one."""
    from hookproof.searching.malformed import judge_malformed

    return judge_malformed(lab, "property-malformed")


RULES: tuple[Rule, ...] = (property_valid, property_forged, property_stale, property_malformed)
