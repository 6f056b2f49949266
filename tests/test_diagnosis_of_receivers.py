"""A receiver that refuses genuine events is told apart from all others by what it answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from threading import Thread, Timer
from typing import TYPE_CHECKING

import pytest

from hookproof.catalogue import rule
from hookproof.diagnosis.asking import MOST_SUSPECTS
from hookproof.effects import CallableProbe
from hookproof.events import RuleFinished, RunFinished
from hookproof.keys import another_secret
from hookproof.miniatures.base import Miniature
from hookproof.run import Setup, run
from hookproof.targets.http import HttpTarget
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Verdict
from hookproof_spec import load
from hookproof_spec.documents import names
from support.wrongly_refusing import (
    RECEIVERS,
    HasAnotherSecret,
    KeepsLineEnd,
    RefusesSomething,
    Refusing,
    SpacedJson,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hookproof.events import RuleResult

SECRET = "hookproof-secret-0001"


def setup_for(app: WSGIApplication, *rules: str, probe: CallableProbe | None = None) -> Setup:
    return Setup(
        webhook=load("mobility-work").webhook(),
        spec="mobility-work",
        secret=app.secret_given if isinstance(app, Refusing) else SECRET,
        target=WsgiTarget(app),
        probe=probe,
        rules=tuple(rule(id) for id in rules or ("valid-basic",)),
        effect_timeout=0.5,
    )


def judged(app: WSGIApplication, probe: CallableProbe | None = None) -> RuleResult:
    events = run(setup_for(app, probe=probe))
    (finished,) = [event for event in events if isinstance(event, RuleFinished)]
    return finished.result


def probe_of(receiver: Miniature) -> CallableProbe:
    return CallableProbe(lambda: list(receiver.names))


@dataclass
class Answering:
    """Answers these statuses in turn, and counts the requests."""

    statuses: Iterable[int]
    text: bytes = b"refused"
    count: int = 0

    def __post_init__(self) -> None:
        self._turn = cycle(self.statuses)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        self.count += 1
        start_response(f"{next(self._turn)} -", [])
        return [self.text]


@pytest.mark.parametrize("kind", RECEIVERS, ids=lambda kind: kind.__name__)
def test_receiver_is_told_what_it_does_wrong(kind: type[Refusing]) -> None:
    receiver = kind(kind.secret_given)
    result = judged(receiver, probe_of(receiver))
    assert result.verdict is Verdict.FAIL
    cause = result.message.partition("): ")[2]
    assert cause.startswith(kind.told), result.message


@pytest.mark.parametrize("kind", [HasAnotherSecret, RefusesSomething])
def test_diagnosis_costs_at_most_eighty_requests(kind: type[Refusing]) -> None:
    receiver = kind(SECRET)
    result = judged(receiver)
    assert 30 < result.requests <= MOST_SUSPECTS + 11 == 80
    assert receiver.served == result.requests


def test_accepted_variant_is_the_evidence() -> None:
    result = judged(SpacedJson(SECRET))
    assert [item.exchange.status for item in result.evidence] == [401, 200]
    assert result.evidence[1].note.startswith("an event whose signature was made over re-serialis")


def test_effects_of_accepted_variants_spoil_no_later_count() -> None:
    receiver = SpacedJson(SECRET)
    probe = probe_of(receiver)
    events = run(setup_for(receiver, "valid-basic", "forged-no-header", probe=probe))
    assert [e.result.verdict for e in events if isinstance(e, RuleFinished)] == [
        Verdict.FAIL,
        Verdict.BLOCKED,
    ]
    assert len(receiver.names) == len(set(receiver.names)) == 2


def test_no_variant_is_sent_where_the_answer_says_it_all() -> None:
    moved = Answering((410,))
    assert "register the one that took its place" in judged(moved).message
    assert moved.count == 2  # a breach is looked at twice


def test_receiver_that_asks_for_patience_is_asked_no_more() -> None:
    app = Answering((401, 401, 401, 503))
    assert "the signature was not recognised" in judged(app).message
    assert app.count == 5


def test_answer_with_a_number_in_it_is_no_other_answer() -> None:
    receiver = KeepsLineEnd(SECRET)
    assert "ends in a newline" in judged(receiver).message


def test_receiver_without_a_secret_is_diagnosed_by_its_answer_alone() -> None:
    app = Answering((400,), b"unsupported")
    events = list(run(replace(setup_for(app), secret=None)))
    (finished,) = [event for event in events if isinstance(event, RuleFinished)]
    assert "more than an unsigned event" in finished.result.message
    assert any(isinstance(event, RunFinished) for event in events)


@pytest.mark.parametrize("document", names())
def test_receiver_of_any_shipped_webhook_can_be_asked(document: str) -> None:
    webhook = next(iter(load(document).webhooks.values()))
    app = Answering((401,))
    setup = replace(setup_for(app), webhook=webhook, secret=another_secret(webhook.scheme))
    (finished,) = [event for event in run(setup) if isinstance(event, RuleFinished)]
    assert finished.result.verdict is Verdict.FAIL
    assert "most likely another secret" in finished.result.message
    assert finished.result.requests <= MOST_SUSPECTS + 11


# --- events that are acknowledged and dropped ----------------------------------------------------


class DropsSilently(SpacedJson):
    """Answers 200 to whatever comes, and acts on what it can verify."""

    def answer(self, status: int, start_response: StartResponse) -> Iterable[bytes]:
        return super().answer(200, start_response)


class DropsAll(DropsSilently):
    """Acts on nothing."""

    def act(self, event: str) -> None:
        """Does nothing."""


class ActsLater(DropsSilently):
    """Acts some time after it has answered."""

    def act(self, event: str) -> None:
        Timer(0.1, super().act, (event,)).start()


@pytest.mark.parametrize("kind", [DropsSilently, ActsLater])
def test_event_that_is_dropped_in_silence_is_explained(kind: type[Refusing]) -> None:
    receiver = kind(SECRET)
    result = judged(receiver, probe_of(receiver))
    assert result.verdict is Verdict.FAIL
    assert result.message.startswith(
        f"answers 200 to a genuine event and drops it: {SpacedJson.told}"
    )


def test_event_that_is_dropped_is_explained_by_a_count_alone() -> None:
    receiver = DropsSilently(SECRET)
    result = judged(receiver, CallableProbe(lambda: len(receiver.names)))
    assert SpacedJson.told in result.message


def test_receiver_that_acts_on_nothing_stays_unproven() -> None:
    receiver = DropsAll(SECRET)
    result = judged(receiver, probe_of(receiver))
    assert result.verdict is Verdict.UNPROVEN
    assert "either it is dropped, or the probe looks elsewhere" in result.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"<!DOCTYPE html><html>", "a web page came back"),
        (b'{"status": "ignored"}', "its answer says 'ignored'"),
    ],
)
def test_answer_to_a_dropped_event_is_read(text: bytes, told: str) -> None:
    result = judged(Answering((200,), text), CallableProbe(lambda: 0))
    assert result.verdict is Verdict.UNPROVEN
    assert told in result.message


# --- what an answer says -------------------------------------------------------------------------


class MindsCase(BaseHTTPRequestHandler):
    """Keeps headers in a plain dictionary, and looks for one of them in lower case."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        found = "x-mw-signature" in dict(self.headers.items())
        self.send_response(200 if found else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def test_receiver_that_minds_the_case_of_a_name_is_told() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), MindsCase) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        with HttpTarget(f"http://127.0.0.1:{server.server_port}/webhook") as target:
            events = list(run(replace(setup_for(Answering((200,))), target=target)))
        server.shutdown()
        thread.join()
    (finished,) = [event for event in events if isinstance(event, RuleFinished)]
    assert "it looks for X-MW-Signature in lower case alone" in finished.result.message


def test_event_that_the_answer_repeats_blames_no_member() -> None:
    text = b'{"error":"invalid","event":{"stock":1,"sparePart":2,"movement":3,"_event":4}}'
    assert "names" not in judged(Answering((400,), text)).message


def test_problem_in_its_usual_form_blames_no_member() -> None:
    text = b'{"type":"about:blank","title":"invalid signature","status":400,"name":"x"}'
    assert "names" not in judged(Answering((400,), text)).message


def test_redirect_to_no_url_at_all_is_told_as_it_is() -> None:
    class Lost(Answering):
        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            start_response("302 -", [("Location", "http://[::1")])
            return [b""]

    assert "register the final URL, http://[::1" in judged(Lost((302,))).message


def test_late_effect_is_not_taken_for_that_of_a_mistake() -> None:
    app = Answering((200,))
    late = CallableProbe(lambda: int(app.count >= 5))
    assert judged(app, late).verdict is Verdict.UNPROVEN


def test_words_of_a_receiver_steer_no_terminal() -> None:
    class Steering(Answering):
        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            start_response("405 -", [("Allow", "GET\x1b[2J" + "A" * 500)])
            return [b""]

    message = judged(Steering((405,))).message
    assert message.isprintable()
    assert len(message) < 400
