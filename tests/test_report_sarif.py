"""SARIF is valid by its official validator, and points at the webhook in its document."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookproof.reports.sarif import rendered
from hookproof.reports.subject import Subject, place_of
from hookproof.verdicts import Evidence, Level, Verdict
from hookproof_spec import load
from hookproof_spec.documents.files import locate
from support.reported import HOSTILE, report_of
from support.told import a_result, a_rule, a_run, an_answer

MULTITOOL = Path(__file__).parent / "sarif_node/node_modules/@microsoft/sarif-multitool-linux"
OFFICIAL = pytest.mark.skipif(
    not (MULTITOOL / "Sarif.Multitool").exists(),
    reason="the SARIF multitool is not installed: npm install in tests/sarif_node",
)
DOCUMENT = """\
openapi: 3.1.0
info: {title: Shop, version: "1"}
webhooks:
  "other":
    post: {}
  orderPaid:
    summary: here
    post: {}
    put: {}
"""


def log_of(*verdicts: Verdict) -> Any:  # noqa: ANN401 (JSON)
    """Return the log of a run with these verdicts; what was answered is hostile."""
    answer = an_answer(500, HOSTILE, (("X-Any", HOSTILE.decode("latin-1")),))
    results = [
        (a_rule(f"forged-{verdict.value}"), a_result(verdict, Evidence("a copy", answer)))
        for verdict in verdicts
    ]
    return json.loads(rendered(report_of(a_run(*results))))


@OFFICIAL
@pytest.mark.parametrize("verdicts", [(), tuple(Verdict)], ids=["empty", "everything"])
def test_official_validator_finds_nothing(verdicts: tuple[Verdict, ...], tmp_path: Path) -> None:
    path, answer = tmp_path / "report.sarif", tmp_path / "validation.sarif"
    path.write_text(json.dumps(log_of(*verdicts)))
    tool = MULTITOOL / "Sarif.Multitool"
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    result = subprocess.run(
        [
            tool,
            "validate",
            path,
            "--rule-kind",
            "Sarif;Ghas",
            "--output",
            answer,
            "--log",
            "ForceOverwrite",
        ],
        capture_output=True,
        timeout=100,
        check=False,
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    assert result.returncode == 0, result.stdout.decode()
    (run,) = json.loads(answer.read_bytes())["runs"]
    assert run["results"] == []


@OFFICIAL
def test_log_is_valid_under_the_standards_schema() -> None:
    schema = json.loads((MULTITOOL / "sarif-2.1.0.json").read_text("utf-8-sig"))
    validator = jsonschema.validators.validator_for(schema)
    validator(schema).validate(log_of(*Verdict))


def test_findings_are_results_and_others_are_not() -> None:
    (run,) = log_of(*Verdict)["runs"]
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert levels == {
        "forged-fail": "error",
        "forged-warn": "warning",
        "forged-accepted": "warning",
    }
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(levels)


def test_finding_that_is_accepted_is_suppressed() -> None:
    results = log_of(Verdict.FAIL, Verdict.ACCEPTED)["runs"][0]["results"]
    assert results[0]["suppressions"] == []
    assert results[1]["suppressions"][0]["kind"] == "external"


def test_fingerprint_stays_and_tells_rules_apart() -> None:
    first, second = log_of(Verdict.FAIL, Verdict.WARN)["runs"][0]["results"]
    (again,) = log_of(Verdict.FAIL)["runs"][0]["results"]
    assert first["partialFingerprints"] == again["partialFingerprints"]
    assert first["partialFingerprints"] != second["partialFingerprints"]


def test_shipped_document_has_no_path_of_this_machine() -> None:
    text = json.dumps(log_of(Verdict.FAIL))
    assert str(Path.home()) not in text
    location = json.loads(text)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "mobility-work.yaml", "uriBaseId": "HOOKPROOF"}
    line = locate("mobility-work").read_text().splitlines()[location["region"]["startLine"] - 1]
    assert line == "  sparePartOutOfStock:"


# --- the place ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pointer", "line"),
    [
        ("orderPaid", "/webhooks/orderPaid", 6),
        ("other", "/webhooks/other", 4),
        ("orderPaid:put", "/webhooks/orderPaid/put", 9),
        ("gone", "/webhooks/gone", 0),
    ],
)
def test_webhook_is_found_in_its_document(
    name: str, pointer: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/shop.yaml").write_text(DOCUMENT)
    monkeypatch.chdir(tmp_path)
    place = place_of(Path("api/shop.yaml"), name)
    assert (place.file, place.pointer, place.line) == ("api/shop.yaml", pointer, line)


def test_webhook_is_found_in_json_too(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text('{\n "webhooks": {\n  "a/b": {"post": {}}\n }\n}\n')
    place = place_of(path, "a/b")
    assert (place.pointer, place.line) == ("/webhooks/a~1b", 3)
    assert place.file == str(path)


@pytest.mark.parametrize("data", [b"\xff", b"a: [", b"- 1", b""])
def test_document_that_has_changed_has_no_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_bytes(data)
    assert place_of(tmp_path / "shop.yaml", "orderPaid").line == 0


def test_shipped_webhook_is_known_by_name_and_scheme() -> None:
    webhook = load("mobility-work").webhook()
    known = Subject.named("mobility-work", webhook.name, webhook.scheme.describe())
    assert known == Subject.of(webhook, "mobility-work")
    assert Subject.named("mobility-work", webhook.name, "another") == Subject()
    assert Subject.named("my-own", webhook.name, webhook.scheme.describe()) == Subject()


def test_level_of_a_rule_is_its_default() -> None:
    run = report_of(a_run((a_rule("valid-x", Level.SHOULD), a_result(Verdict.FAIL))))
    (descriptor,) = json.loads(rendered(run))["runs"][0]["tool"]["driver"]["rules"]
    assert descriptor["defaultConfiguration"] == {"level": "warning"}
    assert descriptor["help"]["text"].startswith("The requirement of valid-x.")
