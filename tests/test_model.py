"""The model: sequences of deliveries, found broken, made shortest, and told as steps and a test."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from hookproof.catalogue import rule as rule_of
from hookproof.effects import CallableProbe
from hookproof.lab import Lab
from hookproof.miniatures import correct
from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof.miniatures.broken_property import (
    ForgetsTheForged,
    KnowsPartsByShortName,
    RemembersSixteen,
)
from hookproof.miniatures.catalogue import CORRECT
from hookproof.miniatures.trial import SECRET, broken, trial
from hookproof.rule import Category
from hookproof.rules.model import model_deliveries
from hookproof.run import Setup, lab_for
from hookproof.searching.machine import Scene, machine_of
from hookproof.searching.search import Search
from hookproof.searching.shortening import Steps, shortest, simpler, without
from hookproof.searching.steps import (
    LIKENESSES,
    Burst,
    Forge,
    Play,
    Replay,
    Send,
    SendAkin,
    SendStale,
    pasted,
    play,
)
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Breach, Unproven, Verdict
from hookproof_spec import load

LONG = bool(os.environ.get("HOOKPROOF_LONG"))
SEEDS = range(20 if LONG else 3)
QUIET_SEEDS = range(100 if LONG else 1)
"""Over each correct receiver; `test_matrix` tries one more."""


class ForgetsWithTheStale(Miniature):
    """Empties its memory when a stale request has come."""

    def check_age(self, stamp: Stamp) -> None:
        try:
            super().check_age(stamp)
        except RefusedError:
            self.nonces.clear()
            raise


FOUND = {
    RemembersSixteen: "1. send 17 new events; 2. replay event 1: 1 effect too many",
    KnowsPartsByShortName: "1. send a new event; 2. send a new event like event 1 whose identifier"
    " differs in its last character: 1 effect too few",
    ForgetsTheForged: "1. send a new event; 2. forge event 1: its nonce, a spoiled signature;"
    " 3. replay event 1: 1 effect too many",
    ForgetsWithTheStale: "1. send a new event; 2. send a correctly signed event that is too old;"
    " 3. replay event 1: 1 effect too many",
}


def bench(receiver: Miniature) -> Lab:
    return lab_for(
        Setup(
            webhook=load("mobility-work").webhook(),
            spec="mobility-work",
            secret=SECRET,
            target=WsgiTarget(receiver),
            probe=CallableProbe(lambda: list(receiver.names)),
            rules=(),
            effect_timeout=0.3,
            search_seconds=30.0,
        )
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", FOUND, ids=lambda kind: kind.__name__)
def test_bug_is_found_in_the_shortest_sequence(kind: type[Miniature], seed: int) -> None:
    result = trial(kind, [model_deliveries], seed=seed, search_seconds=90)["model-deliveries"]
    assert result.verdict is Verdict.FAIL
    assert result.message == FOUND[kind]


@pytest.mark.parametrize("seed", QUIET_SEEDS)
@pytest.mark.parametrize("kind", CORRECT, ids=lambda kind: kind.__name__)
def test_correct_receiver_has_no_finding(kind: type[Miniature], seed: int) -> None:
    results = trial(kind, [model_deliveries], seed=1000 + seed)
    assert not broken(results), results


def test_no_finding_without_a_probe() -> None:
    result = trial(correct.Plain, [model_deliveries], probe=False)["model-deliveries"]
    assert result.verdict is Verdict.NOT_APPLICABLE


class ForgetsAfterStale(Miniature):
    """Empties its memory when it has seen two stale requests since its last event."""

    stale = 0

    def check_age(self, stamp: Stamp) -> None:
        self.stale += 1
        super().check_age(stamp)
        if self.stale > 2:
            self.nonces.clear()
        self.stale = 0


@pytest.mark.parametrize("seed", SEEDS)
def test_machine_finds_what_no_short_sequence_shows(seed: int) -> None:
    receiver = ForgetsAfterStale(SECRET)
    scene = Scene(bench(receiver))
    search = Search("model-test", seed, 300, float("inf"))
    found = scene.searched(machine_of(scene, search), search)
    assert isinstance(found, Breach)
    assert found.message.startswith(
        "1. send a new event; 2. send a correctly signed event that is too old;"
        " 3. send a correctly signed event that is too old; 4. replay event 1"
    )


class LosesOne(Miniature):
    """Loses one event, and no other."""

    acted = 0

    def act(self, event: str) -> None:
        self.acted += 1
        if self.acted != 150:
            super().act(event)


@pytest.mark.parametrize("seed", SEEDS)
def test_sequence_that_breaks_only_once_is_unproven(seed: int) -> None:
    lab = bench(LosesOne(SECRET))
    lab.seed = seed
    found = model_deliveries.check(lab)
    assert isinstance(found, Unproven), found
    assert "seen once and not again: 1. " in found.message
    assert found.evidence


# --- playing ------------------------------------------------------------------------------------


def test_play_of_all_steps_finds_nothing_on_a_correct_receiver() -> None:
    steps = (
        Send(3),
        SendAkin(1),
        SendAkin(2, "capitals"),
        Replay(1),
        Replay(2, "with a query"),
        Forge(3),
        SendStale(),
        Burst(3),
        Replay(6),
    )
    assert play(bench(correct.Plain(SECRET)), *steps) == ""


def test_pasted_test_fails_as_the_finding_did() -> None:
    steps: Steps = (Send(), Forge(1), Replay(1))
    names: dict[str, object] = {}
    exec(pasted(steps), names)
    test = names["test_deliveries"]
    with pytest.raises(AssertionError):
        test(bench(ForgetsTheForged(SECRET)))  # type: ignore[operator]
    test(bench(correct.Plain(SECRET)))  # type: ignore[operator]


def test_finding_carries_a_test_to_paste() -> None:
    result = trial(ForgetsTheForged, [model_deliveries])["model-deliveries"]
    assert "Forge(event=1),  # forge event 1" in result.script


def test_evidence_is_numbered_by_steps() -> None:
    result = trial(ForgetsTheForged, [model_deliveries])["model-deliveries"]
    assert [evidence.note[:7] for evidence in result.evidence] == ["step 1:", "step 2:", "step 3:"]


class StoppedClock(correct.Plain):
    def now(self) -> float:
        return 1_900_000_000.0


def test_no_two_events_of_a_play_have_the_same_bytes() -> None:
    """Under a clock that stands still, likeness alone would make them so."""
    receiver = StoppedClock(SECRET)
    stopped = bench(receiver)
    stopped.clock = receiver.now
    played = Play.at(stopped)
    steps: Steps = (Send(), *(SendAkin(1, how) for how in LIKENESSES * 3))
    for step in steps:
        assert played.step(step) is None
    bodies = {event.body for event in played.events}
    assert len(bodies) == len(played.events) == 1 + 3 * len(LIKENESSES)


# --- shortening ---------------------------------------------------------------------------------


def test_step_that_others_speak_of_is_not_left_out() -> None:
    assert without((Send(), Replay(1)), 0) is None


def test_later_events_keep_their_numbers() -> None:
    assert without((Send(3), Send(), Replay(4)), 0) == (Send(), Replay(1))


def test_simpler_sequences_are_never_longer() -> None:
    steps: Steps = (Send(4), Burst(3), SendAkin(1, "capitals"), Replay(5, "with a query"))
    assert all(len(other) <= len(steps) for other in simpler(steps))


def test_shortest_ends_where_nothing_can_be_left_out() -> None:
    def played(steps: Steps) -> Breach | None:
        broken_now = Forge(1) in steps and any(isinstance(step, Replay) for step in steps)
        return Breach(message=repr(steps), expected="") if broken_now else None

    first: Steps = (Send(5), SendStale(), Forge(1), Burst(2), Replay(1, "with a query"), Send())
    found = shortest(Breach(message="", expected=""), first, played)
    assert found.message == repr((Send(1), Forge(1), Replay(1)))


def test_model_has_its_own_category() -> None:
    assert rule_of("model-deliveries").category is Category.MODEL


def test_play_remembers_its_steps() -> None:
    playing = Play.at(bench(correct.Plain(SECRET)))
    playing.step(Send(2))
    assert (playing.steps, len(playing.events)) == ([Send(2)], 2)
    assert replace(Send(2), count=1) == Send()
