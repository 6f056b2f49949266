"""What leaves in a report never holds the secret, nor a signature that would have been right."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.events import RuleFinished, RunFinished, RunStarted
from hookproof.redact import Redactor
from hookproof.targets.base import Exchange
from hookproof.verdicts import Evidence, Verdict
from hookproof_spec import load
from hookproof_spec.request import Request
from hookproof_spec.scheme import Algorithm, KeyRule, KeyText
from hookproof_spec.signing import Signer
from support.command_line import CANARY, all_forms
from support.told import a_result, a_rule, a_run, a_start, an_answer

SECRETS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="*#@~!=+^"), min_size=3, max_size=40
)
NEIGHBOURS = st.binary(max_size=12)


@given(SECRETS, NEIGHBOURS, NEIGHBOURS, st.sampled_from(range(11)))
def test_no_form_of_a_secret_survives(secret: str, before: bytes, after: bytes, which: int) -> None:
    form = all_forms(secret)[which]
    assert form not in Redactor([secret]).bytes(before + form + after)


@given(SECRETS.filter(lambda secret: len(secret.encode()) >= 9), NEIGHBOURS, NEIGHBOURS)
def test_a_secret_inside_longer_base64_is_masked(secret: str, before: bytes, after: bytes) -> None:
    echoed = base64.b64encode(before + secret.encode() + after).decode()
    shown = Redactor([secret]).text(echoed)
    assert shown != echoed


@given(st.binary(max_size=200))
def test_bytes_without_the_secret_stay_as_they_are(data: bytes) -> None:
    assert Redactor([CANARY]).bytes(data) == data


@given(SECRETS)
def test_mask_never_contains_the_secret(secret: str) -> None:
    assert secret.encode() not in Redactor([secret]).bytes(secret.encode() * 3)


@pytest.mark.parametrize("secret", ["*", "#*", "**********", "a*"])
def test_mask_avoids_the_characters_of_the_secret(secret: str) -> None:
    assert secret not in Redactor([secret]).text(f"a{secret}{secret}*")


@pytest.mark.parametrize(
    "write",
    [
        json.dumps,
        html.escape,
        quote,
        quote_plus,
        lambda text: quote(text, safe="").lower(),
        lambda text: "".join(f"&#{ord(c)};" for c in text),
        lambda text: "".join(f"&#x{ord(c):X};" for c in text),
        lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
        lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
        lambda text: text.encode().hex(":").replace(":", ""),
        repr,
    ],
)
def test_an_escaped_secret_is_masked(write: Callable[[str], str]) -> None:
    secret = 'a "b" <c>/d\\e\n&f\'g é'
    echoed = write(secret)
    shown = Redactor([secret]).text(f"before {echoed} after")
    assert echoed.strip("'\"") not in shown
    assert "********" in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode().hex(" "),
        lambda text: text.encode().hex(":").upper(),
        lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
        lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
        lambda text: repr(text.encode()),
        lambda text: json.dumps({"type": "Buffer", "data": list(text.encode())}),
        lambda text: json.dumps(list(text.encode()), indent=2),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: json.dumps(json.dumps(text)),
    ],
)
def test_a_secret_that_a_program_dumps_is_masked(write: Callable[[str], str]) -> None:
    secret = 'canary-Z8/x+q=9"é'
    shown = Redactor([secret]).text(f"before {write(secret)} after")
    assert "********" in shown
    assert not {"63", "99", "canary"} & set(re.findall("[a-z]+|[0-9]+", shown))


def test_short_coded_forms_are_left_alone() -> None:
    assert Redactor(["a"]).text("61 YQ") == "61 YQ"
    assert Redactor(["a"]).text("banana") != "banana"


def test_empty_secrets_mask_nothing() -> None:
    assert Redactor([""]).text("anything") == "anything"


def test_every_line_of_a_pem_key_is_masked() -> None:
    line = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
    pem = f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"
    assert line not in Redactor([pem]).text(f"key={line};")


def test_decoded_key_is_masked_too() -> None:
    webhook = load("mobility-work").webhook()
    scheme = replace(webhook.scheme, key=replace(webhook.scheme.key, without="whsec_"))
    redactor = Redactor(["whsec_the-inner-key"], scheme)
    assert "the-inner-key" not in redactor.text("the-inner-key")
    assert b"the-inner-key".hex() not in redactor.text(b"the-inner-key".hex())


def test_public_key_is_enough_to_mask() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    scheme = replace(
        load("mobility-work").webhook().scheme,
        algorithm=Algorithm.ED25519,
        key=KeyRule(text=KeyText.HEX),
    )
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    exchange = Redactor([public], scheme).exchange(an_answer(401, public.encode()))
    assert exchange.body == b"********"


def test_redactor_shows_no_secret_of_its_own() -> None:
    assert CANARY not in repr(Redactor([CANARY]))


# --- expected signatures ------------------------------------------------------------------------


def forged(secret: str = CANARY) -> tuple[Request, str]:
    """Return a request with a wrong signature, and the one that would have been right."""
    scheme = load("mobility-work").webhook().scheme
    plain = Request("POST", "http://127.0.0.1/", (), b'{"a":1}')
    genuine = Signer(scheme, secret).sign(plain, timestamp=1_700_000_000.0, nonce="ab" * 20)
    return genuine.with_signature("0" * 64).request, genuine.signatures[0]


@pytest.mark.parametrize("form", [str, str.upper, lambda s: base64.b64encode(bytes.fromhex(s))])
def test_an_answer_that_reveals_the_expected_signature_is_masked(
    form: Callable[[str], str | bytes],
) -> None:
    request, expected = forged()
    leaked = form(expected)
    body = b"expected " + (leaked if isinstance(leaked, bytes) else leaked.encode())
    exchange = Exchange(request=request, status=401, headers=(("X-Hint", expected),), body=body)
    shown = Redactor([CANARY], load("mobility-work").webhook().scheme).exchange(exchange)
    assert shown.body == b"expected ********"
    assert shown.headers == (("X-Hint", "********"),)


def test_signatures_that_were_sent_are_shown() -> None:
    scheme = load("mobility-work").webhook().scheme
    plain = Request("POST", "http://127.0.0.1/", (), b"{}")
    genuine = Signer(scheme, CANARY).sign(plain, timestamp=1.0, nonce="ab" * 20)
    exchange = Exchange(request=genuine.request, status=200, body=genuine.signatures[0].encode())
    shown = Redactor([CANARY], scheme).exchange(exchange)
    assert shown == exchange


def test_headers_are_masked_byte_by_byte() -> None:
    on_the_wire = CANARY.encode().decode("latin-1")
    name, value = Redactor([CANARY]).header(("X-Echo", f"<{on_the_wire}>"))
    assert (name, value) == ("X-Echo", "<********>")


def test_every_text_of_a_run_is_masked() -> None:
    echo = an_answer(500, f"key {CANARY}".encode(), (("X-Key", CANARY.encode().hex()),))
    result = replace(
        a_result(Verdict.FAIL, Evidence(f"note {CANARY}", echo)),
        message=f"message {CANARY}",
        expected=CANARY,
        settle=CANARY,
    )
    _, *rest = a_run((a_rule(), result), reason=f"reason {CANARY}")
    events = [replace(a_start(), target=f"http://h/?k={quote(CANARY)}"), *rest]
    shown = list(Redactor([CANARY]).events(events))
    for event in shown:
        if isinstance(event, RunStarted | RuleFinished | RunFinished):
            assert not any(form.decode() in repr(event) for form in all_forms(CANARY))
    assert len(shown) == len(events)
