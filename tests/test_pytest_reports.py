"""Reports on contracts that ran as tests: the command line's own, one a contract, also merged."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from hookproof.catalogue import BY_ID, RULES
from hookproof.events import RuleFinished, RunStarted
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.serving import serve
from hookproof.pytest_support.parcels import Parcel, packed, run_name, unpacked
from hookproof.reports.json_report import SCHEMA_FILE
from hookproof.verdicts import Evidence, Policy, ReplayPolicy, Verdict
from support.suites import CONTRACT, Suite, text
from support.told import a_result, an_answer

pytest_plugins = ["pytester"]
SCHEMA = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8"))


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester)


def checked(suite: Suite, name: str = "report.json") -> Any:  # noqa: ANN401 (JSON)
    value = suite.report(name)
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    return value


def test_report_is_that_of_the_command_line(suite: Suite) -> None:
    suite.receiver("broken_replay.ForgetsNonces").contract()
    result = suite.run("--hookproof-report", "json=report.json", "--hookproof-seed", "7")
    report = checked(suite)
    assert (report["exit"], report["seed"], report["complete"]) == (1, 7, True)
    assert [rule["id"] for rule in report["rules"]] == [r.id for r in RULES if not r.opt_in]
    assert report["summary"]["fail"] == 1
    assert report["requests"] > 100
    exact = next(rule for rule in report["rules"] if rule["id"] == "replay-exact")
    assert exact["verdict"] == "fail"
    assert exact["evidence"][0]["sent"]["body_base64"]
    assert "s3cret-s3cret" not in (suite.path / "report.json").read_text()
    assert "report: json=report.json" in text(result)


def test_report_tells_what_a_chosen_rule_stands_on(suite: Suite) -> None:
    suite.receiver().contract().ini("hookproof_report = json=report.json")
    suite.run("-k", "replay-race")
    ids = {rule["id"] for rule in checked(suite)["rules"]}
    assert {"valid-basic", "replay-race"} <= ids
    assert len(ids) < 10


def test_interrupted_run_leaves_an_incomplete_report(suite: Suite) -> None:
    suite.receiver().file(
        "test_hooks.py", CONTRACT + "    if rule.id == 'stale-old': raise KeyboardInterrupt\n"
    )
    suite.run_apart("--hookproof-report", "json=report.json", "-p", "no:xdist")
    report = checked(suite)
    assert report["complete"] is False
    assert report["rules"]


def test_run_that_ends_at_the_first_failure_leaves_an_incomplete_report(suite: Suite) -> None:
    suite.receiver().file("test_hooks.py", CONTRACT + "    assert rule.id != 'forged-no-header'\n")
    result = suite.run("-x", "--hookproof-report", "json=report.json")
    assert checked(suite)["complete"] is False
    assert "interrupted before every rule was tried" in text(result)
    assert "every applicable MUST rule passed" not in text(result)


@pytest.mark.parametrize("reports", ["xml=a.xml", "json", "json=no/such/folder/r.json"])
def test_report_that_cannot_be_written_ends_the_run_at_once(suite: Suite, reports: str) -> None:
    result = suite.receiver().contract().run_apart("--hookproof-report", reports)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: hookproof: " in text(result)
    assert "Traceback" not in text(result)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_report_of_the_ini_file_is_checked_before_anything_is_tried(
    suite: Suite, workers: str
) -> None:
    suite.receiver().contract().ini("hookproof_report = json=no/such/folder/r.json")
    result = suite.run_apart("-n", workers)
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)
    assert "there is no directory" in text(result)
    assert "Traceback" not in text(result)


def test_contracts_of_one_run_have_a_report_each(suite: Suite) -> None:
    suite.receiver().file("a/test_a.py", CONTRACT).file("b/test_b.py", CONTRACT)
    suite.run("--hookproof-report", "json=report.json", "-k", "valid-basic")
    names = sorted(path.name for path in suite.path.glob("report*.json"))
    assert names == [
        "report-a-test_a.py-test_receiver.json",
        "report-b-test_b.py-test_receiver.json",
    ]
    assert checked(suite, names[0])["summary"]["pass"] == 1


def test_junit_properties_tell_rule_and_verdict_without_a_warning(suite: Suite) -> None:
    suite.receiver().contract().ini("junit_family = xunit2", "filterwarnings = error")
    suite.run("--junitxml=j.xml", "-k", "replay-race or replay-ttl")
    cases = ElementTree.parse(suite.path / "j.xml").iter("testcase")
    found = {
        str(case.get("name")): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in cases
    }
    assert found["test_receiver[replay-race]"] == {
        "hookproof.rule": "replay-race",
        "hookproof.category": "replay",
        "hookproof.level": "MUST",
        "hookproof.verdict": "pass",
    }
    assert found["test_receiver[replay-ttl]"]["hookproof.verdict"] == "not-applicable"


# --- under pytest-xdist ---------------------------------------------------------------------------


def test_workers_fill_one_report(suite: Suite) -> None:
    suite.receiver("broken_replay.ChecksThenSets").contract().ini("hookproof_only = core")
    result = suite.run_apart("-n", "2", "--hookproof-report", "json=report.json", "-W", "default")
    assert result.parseoutcomes()["failed"] == 1
    report = checked(suite)
    assert {rule.id for rule in RULES if rule.core} <= {rule["id"] for rule in report["rules"]}
    assert report["exit"] == 1
    assert "test_hooks.py::test_receiver: " in text(result)


def test_workers_take_turns_on_one_receiver(suite: Suite) -> None:
    """Effects are counted: what another worker sends at the same time must not count with them."""
    receiver = Miniature("s3cret-s3cret")
    with serve(receiver) as served:
        suite.contract().pytester.makeconftest(
            f"""
import hookproof, pytest

@pytest.fixture(scope="session")
def webhook_receiver():
    return hookproof.Receiver(url={served.url!r}, secret="s3cret-s3cret",
                              effects={served.effects_url!r}, tolerance=3600)
"""
        )
        result = suite.run_apart("-n", "2", "-k", "replay", "-W", "default")
    assert set(result.parseoutcomes()) == {"passed", "skipped"}
    assert "every applicable MUST rule passed" in text(result)


# --- parcels --------------------------------------------------------------------------------------


def test_parcel_arrives_as_it_was_sent() -> None:
    evidence = (Evidence("a note", an_answer(200, b"\xff")), Evidence("none", an_answer(None)))
    event = RuleFinished(BY_ID["replay-race"], a_result(Verdict.FAIL, *evidence))
    started = RunStarted(
        target="in process",
        spec="mobility-work",
        webhook="w",
        scheme="hmac",
        policy=Policy(replay=ReplayPolicy.IGNORES, tolerance=2.5),
        effects="by probe",
        seed=1,
        rules=(event.rule,),
        started=1.5,
    )
    assert unpacked(packed("a run", started, [event])) == Parcel("a run", started, (event,))


@pytest.mark.parametrize(
    ("nodeid", "run"),
    [
        ("t.py::test_r[replay-race]", "t.py::test_r"),
        ("t.py::test_r[flask-replay-race]", "t.py::test_r[flask]"),
        ("t.py::test_r[replay-race-flask]", "t.py::test_r[flask]"),
        ("t.py::T::test_r[a-replay-race-b]", "t.py::T::test_r[a-b]"),
    ],
)
def test_tests_of_one_contract_share_a_name(nodeid: str, run: str) -> None:
    assert run_name(nodeid, "replay-race") == run
