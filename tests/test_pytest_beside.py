"""The plugin in everybody's runs: light, quiet, and at peace with other plugins and settings."""

from __future__ import annotations

import statistics
import subprocess
import sys

import pytest

from support.suites import CONTRACT, Suite, text

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester)


def test_help_fixtures_and_markers_explain_themselves(suite: Suite) -> None:
    out = text(suite.run("--help"))
    assert "--hookproof-report=FORMAT=PATH" in out
    assert "hookproof_strict (bool)" in out
    fixtures = text(suite.run("--fixtures"))
    assert "webhook_receiver [session scope]" in fixtures
    assert "Sends events to `webhook_receiver`" in fixtures
    for name in ("webhook_payloads", "webhook_clock"):
        assert name in fixtures
    markers = text(suite.run("--markers"))
    assert (
        "@pytest.mark.hookproof(rule, category, level): a rule of the webhook contract" in markers
    )


def test_run_without_us_loads_nothing_of_ours_but_the_door(suite: Suite) -> None:
    suite.file(
        "test_own.py",
        """
import sys
def test_own(request):
    loaded = {name for name in sys.modules if name.split(".")[0].startswith("hookproof")}
    assert loaded == {"hookproof", "hookproof.pytest_plugin"}
    heavy = {"yaml", "werkzeug", "jsonschema_rs", "click", "cryptography", "asyncio.events"}
    assert not heavy & set(sys.modules)
""",
    )
    suite.run_apart("-p", "no:hypothesispytest", "-p", "no:xdist").assert_outcomes(passed=1)


def test_workers_load_nothing_of_ours_but_the_door(suite: Suite) -> None:
    suite.file(
        "test_own.py",
        """
import sys
def test_own():
    assert "hookproof.catalogue" not in sys.modules
""",
    )
    suite.run_apart("-n", "1").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "options",
    [
        ("--import-mode=importlib",),
        ("-p", "no:cacheprovider", "-p", "no:terminal"),
        ("-p", "no:cacheprovider", "--strict-markers", "--strict-config", "-W", "error"),
        ("-p", "randomly", "-p", "no:warnings"),
    ],
    ids=lambda options: options[-1],
)
def test_contract_holds_under_other_settings(suite: Suite, options: tuple[str, ...]) -> None:
    suite.receiver().contract().ini("hookproof_only = core replay-restart")
    result = suite.pytester.runpytest_subprocess(
        "-p", "no:asyncio", "-p", "no:django", *options, "-p", "no:xdist"
    )
    assert result.ret == 0, text(result)


def test_contract_holds_in_random_order_under_workers(suite: Suite) -> None:
    suite.receiver().contract().ini("hookproof_only = core")
    result = suite.pytester.runpytest_subprocess(
        "-n", "2", "-p", "no:asyncio", "-p", "no:django", "-p", "randomly"
    )
    assert "failed" not in result.parseoutcomes(), text(result)
    assert result.parseoutcomes()["passed"] > 8


ASYNC = """
import asyncio, hookproof, pytest, pytest_asyncio

@pytest_asyncio.fixture
async def number():
    await asyncio.sleep(0)
    return 5

@pytest.mark.asyncio
async def test_own(number, webhook):
    assert webhook.send().accepted and number == 5

@hookproof.contract(only="core")
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)
"""
ASGI = """
import hookproof, pytest
from hookproof.miniatures.base import Miniature, RefusedError
from hookproof_spec.request import Request

class App(Miniature):
    async def __call__(self, scope, receive, send):
        assert scope["type"] == "http"
        body = (await receive())["body"]
        lines = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
        try:
            status = self.receive(Request(scope["method"], scope["path"], lines, body))
        except RefusedError as refused:
            status = refused.status
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

@pytest.fixture(scope="session")
def webhook_receiver():
    app = App("s3cret-s3cret")
    return hookproof.Receiver(app=app, secret="s3cret-s3cret", effects=lambda: list(app.names),
                              tolerance=3600)
"""


def test_plugin_lives_beside_pytest_asyncio(suite: Suite) -> None:
    pytest.importorskip("pytest_asyncio")
    suite.file("conftest.py", ASGI).file("test_own.py", ASYNC)
    suite.ini("asyncio_default_fixture_loop_scope = function")
    result = suite.pytester.runpytest_subprocess(
        "-p", "no:randomly", "-p", "no:django", "-W", "error", "-p", "no:xdist"
    )
    assert set(result.parseoutcomes()) <= {"passed", "skipped"}, text(result)
    assert result.parseoutcomes()["passed"] > 8


DJANGO = """
import hookproof, pytest

@pytest.fixture(scope="session")
def webhook_receiver(django_db_setup):
    from shop.wsgi import application
    from shop.models import Event
    return hookproof.Receiver(app=application, secret="s3cret-s3cret",
                              effects=lambda: Event.objects.count())
"""


def test_plugin_lives_beside_pytest_django(suite: Suite) -> None:
    pytest.importorskip("pytest_django")
    suite.ini("DJANGO_SETTINGS_MODULE = shop.settings", "pythonpath = .")
    suite.file("shop/__init__.py", "").file("conftest.py", DJANGO)
    suite.file(
        "shop/settings.py",
        """
SECRET_KEY = "x"
ROOT_URLCONF = "shop.wsgi"
ALLOWED_HOSTS = ["shop.example"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    )
    suite.file(
        "shop/models.py",
        "from django.db import models\n"
        "class Event(models.Model):\n    name = models.CharField(max_length=200, unique=True)\n",
    )
    suite.file(
        "shop/wsgi.py",
        """
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError
from django.http import HttpResponse
from django.urls import path
from hookproof.miniatures.base import Miniature, RefusedError
from hookproof_spec.request import Request

class Judge(Miniature):
    def claim(self, stamp, body):
        from shop.models import Event
        return Event.objects.get_or_create(name=stamp.nonce)[1]

judge = Judge("s3cret-s3cret")

def hook(request):
    sent = Request(request.method, request.path, tuple(request.headers.items()), request.body)
    try:
        return HttpResponse(status=judge.receive(sent))
    except RefusedError as refused:
        return HttpResponse(status=refused.status)

urlpatterns = [path("webhook", hook)]
application = get_wsgi_application()
""",
    )
    suite.file(
        "test_hooks.py",
        "import pytest\n"
        + CONTRACT.replace(
            "@hookproof.contract",
            "@pytest.mark.django_db\n@hookproof.contract(only='replay-exact')",
        ),
    )
    result = suite.pytester.runpytest_subprocess(
        "-p", "no:randomly", "-p", "no:asyncio", "-p", "no:xdist", "-W", "error"
    )
    assert set(result.parseoutcomes()) <= {"passed", "skipped"}, text(result)
    assert result.parseoutcomes()["passed"] == 2


def test_importing_the_plugin_takes_a_few_milliseconds() -> None:
    """Single-digit milliseconds are meant; the bound leaves room for a machine that is busy."""
    code = (
        "import pytest, time; begun = time.process_time()\n"
        "import hookproof.pytest_plugin; print(time.process_time() - begun)"
    )
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(5)
    ]
    assert statistics.median(runs) < 0.02, runs
