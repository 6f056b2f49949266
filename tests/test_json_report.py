"""The report for programs is whole, valid under the shipped schema, and there or not there."""

from __future__ import annotations

import base64
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.events import Event, ExitStatus
from hookproof.redact import Redactor
from hookproof.reports.files import ReportFile
from hookproof.reports.formats import open_reports
from hookproof.reports.json_report import SCHEMA_FILE
from hookproof.reports.subject import Subject
from hookproof.verdicts import Evidence, Verdict
from hookproof_spec import load
from hookproof_spec.errors import HookproofError
from support.command_line import CANARY, all_forms
from support.told import SENT, a_result, a_rule, a_run, an_answer

SCHEMA = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8"))
FAILED = (a_rule("replay-race"), a_result(Verdict.FAIL))


def checked(path: Path) -> Any:  # noqa: ANN401 (JSON)
    """Read a report and hold it against the schema."""
    report = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(report)
    return report


def written(events: list[Event], directory: Path) -> Any:  # noqa: ANN401 (JSON)
    """Tell a report of a run, and read what it wrote."""
    path = directory / "report.json"
    (report,) = open_reports([f"json={path}"])
    for event in events:
        report.hear(event)
    return checked(path)


def test_schema_is_a_schema_with_a_name_of_its_own() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:hookproof:schema:report:1"


def test_schema_refuses_what_is_no_report() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert not validator.is_valid({})
    assert not validator.is_valid({"schema": 2})


def test_report_holds_the_run(tmp_path: Path) -> None:
    report = written(a_run(FAILED), tmp_path)
    report.pop("rules")
    assert report.pop("hookproof")
    assert report == {
        "schema": 1,
        "target": "http://127.0.0.1:8000/webhook",
        "spec": "mobility-work",
        "webhook": "sparePartOutOfStock",
        "document": None,
        "scheme": "hmac-sha256 over {timestamp}.{nonce}.{body}",
        "signature": None,
        "effects": "by probe",
        "seed": 7,
        "policy": {"replay": "either", "forged": "rejects", "tolerance": None},
        "started": "2023-11-14T22:13:20.000Z",
        "seconds": 3.2,
        "requests": 21,
        "complete": True,
        "exit": 1,
        "exit_words": "a rule is broken",
        "notes": ["the receiver's clock differs from ours by +7 s"],
        "summary": {verdict.value: int(verdict is Verdict.FAIL) for verdict in Verdict},
    }


def test_report_holds_each_rule_and_its_evidence(tmp_path: Path) -> None:
    answer = an_answer(500, b"\xff\x00", (("Server", "x"), ("Server", "y")))
    result = a_result(Verdict.FAIL, Evidence("a copy", answer), Evidence("late", an_answer(None)))
    (rule,) = written(a_run((a_rule(), result)), tmp_path)["rules"]
    assert rule["id"] == "replay-race"
    assert rule["category"] == "replay"
    assert rule["level"] == "MUST"
    assert rule["verdict"] == "fail"
    assert rule["effects"] == {"before": 4, "after": 7, "expected": 5}
    first, second = rule["evidence"]
    assert first["note"] == "a copy"
    assert first["status"] == 500
    assert first["headers"] == [["Server", "x"], ["Server", "y"]]
    assert base64.b64decode(first["body_base64"]) == b"\xff\x00"
    assert base64.b64decode(first["sent"]["body_base64"]) == SENT.body
    assert first["sent"]["headers"] == [list(header) for header in SENT.headers]
    assert (second["status"], second["failure"], second["detail"]) == (
        None,
        "timeout",
        "after 10 s",
    )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_valid_under_the_schema(verdict: Verdict, tmp_path: Path) -> None:
    assert written(a_run((a_rule(), a_result(verdict))), tmp_path)["summary"][verdict.value] == 1


def test_report_says_where_the_webhook_stands_and_how_it_signs(tmp_path: Path) -> None:
    webhook = load("mobility-work").webhook()
    path = tmp_path / "report.json"
    (report,) = open_reports([f"json={path}"], Subject.of(webhook, "mobility-work"))
    for event in a_run(FAILED):
        report.hear(event)
    read = checked(path)
    assert read["document"] == {
        "file": "mobility-work.yaml",
        "shipped": True,
        "pointer": "/webhooks/sparePartOutOfStock",
        "line": 9,
    }
    assert read["signature"]["content"] == "{timestamp}.{nonce}.{body}"
    (rule,) = read["rules"]
    assert rule["again"]["command"] == f"hookproof replay {path} replay-race"
    assert rule["again"]["python"].startswith("#!/usr/bin/env python3\n# replay-race: ")
    assert "curl -sS" in rule["again"]["curl"]


