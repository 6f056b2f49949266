"""`hookproof.Receiver`: what is checked when it is given, and what a suite is told of mistakes."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable
from typing import Any

import pytest

import hookproof
from hookproof.under_test import Interface, interface_of
from hookproof_spec.errors import HookproofError
from support.suites import BY_EFFECT, CONTRACT, Suite, text

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester)


def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 (any of WSGI's)
    return []


async def asgi(scope: object, receive: object, send: object) -> None: ...


async def make_app(settings: object = None) -> object: ...


class AsgiObject:
    async def __call__(self, scope: object, receive: object, send: object) -> None: ...


class WrappedAsgi:
    """As frameworks' middleware written without `async def` looks."""

    def __call__(self, scope: object, receive: object, send: object) -> object: ...


@pytest.mark.parametrize(
    ("app", "interface"),
    [
        (wsgi, Interface.WSGI),
        (functools.partial(wsgi), Interface.WSGI),
        (lambda *arguments: [], Interface.WSGI),
        (asgi, Interface.ASGI),
        (functools.partial(asgi), Interface.ASGI),
        (AsgiObject(), Interface.ASGI),
        (WrappedAsgi(), Interface.ASGI),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_interface_is_seen_from_the_application(app: object, interface: Interface) -> None:
    assert interface_of(app) is interface


def test_told_interface_outranks_what_is_seen() -> None:
    assert interface_of(wsgi, "asgi") is Interface.ASGI


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither app nor url is given; write Receiver(app=…) or Receiver(url=…)"),
        ({"app": wsgi, "url": "http://127.0.0.1/"}, "app and url are both given"),
        ({"app": "my.app"}, "app is a str, which cannot be called"),
        ({"app": AsgiObject}, "app is the class AsgiObject; give an application made of it"),
        ({"app": lambda: None}, "neither WSGI's two nor ASGI's three arguments"),
        ({"app": make_app}, "give what it returns, if it makes the application"),
        ({"app": wsgi, "path": "webhook"}, "the path 'webhook' does not begin with /"),
        ({"app": wsgi, "replay": "reject"}, "replay is 'reject'; did you mean rejects?"),
        ({"app": wsgi, "forged": 3}, "forged is 3; allowed: rejects, ignores"),
        ({"app": wsgi, "interface": "asgy"}, "did you mean asgi?"),
        ({"app": wsgi, "tolerance": -1}, "tolerance is -1; give a number above 0"),
        ({"app": wsgi, "timeout": True}, "timeout is True"),
        ({"app": wsgi, "rate": float("nan")}, "rate is nan"),
        ({"app": wsgi, "restart": "x"}, "restart is a str; give a function"),
        ({"app": wsgi, "effects": 3}, "effects is an int; give a function that counts, or a URL"),
        ({"app": wsgi, "secret": ""}, "secret is empty"),
        ({"app": wsgi, "secret": b"canary"}, "secret is a bytes"),
        ({"app": wsgi, "secret": "canary", "unsigned": True}, "exclude each other"),
        ({"app": wsgi, "also": 5}, "app is an int"),
    ],
)
def test_mistake_is_told_when_it_is_made(given: dict[str, Any], said: str) -> None:
    with pytest.raises(HookproofError) as caught:
        hookproof.Receiver(**given)
    assert said in str(caught.value)
    assert str(caught.value).startswith("hookproof.Receiver: ")
    assert "canary" not in str(caught.value)


def test_receiver_hides_its_secret_and_cannot_be_changed() -> None:
    receiver = hookproof.Receiver(app=wsgi, secret="canary", headers={"A": "canary"})
    assert "canary" not in repr(receiver)
    assert "canary" not in repr(copy.copy(receiver))
    with pytest.raises(AttributeError):
        receiver.secret = "x"  # type: ignore[misc]


def test_package_shows_what_is_meant_to_be_used() -> None:
    assert dir(hookproof) == sorted(hookproof.__all__)
    assert all(getattr(hookproof, name) is not None for name in hookproof.__all__)
    with pytest.raises(AttributeError, match="no attribute 'reciever'"):
        _ = hookproof.reciever


