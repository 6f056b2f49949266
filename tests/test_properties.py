"""Properties find what nobody listed, make it small, and find nothing where nothing is.

Every search is seeded; `HOOKPROOF_LONG=1` tries the seeds that take long.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st

from hookproof.catalogue import rule as rule_of
from hookproof.effects import CallableProbe
from hookproof.events import RuleResult
from hookproof.lab import LATENCIES_KEPT, CannotTell, Lab, Log
from hookproof.miniatures import correct
from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof.miniatures.broken_property import (
    ComparesTimesAsText,
    CountsInBrackets,
    HasNoSupplementaryPlane,
    SkipsOneByte,
    TakesHeaderForPattern,
)
from hookproof.miniatures.catalogue import CORRECT
from hookproof.miniatures.trial import SECRET, broken, trial
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.rule import Category, Rule
from hookproof.rules import properties
from hookproof.run import Setup, lab_for
from hookproof.searching import search as search_module
from hookproof.searching.changes import body_byte, body_more, flipped, inserted, replaced, rewritten
from hookproof.searching.leniency import says_the_same
from hookproof.searching.search import Search
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Breach, Policy, Unproven, Verdict
from hookproof_spec import load
from hookproof_spec.errors import HookproofError
from hookproof_spec.signing import Delivery

LONG = bool(os.environ.get("HOOKPROOF_LONG"))
SEEDS = range(20 if LONG else 3)
QUIET_SEEDS = range(100 if LONG else 1)
"""Over each correct receiver; `test_matrix` tries one more."""
PATIENCE = 90.0
"""Seconds: how fast this machine is, is not what is tested."""
FOUND = {
    SkipsOneByte: (
        "property-forged",
        r"flipping only hex digit 23 of 64 of the signature is acted on: 200",
    ),
    CountsInBrackets: (
        "property-valid",
        r'refuses a genuine event whose /sparePart/name is "\[": 500',
    ),
    HasNoSupplementaryPlane: (
        "property-valid",
        r'refuses a genuine event whose /sparePart/name is "\U00020000" \(U\+20000\): 422',
    ),
    ComparesTimesAsText: (
        "property-stale",
        r"accepts a correctly signed request that is 2\d\.\d years old"
        r" \(timestamp 999999999\): 200",
    ),
    TakesHeaderForPattern: ("property-malformed", r"crashes on the signature header '\+': 500"),
}


def on(lab_for_: Miniature, **more: object) -> Lab:
    """Return a bench at a miniature, judged by effects."""
    setup = Setup(
        webhook=load("mobility-work").webhook(),
        spec="mobility-work",
        secret=SECRET,
        target=WsgiTarget(lab_for_),
        probe=CallableProbe(lambda: list(lab_for_.names)),
        policy=Policy(tolerance=3600),
        rules=(),
        effect_timeout=0.5,
        search_seconds=PATIENCE,
    )
    return lab_for(replace(setup, **more))  # type: ignore[arg-type]


def tried(kind: type[Miniature], id: str, seed: int) -> RuleResult:
    return trial(kind, [rule_of(id)], seed=seed, search_seconds=PATIENCE)[id]


# --- what is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", FOUND, ids=lambda kind: kind.__name__)
def test_bug_is_found_and_made_smallest(kind: type[Miniature], seed: int) -> None:
    id, message = FOUND[kind]
    result = tried(kind, id, seed)
    assert result.verdict in (Verdict.FAIL, Verdict.WARN), result.message
    assert re.fullmatch(message, result.message)
    assert result.evidence


@pytest.mark.parametrize("skipped", range(0, 32, 1 if LONG else 5))
def test_any_byte_that_is_not_compared_is_found(skipped: int) -> None:
    kind = type("Skips", (SkipsOneByte,), {"skipped": skipped})
    message = tried(kind, "property-forged", 1).message
    assert f"flipping only hex digit {2 * skipped + 1} of 64" in message


@pytest.mark.parametrize("plane", range(1, 17, 1 if LONG else 5))
def test_any_plane_that_is_refused_is_found(plane: int) -> None:
    kind = type("Refuses", (HasNoSupplementaryPlane,), {"plane": plane})
    message = tried(kind, "property-valid", 1).message
    assert f"(U+{plane << 16:X})" in message


class RefusesCapitalsInEscapes(Miniature):
    """Reads escapes whose hexadecimal digits are small letters, and no others."""

    def read(self, body: bytes) -> str:
        if re.search(rb"\\u[0-9a-f]*[A-F]", body):
            raise RefusedError(422)
        return super().read(body)


@pytest.mark.parametrize("seed", range(300, 320) if LONG else (303, 307))
def test_spelling_that_is_refused_is_told_alone(seed: int) -> None:
    result = trial(
        RefusesCapitalsInEscapes, [properties.property_valid], seed=seed, search_seconds=PATIENCE
    )["property-valid"]
    assert result.message == "refuses a genuine event with characters written as \\u escapes: 422"


def test_evidence_holds_the_bytes_of_the_smallest_case() -> None:
    (evidence,) = tried(CountsInBrackets, "property-valid", 1).evidence
    assert b'"name":"["' in evidence.exchange.request.body


def test_more_examples_are_more_effort() -> None:
    few, many = on(correct.Plain(SECRET), examples=5), on(correct.Plain(SECRET), examples=50)
    for lab in (few, many):
        properties.property_valid.check(lab)
    assert many.courier.sent > few.courier.sent + 40


def test_same_seed_tries_the_same() -> None:
    results = [tried(HasNoSupplementaryPlane, "property-valid", 7) for _ in range(2)]
    assert results[0].message == results[1].message
    assert results[0].requests == results[1].requests


# --- what is not --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", QUIET_SEEDS)
@pytest.mark.parametrize("kind", CORRECT, ids=lambda kind: kind.__name__)
def test_correct_receiver_has_no_finding(kind: type[Miniature], seed: int) -> None:
    results = trial(kind, properties.RULES, seed=1000 + seed)
    assert not broken(results), results


@pytest.mark.parametrize("seed", QUIET_SEEDS)
def test_reference_receiver_has_no_finding(seed: int) -> None:
    webhook = load("mobility-work").webhook()
    app = create_receiver(webhook, SECRET, nonces=MemoryNonceStore())
    effects = getattr(app, "effects")  # noqa: B009
    setup = Setup(
        webhook=webhook,
        spec="mobility-work",
        secret=SECRET,
        target=WsgiTarget(app),
        probe=CallableProbe(lambda: effects.report(named=False)),
        policy=Policy(tolerance=3600),
        rules=(),
        seed=seed,
    )
    for rule in properties.RULES:
        assert not isinstance(rule.check(lab_for(setup)), Breach | Unproven)


class LosesEveryThird(Miniature):
    """Refuses every third event, whatever it is."""

    count = 0

    def read(self, body: bytes) -> str:
        self.count += 1
        if self.count % 3 == 0:
            raise RefusedError(422)
        return super().read(body)


def test_what_does_not_repeat_is_unproven() -> None:
    found = properties.property_valid.check(on(LosesEveryThird(SECRET)))
    assert isinstance(found, Unproven | Breach)
    result = trial(LosesEveryThird, [properties.property_valid])["property-valid"]
    assert result.verdict is not Verdict.PASS


class RefusesOnce(Miniature):
    """Refuses a short name that it has not seen before; the same case again is accepted."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.seen: set[str] = set()

    def read(self, body: bytes) -> str:
        found = super().read(body)
        name = json.loads(body)["sparePart"]["name"]
        if len(name) < 8 and name not in self.seen:
            self.seen.add(name)
            raise RefusedError(422)
        return found


