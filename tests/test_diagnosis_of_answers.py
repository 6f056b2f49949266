"""What a refusal says by itself is read, and nothing is read into it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.diagnosis.answers import Refusal, certain, likely, likely_dropped, member_names
from hookproof.targets.base import Exchange, Failure
from hookproof_spec import load, payloads
from hookproof_spec.request import Request

HEADER = "X-MW-Signature"
MEMBERS = frozenset(member_names(payloads.example(load("mobility-work").webhook())))


def refusal(
    status: int | None,
    text: str = "",
    *headers: tuple[str, str],
    failure: Failure | None = None,
    url: str = "http://127.0.0.1/hook",
) -> Refusal:
    request = Request("POST", url, (), b"{}")
    exchange = Exchange(
        request=request, status=status, headers=headers, body=text.encode(), failure=failure
    )
    return Refusal(exchange, HEADER, MEMBERS)


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (refusal(None, failure=Failure.TIMEOUT), "does not answer within the time-out"),
        (refusal(None, failure=Failure.GARBAGE), "if it speaks TLS on this port, say https"),
        (refusal(None, failure=Failure.CLOSED, url="https://h/"), "see its log, and what stands"),
        (refusal(302), "does not say where"),
        (refusal(307, "", ("Location", "https://h/hook")), "register the final URL, https://h/ho"),
        (refusal(302, "", ("Location", "/accounts/login/?next=/hook")), "to a log-in page"),
        (refusal(419), "a CSRF guard"),
        (refusal(422, "Can't verify CSRF token authenticity"), "a CSRF guard"),
        (refusal(401, "", ("WWW-Authenticate", "Bearer")), "asks for Bearer credentials"),
        (refusal(407), "a proxy asks for credentials"),
        (refusal(400, "Client sent an HTTP request to an HTTPS server."), "speaks TLS on this"),
        (refusal(403, "Blocked host: 127.0.0.1"), "other host names than 127.0.0.1"),
        (refusal(400, '{"loc":["header","x-signature"]}'), "asks for a header x-signature"),
        (refusal(422, '{"loc":["body","movement"],"msg":"Field required"}'), "names 'movement'"),
        (refusal(405), "does not take the webhook's POST"),
        (refusal(405, "", ("Allow", "GET")), "takes GET, and not the webhook's POST"),
        (refusal(409), "takes an event with a new nonce for one that it has processed"),
        (refusal(410), "register the one that took its place"),
        (refusal(411), "asks for a Content-Length"),
        (refusal(413), "its limit for bodies"),
        (refusal(421), "another server is meant"),
        (refusal(426), "register its https address"),
        (refusal(431), "its limit for headers"),
        (refusal(502), "a gateway answers in its place"),
        (refusal(504), "took too long"),
    ],
)
def test_certain_cause_is_told(refused: Refusal, told: str) -> None:
    assert told in (certain(refused) or "")


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (refusal(404), "no webhook is served at this path"),
        (refusal(415), "does not take the document's media type"),
        (refusal(500, "ValueError: no"), "fails inside with ValueError"),
        (refusal(500), "fails inside: see its log"),
        (refusal(401, "timestamp too old"), "speaks of the time"),
        (refusal(401, "already processed"), "speaks of a repetition"),
        (refusal(401, "missing signature"), "does not find the signature's header"),
    ],
)
def test_likely_cause_is_not_taken_for_certain(refused: Refusal, told: str) -> None:
    assert certain(refused) is None
    assert told in (likely(refused) or "")


@pytest.mark.parametrize(
    "refused",
    [
        refusal(401),
        refusal(401, "invalid signature", ("WWW-Authenticate", "Webhook-Signature")),
        refusal(400, "Invalid signature"),
        refusal(403, "Forbidden"),
        refusal(422, '{"loc":["header","x-mw-signature"]}'),
    ],
)
def test_plain_refusal_says_nothing(refused: Refusal) -> None:
    assert certain(refused) is None
    assert likely(refused) is None


@given(
    status=st.integers(100, 599),
    text=st.text(max_size=80),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Location", "Allow", "WWW-Authenticate", "Content-Type"]),
            st.text(max_size=30),
        ),
        max_size=3,
    ),
)
def test_any_answer_is_read_and_what_is_said_of_it_prints(
    status: int, text: str, headers: list[tuple[str, str]]
) -> None:
    refused = refusal(status, text, *headers)
    for told in (certain(refused), likely(refused), likely_dropped(refused.exchange)):
        assert told is None or told.isprintable()