# --- what a suite is told -------------------------------------------------------------------------


def failures(result: pytest.RunResult) -> int:
    return result.parseoutcomes().get("failed", 0)


def test_missing_fixture_is_explained_once_with_an_example(suite: Suite) -> None:
    result = suite.contract().run()
    assert failures(result) == 1
    out = text(result)
    assert "There is no fixture webhook_receiver. Define it in conftest.py:" in out
    assert "return hookproof.Receiver(app=my_wsgi_or_asgi_app" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("body", "said"),
    [("return object()", "gave a object"), ("pass", "gave None (did it forget to return?)")],
)
def test_fixture_of_something_else_is_explained_once(suite: Suite, body: str, said: str) -> None:
    suite.contract().pytester.makeconftest(
        f"import pytest\n@pytest.fixture\ndef webhook_receiver(): {body}\n"
    )
    result = suite.run()
    assert failures(result) == 1
    assert said in text(result)


def test_application_that_cannot_be_called_is_shown_where_it_is_given(suite: Suite) -> None:
    suite.receiver(options=BY_EFFECT)
    conftest = suite.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace("app=app", "app='my_app'"))
    result = suite.contract().run("-k", "valid-basic")
    out = text(result)
    assert "app is a str, which cannot be called; give a WSGI or ASGI application" in out
    assert "return hookproof.Receiver(app='my_app'" in out
    assert "under_test.py" not in out


def test_contract_without_its_arguments_is_explained(suite: Suite) -> None:
    suite.file("test_hooks.py", CONTRACT.replace("webhook_receiver, rule", "webhook_receiver"))
    result = suite.run()
    result.assert_outcomes(errors=1)
    assert "test_receiver is a contract and does not take rule" in text(result)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('spec="mobility-wrok"', "mobility-work"),
        ('webhook="sparePart"', "no webhook 'sparePart'"),
        ('headers={"X-MW-Signature": "x"}', "X-MW-Signature is written by hookproof itself"),
    ],
)
def test_what_cannot_be_prepared_is_told_once(suite: Suite, options: str, said: str) -> None:
    result = suite.receiver(options=options).contract().run()
    assert failures(result) == 1
    assert said in text(result)
    assert "Traceback" not in text(result)


def by_url(suite: Suite, url: str) -> Suite:
    return suite.file(
        "conftest.py",
        f"""
import hookproof, pytest

@pytest.fixture(scope="session")
def webhook_receiver():
    return hookproof.Receiver(url={url!r}, secret="s3cret-s3cret")
""",
    )


def test_receiver_that_is_not_there_fails_once(suite: Suite) -> None:
    result = by_url(suite, "http://127.0.0.1:9/webhook").contract().run("-rs")
    assert failures(result) == 1
    assert "cannot reach the receiver" in text(result)
    assert "blocked: hookproof: http://127.0.0.1:9/webhook: cannot reach" in text(result)


def test_foreign_host_has_to_be_named(suite: Suite) -> None:
    result = by_url(suite, "http://webhooks.example/x").contract().run("-k", "valid-basic")
    assert 'if it is yours, give allow_hosts=["webhooks.example"]' in text(result)


def test_error_of_the_probe_is_shown_as_the_users_own(suite: Suite) -> None:
    suite.receiver(options="effects=lambda: app.nothing").contract()
    result = suite.run("-k", "valid-basic")
    out = text(result)
    assert "has no attribute 'nothing'" in out
    assert "conftest.py:" in out
    assert "watcher.py" not in out
    assert "run.py" not in out


def test_secret_comes_from_the_environment_by_default(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.receiver().contract()
    conftest = suite.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace(', secret="s3cret-s3cret"', ""))
    monkeypatch.delenv("HOOKPROOF_SECRET", raising=False)
    missing = suite.run("-k", "valid-basic")
    assert "environment variable HOOKPROOF_SECRET: it is not set" in text(missing)
    monkeypatch.setenv("HOOKPROOF_SECRET", "s3cret-s3cret")
    assert failures(suite.run("-k", "valid-basic")) == 0
