"""`hookproof verify` against servers that nobody would write with hookproof.

A correct one is proven or at least blamed for nothing; one with a planted bug is found out by the
rules that the table in `support.planted` names, and by no others; and where nothing can be judged,
a line says so. With a probe, correct receivers are judged by the real command in a process of its
own; elsewhere the same command runs in this one. Every bug is tried on some kinds of receiver;
HOOKPROOF_LONG=1 tries it on all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import pytest

from hookproof.catalogue import BY_ID
from hookproof.reports.json_report import SCHEMA_FILE
from support.command_line import all_forms, command_here, hookproof_command, one_line_error
from support.foreign import (
    KINDS,
    SERVERS,
    RunningReceiver,
    available,
    exposed_by_status,
    running,
)
from support.planted import BUGS, exposed_by, warned_by
from support.sockets import silent_port

SCHEMA = json.loads((resources.files("hookproof") / "schemas" / SCHEMA_FILE).read_text("utf-8"))
LONG = bool(os.environ.get("HOOKPROOF_LONG"))
PROVEN, BROKEN, UNPROVEN = 0, 1, 3
MAIN_KINDS = ("php", "flask", "fastapi", "express")

BLOCKING = ("csrf", "redirect", "hang", "garbage", "refuse-all", "wrong-secret")
"""Bugs with which nothing gets through, so that nothing else can be judged."""
JUDGEABLE = tuple(bug for bug in BUGS if bug not in BLOCKING)

# An effect that comes at all comes before its answer, however slow a loaded machine makes that.
BRIEF = ("--effect-timeout", "1")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a run told: its exit status, its words, and its report."""

    status: int
    out: str
    report: Any

    def rules(self, verdict: str) -> dict[str, str]:
        """Return the rules with this verdict and what was said of each."""
        return {
            rule["id"]: rule["message"]
            for rule in self.report["rules"]
            if rule["verdict"] == verdict
        }

    @property
    def failed(self) -> set[str]:
        return set(self.rules("fail"))

    @property
    def warned(self) -> set[str]:
        return set(self.rules("warn"))

    @property
    def unproven_musts(self) -> set[str]:
        return {id for id in self.rules("unproven") if BY_ID[id].level == "MUST"}


def verify(receiver: RunningReceiver, folder: Path, *options: str, probe: bool) -> Told:
    """Run the command; whatever it judges, it is calm, its report is valid and the secret safe."""
    return judged(hookproof_command, receiver, folder, *options, probe=probe)


def verify_here(receiver: RunningReceiver, folder: Path, *options: str, probe: bool) -> Told:
    """Do the same in this process."""
    return judged(command_here, receiver, folder, *options, probe=probe)


def judged(
    command: Callable[..., CompletedProcess[bytes]],
    receiver: RunningReceiver,
    folder: Path,
    *options: str,
    probe: bool,
) -> Told:
    effects = ("--effects-url", receiver.effects_url) if probe else ()
    path = folder / "report.json"
    result = command(
        *("verify", receiver.url, *effects, *BRIEF, *options, "--report", f"json={path}"),
        secret=receiver.secret,
        cwd=folder,
    )
    assert result.stderr == b""
    written = result.stdout + path.read_bytes()
    assert b"Traceback" not in result.stdout
    assert not [form for form in all_forms(receiver.secret) if form in written]
    report = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["exit"] == result.returncode
    return Told(status=result.returncode, out=result.stdout.decode(), report=report)


def skip_unless_available(kind: str) -> None:
    if reason := available(kind):
        pytest.skip(reason)


# --- correct receivers ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_correct_receiver_is_proven_with_a_probe(kind: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    with running(kind, store=tmp_path / "store") as receiver:
        told = verify(receiver, tmp_path, probe=True)
    assert (told.rules("fail"), told.rules("unproven")) == ({}, {})
    assert told.warned == SERVERS[kind].may_warn, told.rules("warn")
    assert told.status == PROVEN


