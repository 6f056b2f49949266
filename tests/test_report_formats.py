"""JUnit, Markdown and GitHub's annotations say what was found, and nothing breaks out of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.events import ExitStatus, RunFinished
from hookproof.redact import Redactor
from hookproof.reports import github, junit, markdown
from hookproof.reports.finding import finding_text
from hookproof.reports.formats import FORMATS, StandardOutput, open_reports, renderer
from hookproof.reports.json_reading import read_report
from hookproof.reports.json_report import SCHEMA_FILE, rendered, run_object
from hookproof.reports.model import RunReport
from hookproof.reports.subject import Place, Subject
from hookproof.reports.words import scheme_words
from hookproof.verdicts import Evidence, Level, Verdict
from hookproof_spec import load, names
from hookproof_spec.scheme_reader import read_scheme
from support.command_line import CANARY, all_forms, command_here, one_line_error
from support.reported import HOSTILE, report_of
from support.told import a_result, a_rule, a_run, an_answer

FAILED = (a_rule("replay-race"), a_result(Verdict.FAIL))
OWN = Subject(None, Place(file="api/shop.yaml", shipped=False, pointer="/webhooks/a", line=7))


def everything(answer: bytes = HOSTILE) -> RunReport:
    """Return a run in which every verdict occurs."""
    exchange = an_answer(500, answer, (("X-Any", answer.decode("latin-1")),))
    return report_of(
        a_run(
            *(
                (a_rule(f"forged-{verdict.value}"), a_result(verdict, Evidence("a copy", exchange)))
                for verdict in Verdict
            )
        )
    )


# --- JUnit ----------------------------------------------------------------------------------------


def suite_of(run: RunReport) -> junitparser.TestSuite:
    (suite,) = junitparser.JUnitXml.fromstring(junit.rendered(run))
    return suite


def test_parser_of_others_reads_counts_and_cases() -> None:
    suite = suite_of(everything())
    assert (suite.tests, suite.failures, suite.errors) == (len(Verdict), 1, 0)
    assert suite.skipped == 5
    cases = {case.name: case for case in suite}
    assert cases["forged-pass"].is_passed
    assert cases["forged-warn"].is_passed
    assert cases["forged-fail"].is_failure
    assert cases["forged-unproven"].is_skipped
    assert cases["forged-fail"].classname == "hookproof.sparePartOutOfStock.forged"
    assert cases["forged-fail"].time == 0.2


def test_failure_is_told_as_on_the_terminal() -> None:
    (case,) = suite_of(report_of(a_run(FAILED)))
    (failure,) = case.result
    text = finding_text(*FAILED).replace(
        "the same command with --only replay-race", "hookproof replay report.json replay-race"
    )
    assert failure.text == text
    assert failure.message == "20 identical requests at once had 3 effects"
    assert failure.type == "MUST"


def test_skipped_case_says_what_would_settle_it() -> None:
    events = a_run((a_rule(), a_result(Verdict.UNPROVEN)), exit=ExitStatus.UNPROVEN)
    (case,) = suite_of(report_of(events))
    (skipped,) = case.result
    assert skipped.message.startswith("unproven: 20 identical")
    assert skipped.message.endswith("to settle: an effects probe (--effects-url)")


def test_properties_tell_rule_and_run() -> None:
    root = ElementTree.fromstring(junit.rendered(report_of(a_run(FAILED))))
    suite, case = (
        {element.attrib["name"]: element.attrib["value"] for element in root.findall(path)}
        for path in ("testsuite/properties/property", "testsuite/testcase/properties/property")
    )
    assert suite["seed"] == case["seed"] == "7"
    assert suite["target"] == "http://127.0.0.1:8000/webhook"
    assert (case["rule"], case["level"], case["category"]) == ("replay-race", "MUST", "replay")


def test_run_that_could_not_begin_is_no_green_suite() -> None:
    events = a_run(exit=ExitStatus.NOT_RUN, complete=False, reason="connection refused")
    suite = suite_of(report_of(events))
    assert (suite.tests, suite.errors) == (1, 1)
    (case,) = suite
    assert "connection refused" in case.result[0].message


def test_baseline_out_of_date_is_no_green_suite() -> None:
    *events, finished = a_run((a_rule(), a_result(Verdict.WARN)))
    assert isinstance(finished, RunFinished)
    old = replace(finished, outdated=("replay-exact passes now",))
    run = report_of([*events, old])
    assert suite_of(run).errors == 1
    assert "the baseline is out of date" in github.rendered(run).decode().splitlines()[-1]


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80), st.text(max_size=40))
def test_any_answer_makes_well_formed_xml(body: bytes, note: str) -> None:
    answer = an_answer(599, body, (("X-Any", body.decode("latin-1")),))
    result = a_result(Verdict.FAIL, Evidence(note, answer))
    run = report_of(list(Redactor([CANARY]).events(a_run((a_rule(), result)))))
    root = ElementTree.fromstring(junit.rendered(run))
    assert len(root.findall(".//failure")) == 1


# --- Markdown -------------------------------------------------------------------------------------


def test_markdown_tells_each_finding_and_all_rules() -> None:
    text = markdown.rendered(report_of(a_run(FAILED))).decode()
    assert text.startswith("## ❌ hookproof: a rule is broken\n")
    assert "### ❌ `replay-race` The title of replay\\-race" in text
    assert "hookproof replay report.json replay-race" in text
    assert "| `replay-race` | MUST | ❌ fail | The title of replay\\-race |" in text


def test_open_must_rules_say_what_settles_them() -> None:
    events = a_run((a_rule(), a_result(Verdict.UNPROVEN)), exit=ExitStatus.UNPROVEN)
    text = markdown.rendered(report_of(events)).decode()
    assert text.startswith("## ❔ hookproof: nothing is broken")
    assert "To settle: an effects probe" in text


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("`~|<>\n\r\\*_#[]!&x "), max_size=60))
def test_no_answer_ends_a_block_of_code(answer: str) -> None:
    text = markdown.rendered(everything(answer.encode())).decode()
    fences = re.findall(r"^(`{3,})(?:text)?$", text, re.MULTILINE)
    assert len(fences) == 2 * 3
    assert all(one == other for one, other in zip(fences[::2], fences[1::2], strict=True))
    assert text.count("<details>") == text.count("\n</details>") == 4


def test_summary_is_cut_to_what_github_takes() -> None:
    many = [
        (
            a_rule(f"forged-{number}"),
            a_result(Verdict.FAIL, Evidence("x", an_answer(500, b"y" * 600))),
        )
        for number in range(1200)
    ]
    data = markdown.rendered(report_of(a_run(*many)))
    assert len(data) < 1024 * 1024
    assert data.endswith(b"the other reports have them.\n")


# --- GitHub ---------------------------------------------------------------------------------------


def test_annotations_have_their_level_title_and_place() -> None:
    run = replace(report_of(a_run(FAILED)), subject=OWN)
    assert github.rendered(run).decode() == (
        "::error file=api/shop.yaml,line=7,title=replay-race%3A The title of replay-race::"
        "20 identical requests at once had 3 effects%0AExpected: exactly one effect%0A"
        "The remedy of replay-race.%0ATarget: http://127.0.0.1:8000/webhook\n"
    )


def test_every_line_is_one_command() -> None:
    lines = github.rendered(everything()).decode().splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "::error",
        "::warning",
        "::notice",
        "::warning",
    ]


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_no_message_makes_a_command_of_its_own(message: str) -> None:
    result = replace(a_result(Verdict.FAIL), message=message)
    data = github.rendered(report_of(a_run((a_rule(), result))))
    assert data.count(b"\n") == 1
    assert b"\r" not in data


def test_annotations_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    (report,) = open_reports(["github=-"])
    for event in a_run(FAILED):
        report.hear(event)
    assert capsys.readouterr().out.startswith("::error title=replay-race")
    StandardOutput().write("é\n".encode())
    assert capsys.readouterr().out == "é\n"


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_secret_reaches_no_report_in_any_form(name: str) -> None:
    echo = an_answer(500, b" ".join(all_forms(CANARY)), (("X-Key", CANARY.encode().hex()),))
    events = Redactor([CANARY]).events(
        a_run((a_rule(), a_result(Verdict.FAIL, Evidence(f"note {CANARY}", echo))))
    )
    data = renderer(name)(report_of(list(events)))
    assert not any(form in data for form in all_forms(CANARY))


@pytest.mark.parametrize("name", FORMATS)
def test_report_from_json_is_that_of_the_run(name: str, tmp_path: Path) -> None:
    run = everything()
    path = tmp_path / "report.json"
    path.write_bytes(rendered(run))
    read = replace(read_report(path), saved="report.json")
    assert renderer(name)(read) == renderer(name)(run)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=60), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_run_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, note: str
) -> None:
    answer = an_answer(599, body, (("X-Any", body.decode("latin-1")),))
    run = report_of(a_run((a_rule(), a_result(Verdict.FAIL, Evidence(note, answer)))))
    path = tmp_path_factory.mktemp("report") / "report.json"
    path.write_bytes(rendered(run))
    assert replace(read_report(path), saved="report.json") == run


@pytest.mark.parametrize("name", names())
def test_scheme_is_read_back_from_its_words(name: str) -> None:
    for webhook in load(name).webhooks.values():
        scheme, problems = read_scheme(scheme_words(webhook.scheme), pointer="")
        assert scheme == webhook.scheme, problems


# --- hookproof report -----------------------------------------------------------------------------


def saved(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(rendered(everything()))
    return path


def test_command_renders_every_format(tmp_path: Path) -> None:
    path = saved(tmp_path)
    wanted = [f"--{name}={tmp_path / name}" for name in ("html", "junit", "sarif", "markdown")]
    result = command_here("report", str(path), *wanted, "--github")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(b"::error ")
    assert (tmp_path / "html").read_bytes().startswith(b"<!DOCTYPE html>")
    assert json.loads((tmp_path / "sarif").read_bytes())["version"] == "2.1.0"
    assert str(path).encode() in (tmp_path / "markdown").read_bytes()


def test_report_of_an_older_version_is_rendered(tmp_path: Path) -> None:
    path = saved(tmp_path)
    report = json.loads(path.read_bytes())
    for name in ("document", "signature"):
        del report[name]
    del report["summary"]["accepted"]
    for rule in report["rules"]:
        del rule["sends"]
        del rule["again"]
    path.write_text(json.dumps(report))
    result = command_here("report", str(path), "--html", str(tmp_path / "r.html"))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[]", "it is no report of this version at #: [] is not of type 'object'"),
        (b"{}", "it is no report of this version at #: 'hookproof' is a required property"),
        (b"[" * 100_000, "it is not JSON"),
    ],
)
def test_wrong_file_is_one_clear_error(data: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(data)
    error = one_line_error(command_here("report", str(path), "--html", str(tmp_path / "r")))
    assert error.startswith(f"{path}: {told}")
    assert error.endswith("give a file that `hookproof verify --report json=PATH` wrote")
    assert not (tmp_path / "r").exists()


def test_damaged_report_is_one_clear_error(tmp_path: Path) -> None:
    path = saved(tmp_path)
    text = path.read_text().replace('"body_base64": "', '"body_base64": "A', 1)
    path.write_text(text)
    error = one_line_error(command_here("report", str(path), "--github"))
    assert error.startswith(f"{path}: it is damaged: ")


def test_missing_file_and_missing_format_are_told(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    error = one_line_error(command_here("report", str(path), "--github"))
    assert error.startswith(f"{path}: cannot be read: no such file or directory")
    error = one_line_error(command_here("report", str(saved(tmp_path))))
    assert error.startswith("report: no format is asked for; add --html PATH")


def test_several_reports_go_into_one_page_only(tmp_path: Path) -> None:
    path = str(saved(tmp_path))
    out = tmp_path / "r.xml"
    error = one_line_error(command_here("report", path, path, "--junit", str(out)))
    assert error == (
        "report --junit: 2 reports do not go into one file of junit;"
        " give one at a time; --html takes several"
    )
    assert not out.exists()


def test_report_holds_what_the_schema_says() -> None:
    schema = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text())
    value = json.loads(json.dumps(run_object(everything())))
    jsonschema.Draft202012Validator(schema).validate(value)
    known = set(schema["properties"])
    assert set(value) == known
    assert set(value["rules"][0]) == set(schema["$defs"]["rule"]["properties"])


def test_shoulds_that_are_broken_fail_no_suite() -> None:
    broken = (a_rule(level=Level.SHOULD), a_result(Verdict.WARN))
    (case,) = suite_of(report_of(a_run(broken, exit=ExitStatus.PROVEN)))
    assert case.is_passed
    assert "20 identical requests" in case.system_out
