"""The catalogue and the documents, as the command line shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hookproof.catalogue import RULES
from hookproof.cli import main
from hookproof_spec import names
from hookproof_spec.documents.files import HOME


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_every_rule_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "rules").splitlines()
    for rule in RULES:
        assert any(line.split()[:2] == [rule.id, rule.level.value] for line in lines)


def test_one_rule_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    for rule in RULES:
        text = shown(capsys, "rules", rule.id)
        for part in (rule.title, rule.requirement, rule.source, rule.sends, rule.remedy):
            assert part in text


def test_rules_as_json_are_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(shown(capsys, "rules", "--format", "json"))
    assert [rule["id"] for rule in listed] == [rule.id for rule in RULES]
    one = json.loads(shown(capsys, "rules", "replay-race", "--format", "json"))
    assert one in listed


def test_rules_as_markdown_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "rules", "--format", "markdown").splitlines()
    assert len(lines) == len(RULES) + 2
    assert all(line.replace("\\|", "").count("|") == 4 for line in lines)
    assert shown(capsys, "rules", "replay-race", "--format", "markdown").startswith(
        "## `replay-race`: "
    )


def test_every_document_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "spec", "list").splitlines()
    assert [line.split()[0] for line in lines] == list(names())


def test_document_is_shown_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "spec", "show")
    assert text.startswith("sparePartOutOfStock of mobility-work")
    assert "scheme     hmac-sha256 over {timestamp}.{nonce}.{body}" in text
    assert "\nplans      Premium, Ultimate\nnot in     Starter\n" in text
    assert "  X-MW-Signature: t=1700000000,nonce=" in text


def test_a_shown_document_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "steering.yaml"
    text = (HOME / "mobility-work.yaml").read_text("utf-8")
    assert "\n      summary: " in text
    steering = text.replace("\n      summary: ", '\n      summary: "\\e[2J" #', 1)
    path.write_text(steering, encoding="utf-8")
    assert "\n  \\x1b[2J\n" in shown(capsys, "spec", "show", str(path))


def test_example_is_never_signed_with_the_users_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOKPROOF_SECRET", raising=False)
    assert "made up" in shown(capsys, "spec", "show", "mobility-work")


def test_sound_document_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 errors" in shown(capsys, "spec", "check", "mobility-work")


def test_unsound_document_is_told_problem_by_problem(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from hookproof_spec import load

    text = Path(load("mobility-work").path).read_text("utf-8")
    path = tmp_path / "broken.yaml"
    path.write_text(text.replace("hmac-sha256", "hmac-sha265"), "utf-8")
    out = shown(capsys, "spec", "check", str(path), status=1)
    assert f"{path}: error: " in out
    assert "did you mean hmac-sha256?" in out
    assert " 0 errors" not in out
