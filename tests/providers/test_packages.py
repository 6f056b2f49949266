"""Each provider's own package accepts what we sign, and refuses what we forge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from hookproof.fresh import fresh_nonce
from hookproof_spec import payloads, pointers
from hookproof_spec.errors import Problem
from hookproof_spec.request import Request
from hookproof_spec.scheme import Encoding
from hookproof_spec.signing import Delivery, Signer
from hookproof_spec.webhook import Webhook
from providers.judges import JUDGES, PAGE, Judge, page, webhooks_of
from providers.keys import made_for
from providers.npm import Node
from providers.verdicts import ACCEPTED, REFUSED

URL = "http://127.0.0.1:8000/webhook"
TIMED = [judge for judge in JUDGES if webhooks_of(judge)[0].scheme.timestamp is not None]
ROTATING = [judge for judge in JUDGES if webhooks_of(judge)[0].scheme.repeat is not None]


def delivery(webhook: Webhook, secret: str, timestamp: float) -> Delivery:
    body = payloads.write(webhook, payloads.example(webhook))
    return Signer(webhook.scheme, secret).sign(
        webhook.unsigned(URL, body),
        timestamp=timestamp,
        nonce=fresh_nonce(webhook.scheme.nonce),
    )


def other_letter(signature: str) -> str:
    """Return a signature with another letter amid it, where its bytes have no structure."""
    middle = "1" if signature[12] == "0" else "0"
    return signature[:12] + middle + signature[13:]


def other_body(webhook: Webhook, body: bytes) -> bytes:
    """Return a body that says something else."""
    value = payloads.read(webhook, body)
    assert not isinstance(value, Problem)
    assert webhook.marker is not None
    return payloads.write(webhook, pointers.replace(value, webhook.marker, "forged"))


def forgeries(webhook: Webhook, secret: str, now: float) -> Mapping[str, Request]:
    """Return requests that nobody must accept, by their one difference from a genuine one."""
    genuine = delivery(webhook, secret, now)
    other = delivery(webhook, made_for(webhook.scheme).signer, now)
    changed = {
        "another signature": genuine.with_signature(other_letter(genuine.signatures[0])),
        "another key": other,
    }
    if webhook.scheme.covers("body"):
        changed["another body"] = genuine.with_body(other_body(webhook, genuine.request.body))
    if webhook.scheme.covers("timestamp"):
        later = delivery(webhook, secret, now + 1)
        changed["another time"] = genuine.with_timestamp(later.timestamp)
    if webhook.scheme.covers("nonce"):
        changed["another nonce"] = genuine.with_nonce(fresh_nonce(webhook.scheme.nonce))
    return {note: forged.request for note, forged in changed.items()}


@pytest.mark.parametrize("judge", JUDGES, ids=str)
def test_package_accepts_what_we_sign(judge: Judge, node: Node, now: float) -> None:
    judge.require()
    for webhook in webhooks_of(judge):
        keys = made_for(webhook.scheme)
        signed = delivery(webhook, keys.signer, now)
        assert judge.verdict(node, signed.request, keys.receiver) == ACCEPTED, webhook.name


@pytest.mark.parametrize("judge", JUDGES, ids=str)
def test_package_refuses_what_we_forge(judge: Judge, node: Node, now: float) -> None:
    judge.require()
    webhook = webhooks_of(judge)[0]
    keys = made_for(webhook.scheme)
    said = {
        note: judge.verdict(node, request, keys.receiver)
        for note, request in forgeries(webhook, keys.signer, now).items()
    }
    assert said == dict.fromkeys(said, REFUSED)


@pytest.mark.parametrize("judge", TIMED, ids=str)
def test_package_judges_age_as_the_page_says(judge: Judge, node: Node, now: float) -> None:
    judge.require()
    webhook = webhooks_of(judge)[0]
    rule = webhook.scheme.timestamp
    assert rule is not None
    assert rule.tolerance is not None
    keys = made_for(webhook.scheme)
    old = delivery(webhook, keys.signer, now - rule.tolerance - 60)
    expected = ACCEPTED if "stale-old" in page()[str(judge)].musts else REFUSED
    assert judge.verdict(node, old.request, keys.receiver) == expected


@pytest.mark.parametrize("judge", ROTATING, ids=str)
def test_package_takes_one_of_several_signatures(judge: Judge, node: Node, now: float) -> None:
    judge.require()
    webhook = webhooks_of(judge)[0]
    keys = made_for(webhook.scheme)
    ours = delivery(webhook, keys.signer, now)
    others = replace(ours, signatures=(other_letter(ours.signatures[0]), ours.signatures[0]))
    assert judge.verdict(node, others.request, keys.receiver) == ACCEPTED


@pytest.mark.parametrize("judge", JUDGES, ids=str)
def test_page_names_the_version_that_is_tried(judge: Judge) -> None:
    judge.require()
    assert page()[str(judge)].version == judge.version


def test_page_names_every_package_and_no_other() -> None:
    assert list(page()) == [str(judge) for judge in JUDGES], PAGE


ENCODED = [judge for judge in JUDGES if webhooks_of(judge)[0].scheme.encoding is not Encoding.HEX]
LENIENT = {
    "standardwebhooks",
    "svix",
    "telnyx",
    "sendgrid",
    "npm:@line/bot-sdk",
    "npm:@sendgrid/eventwebhook",
}
"""Those that decode the signature, and take a text that decodes to the same bytes."""
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def respelt(signature: str) -> str | None:
    """Return another text that Base64 decodes to the same bytes; None where there is none."""
    bare = signature.rstrip("=")
    if len(bare) % 4 == 0:
        return None
    neighbour = ALPHABET[ALPHABET.index(bare[-1]) + 1]
    return bare[:-1] + neighbour + signature[len(bare) :]


@pytest.mark.parametrize("judge", ENCODED, ids=str)
def test_package_decodes_leniently_where_the_page_says(
    judge: Judge, node: Node, now: float
) -> None:
    judge.require()
    webhook = webhooks_of(judge)[0]
    keys = made_for(webhook.scheme)
    signed = (delivery(webhook, keys.signer, now) for _ in range(100))  # ECDSA varies in length
    genuine, other = next((one, text) for one in signed if (text := respelt(one.signatures[0])))
    said = judge.verdict(node, genuine.with_signature(other).request, keys.receiver)
    assert (said == ACCEPTED) == (str(judge) in LENIENT)
