"""The contract inside pytest: one test a rule, which ends as the rule does."""

from __future__ import annotations

import re

import pytest

from hookproof.catalogue import RULES
from hookproof.rule import Need
from support.suites import CONTRACT, Suite, text

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester)


def of_default() -> list[str]:
    return [rule.id for rule in RULES if not rule.opt_in]


# --- items ----------------------------------------------------------------------------------------


def test_contract_has_one_test_a_rule_named_by_its_id(suite: Suite) -> None:
    result = suite.receiver().contract().run("--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        f"test_hooks.py::test_receiver[{id}]" for id in of_default()
    ]


def test_correct_receiver_fails_nothing(suite: Suite) -> None:
    result = suite.receiver().contract().run("-q", "-rs")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed", "skipped"}
    assert "every applicable MUST rule passed" in text(result)
    assert not [line for line in result.outlines if "SKIPPED" in line and "applica" not in line]


def test_one_rule_alone_tries_what_it_stands_on_first(suite: Suite) -> None:
    result = suite.receiver("broken_replay.ChecksThenSets").contract().run("-k", "replay-race")
    result.assert_outcomes(failed=1, deselected=len(of_default()) - 1)


def test_rule_can_be_selected_by_its_node_id_and_by_its_mark(suite: Suite) -> None:
    suite.receiver().contract()
    suite.run("test_hooks.py::test_receiver[replay-race]").assert_outcomes(passed=1)
    marked = suite.run("-m", "hookproof(rule='replay-race')")
    assert marked.parseoutcomes()["passed"] == 1
    category = suite.run("--collect-only", "-q", "-m", "hookproof(category='stale')")
    assert all("[stale-" in line for line in category.outlines if "::" in line)


def test_failed_precondition_blocks_and_is_told_once(suite: Suite) -> None:
    result = suite.receiver("broken_valid.CsrfGuard").contract().run("-rs")
    assert result.parseoutcomes()["failed"] == 1
    assert "blocked: valid-basic failed" in text(result)


def test_selection_that_leaves_the_cause_out_fails_with_it(suite: Suite) -> None:
    result = suite.receiver("broken_valid.CsrfGuard").contract().run("-k", "replay-exact")
    assert result.parseoutcomes()["failed"] == 1
    assert "blocked: valid-basic failed, which no other test of this run tells" in text(result)
    assert "valid-basic: A plain genuine event is accepted [MUST, fail]" in text(result)


def test_contract_works_in_a_class_and_beside_other_parameters(suite: Suite) -> None:
    suite.receiver().file(
        "test_hooks.py",
        """
import hookproof, pytest

class TestHooks:
    @pytest.mark.parametrize("turn", ["a", "b"])
    @hookproof.contract(only="replay-exact")
    def test_receiver(self, turn, webhook_receiver, rule):
        assert rule.id in rule.requirement or rule.requirement
        rule.check(webhook_receiver)
""",
    )
    result = suite.run("-v")
    assert "TestHooks::test_receiver[replay-exact-b] PASSED" in text(result)
    assert "test_hooks.py::TestHooks::test_receiver[a]: " in text(result)


def test_receiver_of_each_test_is_judged_anew(suite: Suite) -> None:
    suite.receiver().contract()
    conftest = suite.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace('scope="session"', 'scope="function"'))
    assert "failed" not in suite.run("-k", "replay").parseoutcomes()


# --- the choice of rules --------------------------------------------------------------------------


def ids(result: pytest.RunResult) -> list[str]:
    return [line.split("[")[1].rstrip("]") for line in result.outlines if "::" in line]


def test_application_that_fails_to_stop_after_all_tests_is_told(suite: Suite) -> None:
    suite.file(
        "test_hooks.py",
        """
import hookproof

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for step in ("startup.complete", "shutdown.failed"):
            await receive()
            await send({"type": f"lifespan.{step}"})
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})

@hookproof.contract(only="valid-basic")
def test_receiver(webhook_receiver, rule):
    rule.check(hookproof.Receiver(app=app, secret="s3cret-s3cret"))
""",
    )
    result = suite.run()
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "ERROR: hookproof: the application's shutdown failed: no reason" in text(result)


def test_decorator_limits_the_rules(suite: Suite) -> None:
    suite.receiver().file("test_hooks.py", CONTRACT.replace("contract", 'contract(only="stale")'))
    chosen = ids(suite.run("--collect-only", "-q"))
    assert "stale-old" in chosen
    assert "replay-race" not in chosen


def test_decorator_given_a_word_says_how_it_is_written(suite: Suite) -> None:
    suite.receiver().file("test_hooks.py", CONTRACT.replace(".contract", ".contract('core')"))
    assert 'write @hookproof.contract(only="core")' in text(suite.run())


