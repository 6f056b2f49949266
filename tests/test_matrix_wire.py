"""The self-proof over a real socket, and that none of its rules can be taken away unnoticed."""

from __future__ import annotations

import socket

import pytest

from hookproof.catalogue import RULES
from hookproof.events import RuleResult
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.broken_wire import LeavesBodiesUnread
from hookproof.miniatures.catalogue import BROKEN, CORRECT
from hookproof.miniatures.correct import Plain
from hookproof.miniatures.serving import serve
from hookproof.miniatures.trial import SECRET, broken, trial
from hookproof.rule import Category, Need, Rule
from hookproof.targets.base import Framing
from hookproof.targets.http import HttpTarget
from hookproof.verdicts import Verdict
from hookproof_spec.request import Request
from support.trials import briefly_tried

OWN = (Category.HEADER, Category.PAYLOAD, Category.HTTP, Category.LOAD)
SLOW = ("load-interleaved", "load-forged-flood", "payload-huge-unsigned", "replay-later")
"""Hundreds of requests, or many bytes: over the wire they cost a second, and show no more."""


def name_of(kind: type[Miniature]) -> str:
    return kind.__name__


def told(results: dict[str, RuleResult]) -> dict[str, str]:
    silent = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.INFO, Verdict.UNPROVEN)
    return {
        id: f"{result.verdict.value}: {result.message}"
        for id, result in results.items()
        if result.verdict not in silent
    }


# --- correct receivers ------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.timeout(300)  # a receiver that acts late is waited for as long as its slowest took
@pytest.mark.parametrize("kind", [kind for kind in CORRECT if not kind.wire], ids=name_of)
def test_correct_receiver_has_no_finding_over_http(kind: type[Miniature]) -> None:
    quick = [rule for rule in RULES if rule.id not in SLOW]
    results = (trial if kind is Plain else briefly_tried)(kind, quick, wire=True)
    assert set(told(results)) <= set(kind.may_warn), told(results)


@pytest.mark.parametrize("kind", [kind for kind in CORRECT if kind.defends_itself], ids=name_of)
@pytest.mark.parametrize("probe", [True, False], ids=["by-effects", "by-status"])
def test_receiver_that_defends_itself_has_no_finding(kind: type[Miniature], probe: bool) -> None:
    results = trial(kind, RULES, probe=probe)
    assert told(results) == {}
    assert Verdict.UNPROVEN in {result.verdict for result in results.values()}


# --- no rule can be taken away ----------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RULES if rule.category in OWN or Need.RAW in rule.needs],
    ids=lambda rule: rule.id,
)
def test_rule_has_a_receiver_that_only_it_exposes(rule: Rule) -> None:
    assert [kind for kind in BROKEN if kind.exposed_by == (rule.id,)]


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind.wire], ids=name_of)
def test_without_its_rule_a_broken_receiver_looks_whole(kind: type[Miniature]) -> None:
    rules = [rule for rule in RULES if rule.id not in (*kind.exposed_by, *SLOW)]
    assert broken(briefly_tried(kind, rules)) == set()


# --- the server under the miniatures ----------------------------------------------------------


def seen_by_a_receiver(request: Request, framing: Framing) -> Request:
    seen: list[Request] = []

    class Recorder(Plain):
        def receive(self, request: Request) -> int:
            seen.append(request)
            return 200

    with serve(Recorder(SECRET)) as served, HttpTarget(served.url) as target:
        assert target.send(request.with_url(served.url), framing).status == 200
    return seen[0]


@pytest.mark.parametrize(
    "framing",
    [Framing(), Framing(chunked=True), Framing(pauses=(0, 3)), Framing(chunked=True, pauses=(2,))],
    ids=["plain", "chunked", "in-parts", "in-parts-and-chunks"],
)
def test_served_miniature_sees_every_byte(framing: Framing) -> None:
    lines = (("x-Odd-NAME", "\xe9\xb2 a"), ("X-Twice", "1"), ("X-Twice", "2"))
    sent = Request("POST", "/webhook", lines, b"\x00\xff body")
    seen = seen_by_a_receiver(sent, framing)
    assert [line for line in seen.headers if line[0].lower().startswith("x-")] == list(lines)
    assert seen.body == sent.body


def test_served_miniature_keeps_its_connection() -> None:
    refused = Request("POST", "/webhook", (), b"x" * 20_000)
    with serve(Plain(SECRET)) as served, HttpTarget(served.url) as target:
        exchanges = target.converse([refused.with_url(served.url)] * 3)
    assert [exchange.status for exchange in exchanges] == [401, 401, 401]


def test_body_left_unread_is_taken_for_a_request() -> None:
    refused = Request("POST", "/webhook", (), b"x" * 20_000)
    with serve(LeavesBodiesUnread(SECRET)) as served, HttpTarget(served.url) as target:
        exchanges = target.converse([refused.with_url(served.url)] * 2)
    first, second = (exchange.status for exchange in exchanges)
    assert first == 401
    assert second in (400, 501)


def test_bug_that_raises_is_answered_500() -> None:
    class Raises(Plain):
        def receive(self, request: Request) -> int:
            raise ValueError

    with serve(Raises(SECRET)) as served, HttpTarget(served.url) as target:
        request = Request("POST", served.url, (), b"{}")
        exchanges = target.converse([request, request])
    assert [exchange.status for exchange in exchanges] == [500]


def test_served_miniature_tells_its_effects() -> None:
    receiver = Plain(SECRET)
    receiver.act("part-1")
    with serve(receiver) as served, HttpTarget(served.effects_url) as target:
        exchange = target.send(Request("GET", served.effects_url, (), b""))
    assert (exchange.status, exchange.body) == (200, b'["part-1"]')


def test_port_is_free_when_serving_has_ended() -> None:
    with serve(Plain(SECRET)) as served:
        port = int(served.url.split(":")[2].split("/")[0])
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", port)) != 0