def test_interrupted_run_is_written_as_incomplete(tmp_path: Path) -> None:
    report = written(a_run(FAILED, exit=ExitStatus.PROVEN, complete=False), tmp_path)
    assert report["complete"] is False
    assert report["exit"] == 130


def test_run_that_could_not_begin_is_written_too(tmp_path: Path) -> None:
    events = a_run(exit=ExitStatus.NOT_RUN, complete=False, reason="connection refused")
    report = written(events, tmp_path)
    assert report["exit"] == 2
    assert "connection refused" in report["exit_words"]


@given(st.binary(max_size=80), st.text(max_size=40))
def test_any_answer_makes_a_valid_report(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, note: str
) -> None:
    answer = an_answer(599, body, (("X-Any", body.decode("latin-1")),))
    result = a_result(Verdict.FAIL, Evidence(note, answer))
    events = list(Redactor([CANARY]).events(a_run((a_rule(), result))))
    report = written(events, tmp_path_factory.mktemp("report"))
    assert base64.b64decode(report["rules"][0]["evidence"][0]["body_base64"]) == body


def test_secret_in_an_answer_does_not_reach_the_file(tmp_path: Path) -> None:
    echo = an_answer(500, b" ".join(all_forms(CANARY)))
    events = Redactor([CANARY]).events(
        a_run((a_rule(), a_result(Verdict.FAIL, Evidence("", echo))))
    )
    report = written(list(events), tmp_path)
    body = base64.b64decode(report["rules"][0]["evidence"][0]["body_base64"])
    for form in all_forms(CANARY):
        assert form not in (tmp_path / "report.json").read_bytes()
        assert form not in body


# --- the file -----------------------------------------------------------------------------------


def refused(*wanted: str) -> str:
    with pytest.raises(HookproofError) as caught:
        open_reports(wanted)
    return str(caught.value)


def test_nothing_is_left_beside_a_report(tmp_path: Path) -> None:
    written(a_run(FAILED), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_opening_a_report_leaves_an_old_one_alone(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    open_reports([f"json={tmp_path / 'report.json'}"])
    assert (tmp_path / "report.json").read_text() == "old"


def test_report_replaces_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old" * 100_000)
    assert written(a_run(FAILED), tmp_path)["schema"] == 1


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "report.json").symlink_to(tmp_path / "elsewhere.json")
    written(a_run(FAILED), tmp_path)
    assert (tmp_path / "report.json").is_symlink()
    assert checked(tmp_path / "elsewhere.json")


def test_missing_directory_is_refused_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "no" / "report.json"
    assert refused(f"json={path}") == (
        f"{path}: the report cannot be written: there is no directory {path.parent}; make it first"
    )


def test_directory_is_refused_before_the_run(tmp_path: Path) -> None:
    assert "it is a directory; name a file in it" in refused(f"json={tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_directory_is_refused_before_the_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "permission denied" in refused(f"json={tmp_path / 'report.json'}")


def test_what_is_no_regular_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    # A pipe of our own, never a device: if this broke, root would replace the machine's.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        ReportFile(pipe).write(b"told")
        assert pipe.is_fifo()
        assert os.read(reader, 10) == b"told"
    finally:
        os.close(reader)


def test_vanished_directory_is_a_mistake_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "report.json"
    path.parent.mkdir()
    file = ReportFile(path)
    path.parent.rmdir()
    with pytest.raises(HookproofError, match="no such file or directory"):
        file.write(b"x")


def test_failed_write_leaves_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    file = ReportFile(path)
    path.mkdir()  # nothing can be renamed to it now
    with pytest.raises(HookproofError, match="is a directory"):
        file.write(b"x")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jsn=x", "--report jsn=x: unknown report format 'jsn'; did you mean json?"),
        ("json", "--report json: a path is missing; write json=PATH"),
        ("json=", "--report json=: a path is missing; write json=PATH"),
        ("json=-", "--report json=-: a path is missing; write json=PATH"),
    ],
)
def test_wrong_report_option_is_told(text: str, told: str) -> None:
    assert refused(text) == told


def test_two_reports_cannot_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert "two reports with one path" in refused(f"json={path}", f"json={tmp_path}/./r.json")