@pytest.mark.once
@pytest.mark.parametrize("replay", ["reject", "ignore"])
@pytest.mark.parametrize("kind", KINDS if LONG else MAIN_KINDS)
def test_a_correct_receiver_is_blamed_for_nothing_by_status(
    kind: str, replay: str, tmp_path: Path
) -> None:
    skip_unless_available(kind)
    with running(kind, replay=replay, store=tmp_path / "store") as receiver:
        told = verify_here(receiver, tmp_path, probe=False)
    assert told.rules("fail") == {}
    assert told.warned == SERVERS[kind].may_warn, told.rules("warn")
    assert told.status == (PROVEN if replay == "reject" else UNPROVEN)
    assert bool(told.unproven_musts) == (replay == "ignore")
    assert all(id.startswith("replay-") for id in told.unproven_musts)


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS if LONG else ["flask", "express"])
def test_a_correct_receiver_keeps_what_its_team_declares(kind: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    declared = ("--tolerance", "900", "--replay", "rejects", "--strict")
    with running(kind, replay="reject", tolerance=900, store=tmp_path / "store") as receiver:
        told = verify_here(receiver, tmp_path, *declared, probe=True)
    assert told.rules("fail") == {}
    assert told.status == PROVEN


def test_two_instances_with_one_store_are_proven_together(tmp_path: Path) -> None:
    skip_unless_available("flask")
    store = tmp_path / "store"
    with running("flask", store=store) as one, running("flask", store=store) as other:
        told = verify(one, tmp_path, "--also-url", other.url, probe=True)
    assert "replay-other-instance" in told.rules("pass")
    assert told.status == PROVEN


def test_two_instances_with_a_store_each_are_found_out(tmp_path: Path) -> None:
    skip_unless_available("flask")
    with (
        running("flask", store=tmp_path / "one") as one,
        running("flask", store=tmp_path / "other") as other,
    ):
        told = verify(one, tmp_path, "--also-url", other.url, probe=False)
    assert told.failed == {"replay-other-instance"}
    assert told.status == BROKEN


# --- planted bugs -----------------------------------------------------------------------------


def chosen(*, probe: bool) -> Iterator[tuple[str, str]]:
    """Yield (kind, bug): PHP is quick and tries all with a probe; the others take turns."""
    for number, bug in enumerate(JUDGEABLE):
        able = [kind for kind in MAIN_KINDS if kind in BUGS[bug].kinds]
        kinds = {able[number % len(able)], *(["php"] if probe and "php" in able else [])}
        yield from ((kind, bug) for kind in KINDS if kind in (BUGS[bug].kinds if LONG else kinds))


FEW = ("--examples", "8")
"""Searches run to their end over correct receivers; here they must not blame what has a cause."""


def options_for(bug: str) -> tuple[str, ...]:
    # `replay-later` sends two hundred events, over each of which this bug takes 50 ms.
    if bug == "check-then-set":
        return ("--examples", "2", "--skip", "replay-later")
    return () if LONG else (*FEW, "--skip", "replay-later")


@pytest.mark.once
@pytest.mark.parametrize(("kind", "bug"), [*chosen(probe=True)])
def test_a_planted_bug_is_found_by_its_rules_alone(kind: str, bug: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    with running(kind, bug=bug, store=tmp_path / "store") as receiver:
        told = verify_here(receiver, tmp_path, *options_for(bug), probe=True)
    expected = exposed_by(kind, bug)
    lucky = [{id} for id in BUGS[bug].or_else]
    assert told.failed == expected or told.failed in lucky, told.rules("fail")
    assert told.warned == warned_by(bug), told.rules("warn")
    assert told.status == (BROKEN if expected else PROVEN)


@pytest.mark.once
@pytest.mark.parametrize(("kind", "bug"), [*chosen(probe=False)])
def test_a_planted_bug_is_found_by_status_or_left_open(kind: str, bug: str, tmp_path: Path) -> None:
    skip_unless_available(kind)
    with running(kind, bug=bug, store=tmp_path / "store") as receiver:
        told = verify_here(receiver, tmp_path, *options_for(bug), probe=False)
    expected = exposed_by_status(kind, bug)
    lucky = [{id} for id in BUGS[bug].or_else]
    assert told.failed == expected or told.failed in lucky, told.rules("fail")
    assert told.warned <= warned_by(bug), told.rules("warn")
    open_ended = SERVERS[kind].ignores_replays or exposed_by(kind, bug)
    assert told.status == (BROKEN if expected else UNPROVEN if open_ended else PROVEN)
    unseen = exposed_by(kind, bug) - told.failed if not told.failed else set()
    assert unseen <= set(told.rules("unproven")) | set(told.rules("blocked"))


def test_a_declared_refusal_shows_without_a_probe_that_there_is_none(tmp_path: Path) -> None:
    skip_unless_available("express")
    with running("express", bug="no-replay", store=tmp_path / "store") as receiver:
        told = verify_here(receiver, tmp_path, "--replay", "rejects", probe=False)
    assert told.failed == {"replay-exact"}
    assert told.status == BROKEN


# --- receivers of which little can be said ----------------------------------------------------

WORDS = {
    "csrf": "CSRF guard",
    "redirect": "301 to",
    "hang": "no answer (timeout",
    "garbage": "no answer (",
    "refuse-all": "the signature was not recognised",
    "wrong-secret": "a secret that ends in a newline",
}


def blocked_on() -> Iterator[tuple[str, str]]:
    for number, bug in enumerate(BLOCKING):
        able = [kind for kind in MAIN_KINDS if kind in BUGS[bug].kinds]
        kinds = BUGS[bug].kinds if LONG else (able[number % len(able)],)
        yield from ((kind, bug) for kind in kinds)


@pytest.mark.parametrize(("kind", "bug"), [*blocked_on()])
def test_a_receiver_that_takes_nothing_has_one_finding_with_its_cause(
    kind: str, bug: str, tmp_path: Path
) -> None:
    skip_unless_available(kind)
    patience = ("--timeout", "1") if bug == "hang" else ()
    with running(kind, bug=bug, store=tmp_path / "store") as receiver:
        told = verify_here(receiver, tmp_path, *patience, probe=bug not in ("hang", "garbage"))
    assert told.status == BROKEN
    assert told.failed == {"valid-basic"}
    assert told.rules("pass") == {}
    assert WORDS[bug] in told.rules("fail")["valid-basic"]


def test_a_secret_of_another_receiver_is_told_apart_from_a_bug(tmp_path: Path) -> None:
    skip_unless_available("flask")
    with running("flask", secret="the receiver's own", store=tmp_path / "store") as receiver:
        told = verify_here(replace(receiver, secret="somebody else's"), tmp_path, probe=True)
    assert told.failed == {"valid-basic"}
    assert "most likely another secret" in told.rules("fail")["valid-basic"]


def test_a_wrong_path_is_told_apart_from_a_wrong_secret(tmp_path: Path) -> None:
    skip_unless_available("express")
    with running("express", store=tmp_path / "store") as receiver:
        told = verify_here(replace(receiver, url=f"{receiver.url}/nowhere"), tmp_path, probe=True)
    assert told.failed == {"valid-basic"}
    message = told.rules("fail")["valid-basic"]
    assert "404" in message
    assert "another secret" not in message


def test_a_port_where_nothing_listens_is_told_in_a_line(tmp_path: Path) -> None:
    with silent_port() as port:
        url = f"http://127.0.0.1:{port}/webhook"
        result = hookproof_command("verify", url, "-q", cwd=tmp_path)
    assert result.returncode == 2
    assert b"Traceback" not in result.stdout + result.stderr
    assert b"cannot reach the receiver" in result.stdout
    assert b"is it running" in result.stdout


def test_a_probe_where_nothing_listens_leaves_the_run_to_status(tmp_path: Path) -> None:
    skip_unless_available("express")
    with silent_port() as port, running("express", store=tmp_path / "store") as receiver:
        probe = ("--effects-url", f"http://127.0.0.1:{port}/effects")
        told = verify_here(receiver, tmp_path, *probe, probe=False)
    assert told.rules("fail") == {}
    assert "judged by status alone" in told.out
    assert told.status == PROVEN


def test_a_host_that_is_not_this_machine_needs_a_word(tmp_path: Path) -> None:
    result = hookproof_command("verify", "http://192.0.2.1/webhook", cwd=tmp_path)
    assert "--allow-host" in one_line_error(result)