class AcceptsOnce(Miniature):
    """Takes one wrong signature, the seventieth."""

    wrong = 0

    def same(self, expected: str, given: str) -> bool:
        if super().same(expected, given):
            return True
        self.wrong += 1
        return self.wrong == 70


@pytest.mark.parametrize(
    ("kind", "rule"),
    [(RefusesOnce, properties.property_valid), (AcceptsOnce, properties.property_forged)],
    ids=["valid", "forged"],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_receiver_that_breaks_only_once_is_unproven(
    kind: type[Miniature], rule: Rule, seed: int
) -> None:
    found = rule.check(on(kind(SECRET), seed=seed))
    assert isinstance(found, Unproven), found
    assert found.message.startswith("seen once and not again: ")
    assert found.evidence
    assert "run it again" in found.settle


def test_large_bodies_that_are_refused_are_no_finding() -> None:
    class Tiny(Miniature):
        def receive(self, request: object) -> int:
            body: bytes = request.body  # type: ignore[attr-defined]
            return 413 if len(body) > 450 else super().receive(request)  # type: ignore[arg-type]

    assert not isinstance(properties.property_valid.check(on(Tiny(SECRET))), Breach)


# --- the search itself --------------------------------------------------------------------------


def search(**more: object) -> Search:
    return Search.of(on(correct.Plain(SECRET), **more), "property-test")


def test_search_ends_when_its_time_is_over() -> None:
    ended = search(search_seconds=0.0).through(st.integers(), lambda _: None)
    assert ended.cut
    assert ended.tried == 0


def test_search_hands_on_what_a_judge_cannot_tell() -> None:
    def judge(_: int) -> Breach | None:
        raise CannotTell(Unproven(message="the receiver is gone"))

    with pytest.raises(CannotTell):
        search().through(st.integers(), judge)


def test_search_hands_on_errors_of_ours() -> None:
    def judge(_: int) -> Breach | None:
        raise HookproofError("the probe is broken")

    with pytest.raises(HookproofError):
        search().through(st.integers(), judge)


def test_search_tells_flaky_findings_apart() -> None:
    answers: Iterator[Breach | None] = iter([Breach(message="odd", expected="even")])
    found = search().through(st.integers(), lambda _: next(answers, None)).found
    assert isinstance(found, Unproven)
    assert "seen once" in found.message


def test_search_keeps_the_smallest_breach() -> None:
    def judge(number: int) -> Breach | None:
        return Breach(message=str(number), expected="") if number >= 17 else None

    found = search(examples=200).through(st.integers(0, 1000), judge).found
    assert isinstance(found, Breach)
    assert found.message == "17"


def test_long_search_draws_as_many_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PORTION", 40)
    drawn: list[int] = []
    ended = search(examples=100).through(st.integers(0, 2**40), drawn.append)
    assert ended.tried == len(drawn) == 100
    assert len(set(drawn)) > 80, "each portion draws others"


def test_search_ends_when_nothing_is_left_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PORTION", 40)
    assert search(examples=400).through(st.booleans(), lambda _: None).tried == 2


def test_breach_in_a_later_portion_is_made_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PORTION", 40)
    tried = itertools.count()

    def judge(number: int) -> Breach | None:
        late = next(tried) >= 60  # as with a receiver that breaks in the course of a run
        return Breach(message=str(number), expected="") if late and number >= 17 else None

    found = search(examples=200).through(st.integers(0, 1000), judge).found
    assert isinstance(found, Breach)
    assert found.message == "17"


def test_long_search_holds_no_more_than_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PORTION", 40)
    held: dict[int, int] = {}
    numbers = itertools.count(1)

    def judge(_: list[int]) -> None:
        number = next(numbers)
        if number == 1:
            tracemalloc.start()
        elif number in (40, 160):
            gc.collect()
            held[number] = tracemalloc.get_traced_memory()[0]

    try:
        search(examples=160).through(st.lists(st.integers(), max_size=30), judge)
    finally:
        tracemalloc.stop()
    assert held[160] < 1.5 * held[40], f"{held} bytes"


def test_run_remembers_no_more_latencies_than_it_needs() -> None:
    log = Log()
    for _ in range(LATENCIES_KEPT + 5):
        log.note(0.01)
    assert len(log.latencies) == LATENCIES_KEPT


def test_search_leaves_no_folder_behind(tmp_path: Path) -> None:
    code = (
        "from hookproof.searching.search import Search\n"
        "from hypothesis import strategies as st\n"
        "Search('s', 1, 5, float('inf')).through(st.text(), lambda _: None)\n"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    here = tmp_path / "here"
    here.mkdir()
    subprocess.run([sys.executable, "-c", code], cwd=here, env=env, check=True)
    assert not list(here.iterdir())


# --- what says the same -------------------------------------------------------------------------


def a_genuine(lab: Lab) -> Delivery:
    return lab.genuine(nonce="ab" * 20, timestamp=1_700_000_000.0)


@pytest.mark.parametrize(
    "rewritten",
    [
        "nonce={n}, t={t}, signature={s}",
        "t={t},nonce={n},signature={S}",
        "t={t},nonce={n},signature={s},x=1",
        "t=0{t},nonce={n},signature={s}",
        "t=+{t}.0,nonce={n},signature={s}",
        "t={t},nonce={n},signature={s}zz",
        "t={t},nonce={n},signature={s}0",
        't={t},nonce="{n}",signature={s}',
        "t%3D{t},nonce={n},signature={s}",
        "t=1,t={t},nonce={n},signature={s}",
    ],
)
def test_lenient_readings_of_a_genuine_header_say_the_same(rewritten: str) -> None:
    lab = on(correct.Plain(SECRET))
    genuine = a_genuine(lab)
    signature = genuine.signatures[0]
    text = rewritten.format(t=genuine.timestamp, n=genuine.nonce, s=signature, S=signature.upper())
    assert says_the_same(genuine, genuine.request.with_header("X-MW-Signature", text))


@pytest.mark.parametrize(
    "change",
    [
        flipped(5, 1),
        replaced("nonce", 3, "f"),
        inserted("timestamp", 0, "9"),
        inserted("signature", 0, "0"),
        rewritten("nonce", "abc"),
        body_byte(40, 1),
        body_more(30, b"x"),
    ],
)
def test_forgeries_do_not_say_the_same(change: object) -> None:
    lab = on(correct.Plain(SECRET))
    genuine = a_genuine(lab)
    changed = change(lab, genuine)  # type: ignore[operator]
    assert not says_the_same(genuine, changed.request)


def test_white_space_in_a_body_says_the_same() -> None:
    lab = on(correct.Plain(SECRET))
    genuine = a_genuine(lab)
    spaced = genuine.request.with_body(genuine.body.replace(b",", b", ") + b"\n")
    assert says_the_same(genuine, spaced)


# --- the catalogue ------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", properties.RULES, ids=lambda rule: rule.id)
def test_property_has_its_own_category(rule: Rule) -> None:
    assert rule.category is Category.PROPERTY


def test_catalogue_is_read_without_hypothesis() -> None:
    code = "import sys, hookproof.catalogue; print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_stamp_is_compared_whole_without_the_bug() -> None:
    """The planted bug is the only reason for the finding."""
    assert not Miniature(SECRET).same("a" * 64, "a" * 63 + "b")
    assert Stamp("1", "n", "s").others == ["s"]