def test_test_that_tells_of_no_receiver_fails_each_time(suite: Suite) -> None:
    again = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for _ in range(2):
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                item.ihook.pytest_runtest_logreport(report=report)
        return True
    """
    suite.file("test_hooks.py", CONTRACT).pytester.makeconftest(again)
    suite.run("-k", "valid-basic or valid-utf8").assert_outcomes(failed=2, skipped=2)


def test_ini_values_choose_and_leave_out(suite: Suite) -> None:
    suite.receiver().contract().ini("hookproof_only = core", "hookproof_skip = replay-race")
    result = suite.run("-rs")
    assert "skipped: left out by the configuration" in text(result)
    assert result.parseoutcomes()["passed"] < 15


def test_table_of_the_project_is_read(suite: Suite) -> None:
    suite.receiver().contract().file("pyproject.toml", '[tool.hookproof]\nonly = ["valid-basic"]\n')
    assert ids(suite.run("--collect-only", "-q")) == ["valid-unsigned", "valid-basic"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('only = ["replay-rice"]', "no rule or category 'replay-rice'; did you mean replay-race?"),
        ("tolerence = 5", "unknown key; did you mean tolerance?"),
    ],
)
def test_mistake_in_the_configuration_is_told_once(suite: Suite, table: str, said: str) -> None:
    suite.receiver().contract().file("pyproject.toml", f"[tool.hookproof]\n{table}\n")
    result = suite.run()
    result.assert_outcomes(errors=1)
    assert said in text(result)
    assert "Traceback" not in text(result)


# --- how a rule ends ------------------------------------------------------------------------------


def test_finding_is_told_in_the_words_of_the_command_line(suite: Suite) -> None:
    result = suite.receiver("broken_replay.ChecksThenSets").contract().run("-k", "replay-race")
    out = text(result)
    assert "replay-race: " in out
    for label in ("requirement", "source", "found", "sent", "came back", "expected", "remedy"):
        assert f"\n  {label}" in out
    assert "again        pytest 'test_hooks.py::test_receiver[replay-race]'" in out


def test_finding_shows_no_frame_of_ours_and_no_secret(suite: Suite) -> None:
    result = (
        suite.receiver("broken_replay.ChecksThenSets").contract().run("-k", "replay-race", "-l")
    )
    assert not re.search(r"^(?!test_hooks)\S+\.py:\d+", text(result), re.MULTILINE)
    assert "s3cret-s3cret" not in text(result)


def test_broken_should_is_a_warning_of_our_own(suite: Suite) -> None:
    result = suite.receiver("broken_valid.AnswersCreated").contract().run("-k", "valid-status-200")
    result.assert_outcomes(passed=1, warnings=1, deselected=len(of_default()) - 1)
    assert "HookproofWarning: valid-status-200: " in text(result)


def test_warning_filters_apply_to_a_broken_should(suite: Suite) -> None:
    suite.receiver("broken_valid.AnswersCreated").contract()
    failed = suite.run("-k", "valid-status-200", "-W", "error")
    assert failed.parseoutcomes()["failed"] == 1
    assert "Traceback" not in text(failed)
    assert "trying.py" not in text(failed)
    spared = suite.run(
        *("-k", "valid-status-200", "-W", "error", "-W", "ignore::hookproof.HookproofWarning")
    )
    assert "failed" not in spared.parseoutcomes()


def test_remark_never_fails_a_test(suite: Suite) -> None:
    suite.receiver("broken_payload.RaisesOnDuplicates").contract()
    noted = suite.run("-k", "payload-duplicate-keys")
    assert "HookproofRemark: payload-duplicate-keys: " in text(noted)
    strict = suite.run("-k", "payload-duplicate-keys", "-W", "error", "-o", "hookproof_strict=true")
    assert strict.parseoutcomes()["passed"] == 1


def test_strict_run_fails_for_a_broken_should(suite: Suite) -> None:
    suite.receiver("broken_valid.AnswersCreated").contract().ini("hookproof_strict = true")
    assert suite.run("-k", "valid-status-200").parseoutcomes()["failed"] == 1


def test_unproven_rule_is_skipped_with_what_would_settle_it(suite: Suite) -> None:
    suite.receiver("correct.IgnoresReplays", "tolerance=3600").contract()
    result = suite.run("-k", "replay-exact", "-rs")
    assert result.parseoutcomes()["skipped"] == 1
    line = next(line for line in result.outlines if "SKIPPED" in line)
    assert "test_hooks.py:6: unproven: " in line
    assert 'to settle: an effects probe (effects=…), or replay="rejects"' in line
    assert "not every MUST rule could be proven" in text(result)


def test_strict_run_fails_for_what_is_unproven_or_blocked(suite: Suite) -> None:
    suite.receiver("correct.IgnoresReplays", "tolerance=3600").contract()
    suite.ini("hookproof_strict = true")
    assert suite.run("-k", "replay-exact").parseoutcomes()["failed"] == 1
    suite.receiver("broken_valid.CsrfGuard")
    blocked = suite.run("-k", "replay-exact")
    assert "blocked" in text(blocked)
    assert blocked.parseoutcomes()["failed"] == 1


# --- what a receiver in Python can lend -----------------------------------------------------------


HOOKS = "effects=lambda: list(app.names), effect_timeout=0.3, tolerance=3600, "


@pytest.mark.parametrize(
    ("kind", "hook", "rule"),
    [
        ("broken_replay.RemembersInMemory", "restart=app.restart", "replay-restart"),
        ("broken_replay.KeepsFailedClaims", "fail_once=app.fail_once", "replay-after-failure"),
        ("broken_replay.RemembersAlone", "also=app.sibling()", "replay-other-instance"),
    ],
)
def test_hooks_make_their_rules_apply(suite: Suite, kind: str, hook: str, rule: str) -> None:
    result = suite.receiver(kind, HOOKS + hook).contract().run("-k", rule, "-W", "error")
    assert result.parseoutcomes()["failed"] == 1
    assert f"{rule}: " in text(result)


NEW_APP = "replay='rejects', restart=lambda: Miniature('s3cret-s3cret')"


def test_restart_may_bring_another_application(suite: Suite) -> None:
    suite.receiver("Miniature", NEW_APP).contract()
    result = suite.run("-k", "replay-restart", "-W", "error")
    assert result.parseoutcomes()["failed"] == 1


def test_needs_that_are_not_met_skip_in_words_of_pytest(suite: Suite) -> None:
    result = suite.receiver().contract().run("-rs", "-k", "replay-restart or replay-ttl")
    out = text(result)
    assert f"not applicable: needs {Need.RESTART.value.split('(')[0]}(restart=…)" in out
    assert "control over the receiver's clock (in process)" in out
