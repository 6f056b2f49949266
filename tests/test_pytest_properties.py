"""Properties inside pytest: Hypothesis' profiles, database and seed are those of the suite."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from hookproof.searching.malformed import FRAGMENTS
from support.suites import QUIET, Suite

pytest_plugins = ["pytester"]
RECEIVER = """
import json
import hookproof, pytest
from hypothesis import settings
from hookproof.miniatures.base import Miniature, RefusedError

class Kept(Miniature):
    '''Refuses some names, and writes down all.'''

    def read(self, body):
        name = super().read(body)
        with open("names.txt", "a") as file:
            print(json.dumps(json.loads(body)["sparePart"]["name"]), file=file)
        if {refused}:
            raise RefusedError(422)
        return name

settings.register_profile("wide", max_examples=45)
settings.register_profile("same", derandomize=True, database=None)

@pytest.fixture(scope="session")
def webhook_receiver():
    app = Kept("s3cret-s3cret")
    return hookproof.Receiver(app=app, secret="s3cret-s3cret", effects=lambda: list(app.names),
                              tolerance=3600)
"""
NOTHING = "False"
A_SHORT_NAME = "2 <= len(json.loads(body)['sparePart']['name']) < 12"
CONTRACT = """
import hookproof

@hookproof.contract
def test_receiver(webhook_receiver, rule):
    rule.check(webhook_receiver)
"""
PATIENT = ("-p", "no:cacheprovider", "-o", "hookproof_search_seconds=90")
"""How fast this machine is, is not what is tested."""
VALID = ("-k", "test_receiver and property-valid")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for variable in ("CI", "TF_BUILD", "GITHUB_ACTIONS", "HYPOTHESIS_STORAGE_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    return Suite(pytester).file("test_hooks.py", CONTRACT)


def judged_by(suite: Suite, refused: str) -> Suite:
    return suite.file("conftest.py", RECEIVER.replace("{refused}", refused))


def run(suite: Suite, *options: str) -> pytest.RunResult:
    return suite.pytester.runpytest_subprocess(*QUIET, *PATIENT, *options)


def report(suite: Suite, *options: str) -> dict[str, dict[str, Any]]:
    """Run the contract and return what its report says of each rule, and of the run itself."""
    run(suite, "--hookproof-report", "json=report.json", *options)
    told = json.loads((suite.path / "report.json").read_bytes())
    return {"run": told, **{entry["id"]: entry for entry in told["rules"]}}


def names(suite: Suite) -> list[str]:
    """Return the names of parts in the order in which the receiver read them since last time."""
    path: Path = suite.path / "names.txt"
    found = path.read_text("utf-8").splitlines()
    path.unlink()
    return found


def drawn(message: str) -> int:
    """Return how many examples a property says it has tried."""
    found = re.search(r"(\d+) examples", message)
    assert found, message
    return int(found[1])


# --- how much is tried --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "examples"),
    [
        ((), 30),
        (("--hypothesis-profile=wide",), 45),
        (("--hypothesis-profile=wide", "-o", "hookproof_examples=12"), 12),
    ],
    ids=["ours", "the profile's", "the nearest"],
)
def test_effort_is_that_of_the_nearest_who_says_it(
    suite: Suite, options: tuple[str, ...], examples: int
) -> None:
    found = report(judged_by(suite, NOTHING), "-k", "property-malformed", *options)
    alone = sum(bool(fragment.strip()) for fragment in FRAGMENTS)  # before any are drawn
    tried = drawn(found["property-malformed"]["message"]) - alone
    assert examples <= tried < examples + 10  # some that are drawn are genuine, and not judged


# --- what was found before ----------------------------------------------------------------------


def test_finding_is_tried_first_in_the_next_run(suite: Suite) -> None:
    judged_by(suite, A_SHORT_NAME)
    first = report(suite, *VALID)["property-valid"]
    again = report(suite, *VALID, "-o", "hookproof_examples=1")["property-valid"]
    assert (first["verdict"], again["verdict"]) == ("fail", "fail")
    assert again["message"] == first["message"]
    repeated = report(suite, *VALID, "-o", "hookproof_examples=1", "--hookproof-seed=1")
    assert repeated["property-valid"]["verdict"] == "pass"  # a course that is repeated is the same


def test_nothing_is_kept_where_the_profile_keeps_nothing(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    judged_by(suite, A_SHORT_NAME)
    found = report(suite, *VALID)
    assert found["property-valid"]["verdict"] == "fail"
    assert found["run"]["seed"] == 0
    assert not (suite.path / ".hypothesis" / "examples").exists()


def test_derandomised_profile_tries_the_same_each_time(suite: Suite) -> None:
    judged_by(suite, NOTHING)
    courses = []
    for _ in range(2):
        run(suite, *VALID, "--hypothesis-profile=same")
        courses.append(names(suite))
    assert courses[0] == courses[1]
    assert len(set(courses[0])) > 10


# --- the seed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "seed"),
    [
        (("--hypothesis-seed=5", "--hookproof-seed=9"), 9),
        (("--hypothesis-seed=any text",), zlib.crc32(b"any text")),
    ],
    ids=["ours goes first", "a text"],
)
def test_seed_of_hypothesis_is_ours(suite: Suite, options: tuple[str, ...], seed: int) -> None:
    found = report(judged_by(suite, NOTHING), "-k", "valid-basic", *options)
    assert found["run"]["seed"] == seed


def test_workers_find_what_one_process_finds(suite: Suite) -> None:
    judged_by(suite, A_SHORT_NAME)
    searches = ("property-valid", "payload-wrong-shape")
    course = ("-k", " or ".join(searches), "--hookproof-seed=0")
    alone, spread = report(suite, *course), report(suite, *course, "-n", "2")
    assert "refuses" in alone["property-valid"]["message"]
    for id in searches:
        assert spread[id]["verdict"] == alone[id]["verdict"]
        assert spread[id]["message"] == alone[id]["message"]


def test_search_ends_when_the_time_of_the_suite_is_over(suite: Suite) -> None:
    judged_by(suite, NOTHING)
    found = report(
        suite, *VALID, *("-o", "hookproof_examples=100000", "-o", "hookproof_search_seconds=0.2")
    )
    assert "then its time was over" in found["property-valid"]["message"]
