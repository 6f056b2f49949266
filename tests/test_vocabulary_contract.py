"""The whole contract on documents that use every word: it applies, or says why it does not."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hookproof import catalogue
from hookproof.effects import CallableProbe
from hookproof.events import RuleFinished, RuleResult
from hookproof.forging import forgery
from hookproof.keys import another_secret
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver, read_body, request_from_environ
from hookproof.redact import Redactor
from hookproof.rule import Rule
from hookproof.run import Setup, run
from hookproof.serving import serve
from hookproof.targets.base import Exchange, Target
from hookproof.targets.http import HttpTarget
from hookproof.targets.wsgi import WsgiTarget
from hookproof.validators import RequestValidator
from hookproof.verdicts import Verdict
from hookproof_spec.request import Request
from hookproof_spec.scheme_reader import read_scheme
from hookproof_spec.signing import Reason, Signer, Verifier
from hookproof_spec.webhook import Webhook
from support.vocabulary import FORM, WORDS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GOOD = {Verdict.PASS, Verdict.NOT_APPLICABLE}
RULES = tuple(rule for rule in catalogue.RULES if not rule.opt_in)
CORE = tuple(rule for rule in RULES if rule.core)


def results(
    name: str, webhook: Webhook, target: Target, seen: list[str], rules: tuple[Rule, ...] = RULES
) -> dict[str, RuleResult]:
    setup = Setup(
        webhook=webhook,
        spec=name,
        secret=WORDS[name].secret,
        target=target,
        probe=CallableProbe(lambda: len(seen)),
        rules=rules,
        examples=3,
        effect_timeout=0.5,
    )
    finished = (event for event in run(setup) if isinstance(event, RuleFinished))
    return {event.rule.id: event.result for event in finished}


def receiver(name: str, webhook: Webhook, seen: list[str]) -> WSGIApplication:
    return create_receiver(
        webhook,
        WORDS[name].secret,
        nonces=MemoryNonceStore(),
        on_event=lambda event: seen.append(webhook.name),
    )


def told(results: dict[str, RuleResult]) -> dict[str, str]:
    return {id: r.message for id, r in results.items() if r.verdict not in GOOD}


@pytest.mark.parametrize("name", WORDS)
def test_a_correct_receiver_passes_the_whole_contract(name: str, tmp_path: Path) -> None:
    webhook, seen = WORDS[name].webhook(tmp_path), list[str]()
    found = results(name, webhook, WsgiTarget(receiver(name, webhook, seen)), seen)
    assert told(found) == {}
    assert found["valid-basic"].verdict is Verdict.PASS
    assert found["forged-signature"].verdict is Verdict.PASS
    covered = webhook.scheme.covers("body")
    assert (found["forged-body-changed"].verdict is Verdict.PASS) == covered


def trusting(seen: list[str]) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        seen.append("event")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    return application


@pytest.mark.parametrize("name", WORDS)
def test_a_receiver_that_verifies_nothing_is_found(name: str, tmp_path: Path) -> None:
    webhook, seen = WORDS[name].webhook(tmp_path), list[str]()
    found = results(name, webhook, WsgiTarget(trusting(seen)), seen, CORE)
    for id in ("forged-no-header", "forged-signature"):
        assert found[id].verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["fields", "digest-in-query", "in-json", "in-query"])
def test_values_travel_over_http_too(name: str, tmp_path: Path) -> None:
    webhook, seen = WORDS[name].webhook(tmp_path), list[str]()
    server = serve(receiver(name, webhook, seen))
    try:
        with HttpTarget(f"{server.url}/webhook", timeout=5.0) as target:
            found = results(name, webhook, target, seen, CORE)
    finally:
        server.close()
    assert told(found) == {}


def forgetful_of_the_body(webhook: Webhook, secret: str, seen: list[str]) -> WSGIApplication:
    """Verify the signature over the URL, and not the digest in it, as is easily forgotten."""
    words = {"algorithm": "hmac-sha1", "content": "{url}", "encoding": "base64"}
    carry = {"carry": {"header": {"X-Twilio-Signature": "{signature}"}}}
    scheme, _ = read_scheme(words | carry, pointer="")
    verifier = Verifier(scheme or webhook.scheme, secret)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = request_from_environ(environ, read_body(environ, 1 << 20) or b"")
        accepted = verifier.verify(request, 0.0).accepted
        seen.extend(["event"] if accepted else [])
        start_response("200 OK" if accepted else "401 Unauthorized", [])
        return [b""]

    return application


def test_a_digest_that_nobody_compares_is_found(tmp_path: Path) -> None:
    name, seen = "digest-in-query", list[str]()
    webhook = WORDS[name].webhook(tmp_path)
    target = WsgiTarget(forgetful_of_the_body(webhook, WORDS[name].secret, seen))
    found = results(name, webhook, target, seen, CORE)
    assert found["forged-signature"].verdict is Verdict.PASS
    assert found["forged-body-changed"].verdict is Verdict.FAIL


SHARED = [name for name, words in WORDS.items() if words.scheme.algorithm.is_shared]


@pytest.mark.parametrize("name", SHARED)
def test_secrets_and_expected_signatures_are_masked(name: str) -> None:
    words = WORDS[name]
    scheme, signer = words.scheme, Signer(words.scheme, words.secret)
    body = b"{}" if words.media_type == "application/json" else b"a=1"
    delivery = signer.sign(
        Request("POST", "http://127.0.0.1/hook", (), body), timestamp=1.6e9, nonce="ab" * 25
    )
    wrong = scheme.encoding.write(bytes(scheme.algorithm.signature_size))
    right = signer.expected(delivery.request)
    assert delivery.signatures[0] in right
    said = " ".join((*right, *scheme.secrets(words.secret).each, words.secret)).encode()
    exchange = Exchange(request=delivery.with_signature(wrong).request, status=401, body=said)
    shown = Redactor([words.secret], scheme).exchange(exchange).body
    for secret in (*right, *scheme.secrets(words.secret).each):
        assert secret.encode() not in shown


def test_a_form_is_judged_and_explained(tmp_path: Path) -> None:
    words = WORDS["fields"]
    webhook = words.webhook(tmp_path)
    validator = RequestValidator(webhook, words.secret, nonces=None)
    plain = Request("POST", "http://127.0.0.1/hook", (("Content-Type", FORM),), b"To=1&Body=2")
    signed = Signer(words.scheme, words.secret).signed(plain, timestamp=0.0, nonce="")
    verdict = validator.check(signed, 0.0)
    assert verdict.reason is Reason.INVALID_PAYLOAD
    assert [problem.message for problem in validator.explain(signed)] == [
        '"MessageSid" is a required property'
    ]
    [problem] = validator.explain(signed.with_body(b"To=%FF"))
    assert problem.message == "a field of the form is not UTF-8"


@pytest.mark.parametrize("name", WORDS)
def test_another_secret_has_the_declared_form(name: str) -> None:
    words, scheme = WORDS[name], WORDS[name].scheme
    other = another_secret(scheme, words.secret)
    assert scheme.secrets(other).key_id == scheme.secrets(words.secret).key_id
    plain = Request("POST", "http://127.0.0.1/hook", (), b"{}")
    signed = Signer(scheme, other).signed(plain, timestamp=1.6e9, nonce="ab" * 25)
    verdict = Verifier(scheme, [words.secret]).verify(signed, 1.6e9)
    assert not verdict.accepted


@pytest.mark.parametrize("name", ["method-url-body-time", "in-query", "fields"])
def test_a_forgery_is_made_for_its_url(name: str, tmp_path: Path) -> None:
    words = WORDS[name]
    webhook, url = words.webhook(tmp_path), "https://shop.example:8443/in/here?shop=1"
    made = forgery(catalogue.rule("forged-body-changed"), webhook, words.secret, url=url)
    verifier, now = Verifier(words.scheme, words.secret), time.time()
    assert made.request.url.startswith(url)
    assert verifier.verify(made.request, now).reason is Reason.WRONG_SIGNATURE
    replayed = forgery(catalogue.rule("forged-signature"), webhook, words.secret, url=url)
    assert replayed.request.url.startswith(url)
