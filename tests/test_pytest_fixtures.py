"""Fixtures for tests of one's own: `webhook`, `webhook_payloads`, `webhook_clock`."""

from __future__ import annotations

import pytest

from hookproof.searching.steps import Forge, Replay, Send, pasted
from support.suites import BY_EFFECT, CONTRACT, Suite, text

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester).receiver()


def passes(suite: Suite, tests: str, *arguments: str, count: int = 1) -> None:
    result = suite.file("test_own.py", tests).run(*arguments)
    result.assert_outcomes(passed=count)


# --- webhook --------------------------------------------------------------------------------------


def test_send_returns_answer_and_effects(suite: Suite) -> None:
    passes(
        suite,
        """
def test_events_are_processed(webhook):
    delivery = webhook.send("sparePartOutOfStock")
    assert (delivery.status, delivery.body, delivery.effects) == (200, b"ok", 1)
    assert delivery.accepted and delivery.header("content-type") == "text/plain"

def test_payload_is_sent_as_given(webhook):
    body = webhook.send(payload={"a": "é"}).request.body
    assert body == '{"a":"é"}'.encode()
    assert webhook.send(payload=b"raw").request.body == b"raw"
""",
        count=2,
    )


def test_replay_stale_and_forge_are_refused_without_effect(suite: Suite) -> None:
    passes(
        suite,
        """
import datetime, pytest

def test_replay(webhook):
    first = webhook.send()
    again = webhook.replay(first)
    assert again.request == first.request
    assert (again.status, again.effects, again.note) == (409, 0, "the same bytes again")

@pytest.mark.parametrize("age", [7200, datetime.timedelta(days=2)])
def test_stale(webhook, age):
    assert (webhook.stale(age=age).status, webhook.stale().effects) == (401, 0)

@pytest.mark.parametrize("rule", ["forged-no-header", "forged-empty-secret", "forged-body-changed",
                                  "stale-old", "replay-exact", "header-oversized"])
def test_forge(webhook, rule):
    delivery = webhook.forge(rule)
    assert 400 <= delivery.status < 500 and delivery.effects == 0 and delivery.note

def test_forge_is_the_request_of_its_rule(webhook):
    assert webhook.forge("forged-no-header").request.header("X-MW-Signature") is None

def test_forge_needs_a_rule_that_forges(webhook):
    with pytest.raises(Exception, match="no rule 'forged-no-haeder'; did you mean"):
        webhook.forge("forged-no-haeder")
    with pytest.raises(Exception, match="valid-basic sends nothing that a correct receiver refus"):
        webhook.forge("valid-basic")
""",
        count=11,
    )


@pytest.mark.parametrize(
    ("spec", "host"), [("mobility-work", "testserver"), ("square", "in-process")]
)
def test_application_hears_the_host_of_test_clients_unless_its_url_is_signed(
    suite: Suite, spec: str, host: str
) -> None:
    suite.pytester.makeconftest(f"""
import hookproof, pytest

def app(environ, start):
    start("200 OK", [])
    return [environ["HTTP_HOST"].encode()]

@pytest.fixture
def webhook_receiver():
    return hookproof.Receiver(app=app, secret="s3cret-s3cret", spec="{spec}")
""")
    passes(
        suite,
        f"""
def test_host(webhook):
    assert webhook.send().body == b"{host}"
""",
        count=1,
    )


def test_signed_payload_suits_every_test_client(suite: Suite) -> None:
    for module in ("flask", "fastapi", "httpx", "django"):
        pytest.importorskip(module)
    passes(
        suite,
        """
import hashlib, hmac, re
import flask, fastapi, fastapi.testclient

SECRET = b"s3cret-s3cret"

def check(header, body):
    t, nonce, given = re.fullmatch("t=(.*),nonce=(.*),signature=(.*)", header).groups()
    content = f"{t}.{nonce}.".encode() + body
    return hmac.compare_digest(hmac.new(SECRET, content, hashlib.sha256).hexdigest(), given)

def test_flask(webhook):
    app = flask.Flask("x")
    @app.post("/webhook")
    def hook():
        request = flask.request
        assert request.json == {"a": 1}
        return "", 200 if check(request.headers["X-MW-Signature"], request.get_data()) else 401
    assert app.test_client().post("/webhook", **webhook.sign({"a": 1}).flask).status_code == 200

def test_fastapi(webhook):
    app = fastapi.FastAPI()
    @app.post("/webhook")
    async def hook(request: fastapi.Request):
        ok = check(request.headers["X-MW-Signature"], await request.body())
        return fastapi.Response(status_code=200 if ok else 401)
    client = fastapi.testclient.TestClient(app)
    assert client.post("/webhook", **webhook.sign().httpx).status_code == 200
    assert client.post("/webhook", content=b"{}", headers=webhook.sign().headers).status_code == 401

def test_django(webhook):
    from django.conf import settings
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
    import django
    django.setup()
    from django.test import Client
    assert Client().post("/webhook", **webhook.sign(b'{"raw": true}').django).status_code == 200

def hook(request):
    from django.http import HttpResponse
    assert request.content_type == "application/json"
    genuine = check(request.headers["X-MW-Signature"], request.body)
    return HttpResponse(status=200 if genuine else 401)

def __getattr__(name):
    if name == "urlpatterns":
        from django.urls import path
        return [path("webhook", hook)]
    raise AttributeError(name)

def test_by_hand(webhook):
    headers, body = webhook.sign({"a": 1})
    assert check(headers["X-MW-Signature"], body)
    assert not check(webhook.sign(nonce="n" * 40).headers["X-MW-Signature"], body)
""",
        "-W",
        "default",
        count=4,
    )


