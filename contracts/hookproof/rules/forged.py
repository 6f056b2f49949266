"""Signatures that are missing, random, or made with a key that anyone could have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from hookproof import header_items
from hookproof.judging import refused
from hookproof.keys import secret_of
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules import (
    forged_parts,
    forged_secret,
    forged_shift,
    forged_signatures,
)
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import Level
from hookproof_spec.scheme import KeyText
from hookproof_spec.signing import Signer

DEFAULT_KEYS = (
    "secret",
    "changeme",
    "test",
    "webhook_secret",
    "WEBHOOK_SECRET",
    "your-secret-key",
    "undefined",
    "null",
    "None",
)


@rule(
    id="forged-no-header",
    level=Level.MUST,
    title="A missing signature is refused",
    requirement="A request whose signature header is absent or empty MUST be refused.",
    source="vendor: a request whose signature does not match should not be accepted",
    remedy="Treat a missing header as a failed verification.",
    who=Who.ANYONE,
    core=True,
)
@refused
def no_header(lab: Lab) -> Iterator[Case]:
    """A genuine event without the signature header, and with an empty one."""
    name = header_items.name_of(lab.scheme.signature_place)
    yield Case(f"a request without {name}", header_items.without(lab.genuine()))
    yield Case(f"a request with an empty {name}", header_items.with_value(lab.genuine(), ""))


@rule(
    id="forged-signature",
    level=Level.MUST,
    title="A wrong signature is refused",
    requirement="A signature that the secret did not make MUST be refused.",
    source="vendor: a request whose signature does not match should not be accepted",
    remedy="Await the verifier, branch on its result, and fail closed.",
    who=Who.ANYONE,
    core=True,
)
@refused
def signature(lab: Lab) -> Iterator[Case]:
    """A random signature of the right length, and a signature made with another key."""
    forged = lab.genuine().with_signature(lab.random_signature())
    yield Case("a request with a random signature", forged.request)
    other = lab.genuine(signer=lab.other_signer())
    yield Case("a request signed with another key", other.request)


@rule(
    id="forged-empty-secret",
    level=Level.MUST,
    title="The empty key signs nothing",
    requirement="A signature made with the empty key MUST be refused.",
    source="our judgement: an unset variable must not turn the secret into a public one",
    remedy="Refuse to start, and refuse every request, while the secret is empty.",
    who=Who.ANYONE,
    needs=(Need.SHARED_KEY,),
    after=VERIFIES,
    core=True,
)
@refused
def empty_secret(lab: Lab) -> Iterator[Case]:
    """An event signed with an HMAC under the empty key."""
    forged = lab.genuine(signer=_signer_with(lab, ""))
    yield Case("a request signed with the empty key", forged.request)


@rule(
    id="forged-default-secret",
    level=Level.MUST,
    title="Well-known default keys sign nothing",
    requirement="A signature made with a key that anyone would guess MUST be refused.",
    source="our judgement: no correct receiver knows a second secret by accident",
    remedy="Never ship a fallback secret.",
    who=Who.ANYONE,
    needs=(Need.SHARED_KEY,),
    after=VERIFIES,
)
@refused
def default_secret(lab: Lab) -> Iterator[Case]:
    """Events signed with `secret`, `changeme`, `undefined` and other defaults."""
    for key in (*DEFAULT_KEYS, lab.scheme.signature_place.name):
        if key not in lab.secrets.each:
            forged = lab.genuine(signer=_signer_with(lab, key))
            yield Case(f"a request signed with the key {key!r}", forged.request)


@rule(
    id="forged-shared-secret",
    level=Level.MUST,
    title="Another webhook's secret signs nothing here",
    requirement="A signature made with the secret of another webhook MUST be refused.",
    source="our judgement: each webhook has a secret of its own; asked for by --other-secret-env",
    remedy="Look the secret up by the webhook, and try no other.",
    who=Who.SECRET,
    needs=(Need.OTHER_SECRET,),
    after=VERIFIES,
)
@refused
def shared_secret(lab: Lab) -> Iterator[Case]:
    """An event signed with the secret of another webhook."""
    forged = lab.genuine(signer=Signer(lab.scheme, lab.other_secret or ""))
    yield Case("a request signed with another webhook's secret", forged.request)


def _signer_with(lab: Lab, key: str) -> Signer:
    """Return a signer whose key is this text as it stands, whatever form the scheme declares."""
    rule = replace(lab.scheme.key, text=KeyText.UTF8, without="")
    return Signer(replace(lab.scheme, key=rule), secret_of(lab.scheme, lab.secret, key))


@rule(
    id="forged-unkeyed-hash",
    level=Level.MUST,
    title="A plain hash is no signature",
    requirement="A hash made without a key MUST be refused.",
    source="our judgement: anyone can compute it",
    remedy="Use HMAC with the secret as its key.",
    who=Who.ANYONE,
    needs=(Need.SHARED_KEY,),
    after=VERIFIES,
)
@refused
def unkeyed_hash(lab: Lab) -> Iterator[Case]:
    """A plain hash of the signed content, of the body, and of timestamp and body."""
    hash_name = lab.scheme.algorithm.hash_name or ""
    for words in ("the signed content", "the body", "timestamp and body"):
        forged = lab.genuine()
        content = {
            "the signed content": forged.signed_bytes,
            "the body": forged.body,
            "timestamp and body": f"{forged.timestamp}.".encode() + forged.body,
        }[words]
        digest = lab.scheme.encoding.write(hashlib.new(hash_name, content).digest())
        yield Case(f"a plain hash of {words} as signature", forged.with_signature(digest).request)


ROOTS: tuple[Rule, ...] = (no_header, signature)
"""What other rules stand on."""

RULES: tuple[Rule, ...] = (
    empty_secret,
    default_secret,
    shared_secret,
    unkeyed_hash,
    *forged_parts.RULES,
    *forged_signatures.RULES,
    *forged_shift.RULES,
    *forged_secret.RULES,
)
