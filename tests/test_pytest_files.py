"""`NAME.hookproof.yaml`: a contract without a line of code."""

from __future__ import annotations

import pytest

from hookproof.miniatures.base import Miniature
from hookproof.miniatures.serving import serve
from support.suites import Suite, text

pytest_plugins = ["pytester"]
APP = """
from hookproof.miniatures.base import Miniature
app = Miniature("s3cret-s3cret")
def effects(): return list(app.names)
def make(): return app
"""
BY_APP = "app: shop:app\neffects: shop:effects\ntolerance: 3600\nsecret-env: SHOP_SECRET\n"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("SHOP_SECRET", "s3cret-s3cret")
    return Suite(pytester).ini("pythonpath = .").file("shop.py", APP)


def test_file_is_a_module_with_a_test_a_rule(suite: Suite) -> None:
    result = suite.file("contracts/shop.hookproof.yaml", BY_APP).run("-v", "-k", "replay")
    assert "failed" not in result.parseoutcomes()
    assert "contracts/shop.hookproof.yaml::test_rule[replay-race] PASSED" in text(result)
    one = suite.run("contracts/shop.hookproof.yaml::test_rule[replay-race]")
    one.assert_outcomes(passed=1)


def test_file_judges_a_url(suite: Suite) -> None:
    receiver = Miniature("s3cret-s3cret")
    with serve(receiver) as served:
        suite.file(
            "shop.hookproof.yaml",
            f"url: {served.url}\neffects-url: {served.effects_url}\n"
            "secret-env: SHOP_SECRET\nonly: [core]\nskip: {replay-race: one process}\n",
        )
        result = suite.run("-rs")
    assert result.parseoutcomes()["passed"] >= 8
    assert "shop.hookproof.yaml:2: skipped: left out" in text(result)


def test_file_may_leave_the_receiver_to_a_fixture(suite: Suite) -> None:
    suite.receiver().file("shop.hookproof.yaml", "only: valid-basic\n")
    suite.run().assert_outcomes(passed=1, skipped=1)


def test_finding_points_to_the_test_of_the_file(suite: Suite) -> None:
    suite.file(
        "shop.py", APP.replace("base import Miniature", "broken_replay import ForgetsNonces")
    )
    shop = (suite.path / "shop.py").read_text().replace("= Miniature", "= ForgetsNonces")
    suite.file("shop.py", shop).file("shop.hookproof.yaml", BY_APP)
    result = suite.run("-k", "replay-exact")
    assert "again        pytest 'shop.hookproof.yaml::test_rule[replay-exact]'" in text(result)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ulr: http://127.0.0.1/\n", "unknown key; did you mean url?"),
        ("secret: abc\n", "a secret does not belong into a file that is shared"),
        ("tolerance: soon\n", "it must be a number above 0"),
        ("url: 5\n", "url: it must be a text"),
        ("url: http://127.0.0.1/\napp: a:b\n", "url and app exclude each other"),
        ("strict: true\n", "it is for the whole run"),
        ("only: replay-rice\n", "did you mean replay-race?"),
        ("- a\n- b\n", "it must be a mapping of keys to values"),
        ("a: [\n", "shop.hookproof.yaml"),
    ],
)
def test_mistake_in_a_file_is_one_clear_error(suite: Suite, content: str, said: str) -> None:
    result = suite.file("shop.hookproof.yaml", content).run()
    result.assert_outcomes(errors=1)
    assert said in text(result)
    assert "Traceback" not in text(result)


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("nowhere:app", "No module named 'nowhere'; is its folder in pytest's pythonpath?"),
        ("shop:ap", "has no attribute 'ap'"),
        ("shop", "'shop' names nothing; write package.module:name"),
        (".shop:app", "'.shop:app' names nothing; write package.module:name"),
        ("shop:make", "app is a function, which is called with neither"),
    ],
)
def test_application_that_cannot_be_imported_is_told(suite: Suite, app: str, said: str) -> None:
    result = suite.file("shop.hookproof.yaml", f"app: {app}\nonly: valid-basic\n").run()
    assert said in text(result)
    assert "contract_file.py" not in text(result)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("secret-env: SHOP_SECRTE", "secret-env: environment variable SHOP_SECRTE is not set"),
        ("secret-file: nowhere.txt", "nowhere.txt: cannot be read"),
    ],
)
def test_secret_of_another_is_not_taken_for_its_own(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.setenv("HOOKPROOF_SECRET", "s3cret-of-another")
    suite.file("shop.hookproof.yaml", f"app: shop:app\nonly: valid-basic\n{line}\n")
    result = suite.run()
    result.assert_outcomes(failed=1, skipped=1)
    assert said in text(result)
    assert ".py" not in text(result)


def test_file_that_is_not_utf8_is_told(suite: Suite) -> None:
    (suite.path / "shop.hookproof.yaml").write_bytes(b"\xff")
    assert "it is not UTF-8" in text(suite.run())