def test_signing_needs_no_receiver(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    (suite.path / "conftest.py").unlink()
    monkeypatch.setenv("SHOP_SECRET", "s3cret-s3cret")
    suite.file("pyproject.toml", '[tool.hookproof]\nsecret-env = "SHOP_SECRET"\n')
    suite.file(
        "test_own.py",
        """
def test_sign(webhook):
    assert webhook.sign().headers["X-MW-Signature"].startswith("t=")

def test_send(webhook):
    webhook.send()
""",
    )
    result = suite.run()
    result.assert_outcomes(passed=1, failed=1)
    assert "There is no fixture webhook_receiver." in text(result)


def test_sender_without_a_secret_is_explained(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite.path / "conftest.py").unlink()
    monkeypatch.delenv("HOOKPROOF_SECRET", raising=False)
    result = suite.file("test_own.py", "def test_sign(webhook): webhook.sign()\n").run()
    assert "HOOKPROOF_SECRET: it is not set" in text(result)


# --- webhook_payloads -----------------------------------------------------------------------------


def test_payloads_are_valid_ones(suite: Suite) -> None:
    passes(
        suite,
        """
from hypothesis import HealthCheck, given, settings, strategies as st
from hookproof_spec.payloads import encode, validate

@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_payload(webhook, webhook_payloads, data):
    payload = data.draw(webhook_payloads)
    assert not validate(webhook.webhook, encode(payload))
""",
    )


# --- webhook_clock --------------------------------------------------------------------------------


def test_clock_moves_for_one_test(suite: Suite) -> None:
    passes(
        suite,
        """
import time, datetime
START = time.time()

def test_moves(webhook, webhook_clock):
    delivery = webhook.send()
    webhook_clock.advance(3600)
    webhook_clock.advance(datetime.timedelta(minutes=1))
    assert 3660 <= time.time() - START < 3700
    assert webhook.replay(delivery).status == 401
    assert webhook.send().accepted

def test_is_back():
    assert time.time() - START < 60
""",
        count=2,
    )


CLOCKED = """
import hookproof, pytest, time
from hookproof.miniatures.broken_replay import RemembersFromReceipt
from hookproof.miniatures.base import Miniature

class Real({kind}):
    def now(self):
        return time.time()

@pytest.fixture(scope="session")
def webhook_receiver(webhook_clock):
    app = Real("s3cret-s3cret")
    return hookproof.Receiver(app=app, secret="s3cret-s3cret", effects=lambda: list(app.names),
                              tolerance=3600, clock=webhook_clock)
"""


def test_rules_that_need_a_clock_apply_with_it(suite: Suite) -> None:
    suite.file("conftest.py", CLOCKED.format(kind="Miniature")).file("test_hooks.py", CONTRACT)
    result = suite.run("-k", "stale-after-window or replay-ttl or replay-race")
    assert result.parseoutcomes()["passed"] == 3


def test_nonce_forgotten_too_early_is_found_with_a_clock(suite: Suite) -> None:
    suite.file("conftest.py", CLOCKED.format(kind="RemembersFromReceipt"))
    result = suite.file("test_hooks.py", CONTRACT).run("-k", "replay-ttl")
    assert result.parseoutcomes()["failed"] == 1


def test_missing_time_machine_is_explained(suite: Suite) -> None:
    suite.file("conftest.py", "import sys\nsys.modules['time_machine'] = None\n")
    result = suite.file("test_own.py", "def test_own(webhook_clock): ...\n").run()
    result.assert_outcomes(errors=1)
    assert "pip install time-machine" in text(result)


def test_own_clock_is_put_back_after_a_rule(suite: Suite) -> None:
    suite.receiver(options=BY_EFFECT + ", clock=Own(app)")
    conftest = suite.path / "conftest.py"
    conftest.write_text(
        conftest.read_text()
        + """
class Own:
    def __init__(self, app):
        self.app = app
    def now(self):
        return self.app.now()
    def advance(self, seconds):
        self.app.advance(seconds)

@pytest.fixture(scope="session", autouse=True)
def unmoved(webhook_receiver):
    yield
    assert webhook_receiver.app.ahead == 0
"""
    )
    result = suite.file("test_hooks.py", CONTRACT).run("-k", "stale or ttl")
    assert set(result.parseoutcomes()) <= {"passed", "skipped", "deselected"}
    assert "replay-ttl" not in text(suite.run("-k", "ttl", "-rs"))


# --- hookproof_lab --------------------------------------------------------------------------------


def test_pasted_steps_of_a_finding_run(suite: Suite) -> None:
    passes(suite, pasted((Send(), Forge(1), Replay(1))))
