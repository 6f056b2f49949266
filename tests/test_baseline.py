"""A baseline accepts findings for a time, and does not grow old unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from hookproof.baseline import Accepted, Baseline
from hookproof.cli import main
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.serving import serve
from hookproof_spec import load
from support.command_line import CANARY

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
RULES = ["--only", "forged-no-header", "--only", "forged-signature"]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOKPROOF_SECRET", CANARY)
    with time_machine.travel(NOON):  # no midnight comes while a test is under way
        yield


@pytest.fixture
def credulous() -> Iterator[str]:
    """A receiver that takes everything, and so breaks both rules."""

    def app(_: object, start: object) -> list[bytes]:
        start("200 OK", [])  # type: ignore[operator]
        return [b""]

    with serve(app) as server:
        yield f"{server.url}/webhook"


@pytest.fixture
def correct() -> Iterator[str]:
    app = create_receiver(load("mobility-work").webhook(), [CANARY], nonces=MemoryNonceStore())
    with serve(app) as server:
        yield f"{server.url}/webhook"


def verify(url: str, *more: str, rules: list[str] = RULES) -> int:
    return main(["verify", url, *rules, "--baseline", "accepted.toml", *more])


def written(*entries: tuple[str, str, date]) -> None:
    accepted = tuple(
        Accepted(rule=rule, target=target, reason="known", expires=until)
        for rule, target, until in entries
    )
    Baseline(Path("accepted.toml"), accepted).write()


def report(path: str = "report.json") -> dict[str, Any]:
    value: dict[str, Any] = json.loads(Path(path).read_text())
    return value


def test_accepted_findings_fail_no_run(credulous: str, capsys: pytest.CaptureFixture[str]) -> None:
    written(
        ("forged-no-header", credulous, TODAY),
        ("forged-signature", credulous, TODAY + timedelta(1)),
    )
    assert verify(credulous, "--report", "json=report.json") == 0
    value = report()
    assert (value["summary"]["accepted"], value["summary"]["fail"]) == (2, 0)
    assert f"accepted until {TODAY}: known" in capsys.readouterr().out


def test_finding_that_is_not_listed_fails(credulous: str) -> None:
    written(("forged-no-header", credulous, TODAY))
    assert verify(credulous, "--report", "json=report.json") == 1
    verdicts = {rule["id"]: rule["verdict"] for rule in report()["rules"]}
    assert verdicts["forged-no-header"] == "accepted"
    assert verdicts["forged-signature"] == "fail"


def test_finding_of_another_target_is_not_accepted(credulous: str) -> None:
    written(
        ("forged-no-header", credulous + "2", TODAY), ("forged-signature", credulous + "2", TODAY)
    )
    assert verify(credulous) == 1


def test_expired_entry_fails_and_is_told(
    credulous: str, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday = TODAY - timedelta(1)
    written(("forged-no-header", credulous, yesterday), ("forged-signature", credulous, TODAY))
    assert verify(credulous) == 1
    assert f"note: forged-no-header was accepted until {yesterday}" in capsys.readouterr().out


def test_entry_that_passes_fails_the_run(correct: str, capsys: pytest.CaptureFixture[str]) -> None:
    written(("forged-no-header", correct, TODAY))
    assert verify(correct) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "exit 1: the baseline is out of date:"
        " forged-no-header passes now; take it out of accepted.toml"
    )


def test_entry_whose_rule_did_not_run_is_left_alone(correct: str) -> None:
    written(("replay-race", correct, TODAY))
    assert verify(correct) == 0


def test_update_needs_a_reason_for_what_is_new(
    credulous: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(credulous, "--baseline-update") == 2
    assert "2 findings are new: forged-no-header, forged-signature" in capsys.readouterr().err
    assert not Path("accepted.toml").exists()


def test_updated_baseline_makes_the_next_run_pass(credulous: str) -> None:
    assert verify(credulous, "--baseline-update", "--baseline-reason", "being replaced") == 0
    entries = Baseline.read(Path("accepted.toml")).accepted
    assert {entry.reason for entry in entries} == {"being replaced"}
    assert {entry.expires for entry in entries} == {TODAY + timedelta(90)}
    assert verify(credulous) == 0


def test_update_says_with_which_status_it_ends(
    credulous: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(credulous, "--baseline-update", "--baseline-reason", "being replaced") == 0
    told = capsys.readouterr()
    assert "exit 1: a rule is broken" in told.out  # as the run was, without the new baseline
    assert told.err == (
        "baseline accepted.toml: 2 accepted; with it, exit 0: every applicable MUST rule passed\n"
    )


def test_baseline_that_cannot_be_written_is_told_before_the_run(
    credulous: str, capsys: pytest.CaptureFixture[str]
) -> None:
    update = ["--baseline-update", "--baseline-reason", "r", "--baseline", "missing/accepted.toml"]
    assert verify(credulous, *update) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "missing/accepted.toml: the baseline cannot be written: there is no dir" in told.err


def test_update_keeps_what_it_did_not_disprove(credulous: str, correct: str) -> None:
    written(
        ("forged-no-header", correct, TODAY),
        ("replay-race", correct, TODAY),
        ("forged-no-header", credulous, TODAY),
    )
    assert verify(correct, "--baseline-update") == 0
    kept = [entry.key for entry in Baseline.read(Path("accepted.toml")).accepted]
    assert kept == [("replay-race", correct), ("forged-no-header", credulous)]


def test_expired_entry_needs_a_new_reason(credulous: str) -> None:
    written(
        ("forged-no-header", credulous, TODAY - timedelta(1)),
        ("forged-signature", credulous, TODAY),
    )
    assert verify(credulous, "--baseline-update") == 2
    assert verify(credulous, "--baseline-update", "--baseline-reason", "still so") == 0
    reasons = {entry.rule: entry.reason for entry in Baseline.read(Path("accepted.toml")).accepted}
    assert reasons == {"forged-signature": "known", "forged-no-header": "still so"}


def test_run_that_could_not_be_made_updates_nothing(tmp_path: Path) -> None:
    (tmp_path / "accepted.toml").write_text("")
    assert verify("http://127.0.0.1:9/webhook", "--baseline-update") == 2
    assert (tmp_path / "accepted.toml").read_text() == ""


ENTRY = '[[accepted]]\nrule = "replay-race"\ntarget = "http://h/"\nreason = "r"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[acepted]]", "acepted: unknown table; write [[accepted]]"),
        ("accepted = 3", "accepted: it is no list of tables; write [[accepted]] for each"),
        ("accepted = [3]", "accepted 1: it is no table; write [[accepted]]"),
        (ENTRY, "accepted 1: expires: it must be a date; write it as 2030-12-31"),
        (ENTRY + "expires = 2030-01-01T00:00:00", "expires: it must be a date"),
        (ENTRY + 'expires = "2030-01-01"', "expires: it must be a date"),
        (ENTRY + "expire = 2030-01-01", "accepted 1: expire: unknown key; did you mean expires?"),
        (ENTRY.replace("race", "rice") + "expires = 2030-01-01", "did you mean replay-race?"),
        (ENTRY.replace('"r"', '" "') + "expires = 2030-01-01", "say why the finding is accepted"),
        ((ENTRY + "expires = 2030-01-01\n") * 2, "replay-race: it is accepted twice for http://h/"),
        ("accepted = ", "it is not TOML"),
    ],
)
def test_mistake_in_the_file_is_told_at_its_place(
    text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("accepted.toml").write_text(text)
    assert verify("http://127.0.0.1:9/webhook") == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.startswith("hookproof: baseline accepted.toml: ")
    assert error.count("\n") == 1


def test_missing_file_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify("http://127.0.0.1:9/webhook") == 2
    assert "no such file or directory; --baseline-update makes one" in capsys.readouterr().err
    assert main(["verify", "http://127.0.0.1:9/", "--baseline-update"]) == 2
    assert "add --baseline PATH" in capsys.readouterr().err


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
ENTRIES = st.builds(
    Accepted,
    rule=st.sampled_from(["replay-race", "forged-no-header", "valid-basic"]),
    target=TEXTS,
    reason=TEXTS,
    expires=st.dates(),
)


@given(st.lists(ENTRIES, max_size=4, unique_by=lambda entry: entry.key))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Accepted]
) -> None:
    path = tmp_path_factory.mktemp("baseline") / "accepted.toml"
    baseline = Baseline(path, tuple(entries))
    baseline.write()
    assert Baseline.read(path) == baseline
