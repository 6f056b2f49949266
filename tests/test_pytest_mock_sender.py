"""The fixture `mock_sender`: a sender of the test's own, whose mistakes are the test's."""

from __future__ import annotations

import pytest

from support.suites import Suite, text

pytest_plugins = ["pytester"]

RECEIVER = """
import pytest
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load

@pytest.fixture
def receiver():
    app = create_receiver(load("mobility-work").webhook(), "s3cret", nonces=MemoryNonceStore())
    with serve(app) as server:
        yield server.url + "/webhook"
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester).file("conftest.py", RECEIVER)


def test_event_is_delivered_signed_and_resent(suite: Suite) -> None:
    tests = """
def test_delivery(mock_sender, receiver):
    subscription = mock_sender.register(receiver, secret="s3cret")
    event = mock_sender.trigger()
    (delivery,) = mock_sender.wait()
    assert (delivery.event_id, delivery.state.value) == (event.id, "delivered")
    (attempt,) = mock_sender.attempts(delivery)
    assert attempt.request.header("X-MW-Signature").startswith("t=")
    mock_sender.sender.resend(delivery.id)
    again, _ = mock_sender.wait()
    assert (again.state.value, again.last_status) == ("delivered", 409)
    mock_sender.sender.forge(delivery.id, "forged-no-header")
    assert mock_sender.wait()[0].last_status == 401

def test_each_test_has_its_own(mock_sender):
    assert mock_sender.wait() == ()
    assert mock_sender.url.startswith("http://127.0.0.1:")
"""
    suite.file("test_own.py", tests).run("-W", "error").assert_outcomes(passed=2)


def test_stock_that_runs_out_brings_an_event_about(suite: Suite) -> None:
    tests = """
import json, urllib.request

def test_stock(mock_sender, receiver):
    mock_sender.register(receiver, secret="s3cret")
    part = mock_sender.sender.add_part(
        name="Bearing", article_code="B-1", locations=(("Shelf", 2),)
    )
    place = part.locations[0].id
    mock_sender.sender.consume(part.id, place, 1)
    assert mock_sender.wait() == ()
    mock_sender.sender.consume(part.id, place, 1)
    (delivery,) = mock_sender.wait()
    assert delivery.last_status == 200
    with urllib.request.urlopen(mock_sender.url + "/api/deliveries") as answer:
        assert [one["id"] for one in json.load(answer)["items"]] == [delivery.id]
"""
    suite.file("test_own.py", tests).run("-W", "error").assert_outcomes(passed=1)


def test_document_is_that_of_the_configuration(suite: Suite) -> None:
    suite.file("hookproof.toml", 'spec = "github"')
    tests = """
def test_other_document(mock_sender):
    assert mock_sender.trigger("push").webhook == "push"
"""
    suite.file("test_own.py", tests).run("-W", "error").assert_outcomes(passed=1)


def test_mistake_in_a_thread_fails_the_test(suite: Suite) -> None:
    tests = """
import pytest

def test_wait_raises_it(mock_sender):
    mock_sender.troubles.append(RuntimeError("seen in a thread"))
    with pytest.raises(RuntimeError, match="seen in a thread"):
        mock_sender.wait()
    mock_sender.troubles.clear()

def test_end_raises_it(mock_sender, receiver):
    mock_sender.register(receiver, secret="s3cret")
    def break_(delivery, attempt):
        raise RuntimeError("a listener broke")
    mock_sender.sender.add_listener(break_)
    mock_sender.trigger()
    mock_sender.sender.idle(30)
"""
    result = suite.file("test_own.py", tests).run()
    result.assert_outcomes(passed=2, errors=1)
    assert "RuntimeError: a listener broke" in text(result)


def test_document_that_is_wrong_is_told_in_one_line(suite: Suite) -> None:
    suite.file("hookproof.toml", 'spec = "githob"')
    tests = "def test_other_document(mock_sender):\n    pass\n"
    result = suite.file("test_own.py", tests).run()
    result.assert_outcomes(errors=1)
    assert "did you mean github?" in text(result)
    assert "Traceback" not in text(result)
