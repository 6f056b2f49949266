"""The state machine of a receiver, and the search for the shortest sequence that breaks it."""

from __future__ import annotations

from typing import final

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hookproof.lab import Lab
from hookproof.searching.search import Portion, Search
from hookproof.searching.shortening import Steps, short_sequences, shortest
from hookproof.searching.steps import (
    LIKENESSES,
    REWRITINGS,
    Burst,
    Forge,
    Play,
    Replay,
    Send,
    SendAkin,
    SendStale,
    Step,
)
from hookproof.searching.tally import Haste
from hookproof.targets.base import Capability
from hookproof.verdicts import Breach, Holds, Judgement, Unproven

SEQUENCES = 0.5
"""How many sequences are drawn for each example of a property: each is several requests."""
STEPS = 10
"""How many steps a sequence has at most."""
MOST = 24
"""How many new events one step sends at most."""


def judge_deliveries(lab: Lab, name: str) -> Judgement:
    """Search for a sequence of deliveries after which the effects are not those expected.

    All short ones are tried first, then sequences that Hypothesis draws.
    """
    scene = Scene(lab)
    search = Search.of(lab, name, times=SEQUENCES)
    aged = lab.scheme.timestamp is not None
    search.each(short_sequences(REWRITINGS, LIKENESSES, MOST, aged=aged), scene.played)
    if search.found is None:
        search.found = scene.finished()
    found = scene.searched(machine_of(scene, search), search)
    return found or Holds(message=search.words.replace("examples", "sequences"))


@final
class Scene:
    """One receiver on which sequences are played; `broken` is the last that showed a breach."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.broken: Steps = ()
        self._haste = Haste()

    def begin(self) -> Play:
        """Return a play of no steps yet."""
        return Play.at(self.lab, self._haste)

    def note(self, play: Play, breach: Breach | None) -> Breach | None:
        """Remember the steps of a play that showed a breach."""
        if breach is not None:
            self.broken = tuple(play.steps)
        return breach

    def played(self, steps: Steps, *, to_the_end: bool = False) -> Breach | None:
        """Play a sequence. Effects that come late show themselves at its end, or in a later one."""
        play = self.begin()
        breach = next((found for step in steps if (found := play.step(step))), None)
        if breach is None and to_the_end:
            breach = play.finish()
        return self.note(play, breach)

    def finished(self) -> Breach | None:
        """Send a control; what went unseen in the sequences before has had its effect by now."""
        play = self.begin()
        return self.note(play, play.finish())

    def searched(
        self, machine: type[RuleBasedStateMachine], search: Search
    ) -> Breach | Unproven | None:
        """Run a machine unless something is found already; return the shortest breach."""
        steps = search.habits.steps or STEPS

        def draw(portion: Portion) -> None:
            settings = portion.settings(stateful_step_count=steps)
            run_state_machine_as_test(seed(portion.seed)(machine), settings=settings)

        search.run(draw)
        if isinstance(search.found, Breach) and self.broken:
            return self.shortest(search.found)
        return search.found

    def shortest(self, breach: Breach) -> Breach:
        """Return the breach of the shortest sequence."""

        def again(steps: Steps) -> Breach | None:
            return self.played(steps, to_the_end=True)

        return shortest(breach, self.broken, again)


def machine_of(scene: Scene, search: Search) -> type[RuleBasedStateMachine]:
    """Return a machine that plays its steps on a scene; nonces and markers are new each time."""
    lab = scene.lab
    together = Capability.TOGETHER in lab.courier.target.capabilities
    aged = lab.scheme.timestamp is not None

    class Deliveries(RuleBasedStateMachine):
        """The model is a number: one effect for each new nonce."""

        events = Bundle("events")

        def __init__(self) -> None:
            super().__init__()
            search.step()
            search.tried += 1
            self.broken = False
            self.bursts = 0
            self.play = scene.begin()

        def do(self, step: Step) -> int:
            """Play a step; return the number of its last event."""
            search.step()
            breach = search.guarded(lambda: self.play.step(step))
            self.broken = scene.note(self.play, breach) is not None
            search.keep(breach)
            return len(self.play.events)

        @rule(target=events, count=st.just(1) | st.integers(1, MOST))
        def send(self, count: int) -> int:
            first = len(self.play.events) + 1
            self.do(Send(count))
            return first

        @rule(
            target=events, event=events, how=st.sampled_from(("same", "last character", "capitals"))
        )
        def send_akin(self, event: int, how: str) -> int:
            return self.do(SendAkin(event, how))

        @rule(event=events, how=st.sampled_from(REWRITINGS))
        def replay(self, event: int, how: str) -> None:
            self.do(Replay(event, how))

        @rule(event=events)
        def forge(self, event: int) -> None:
            self.do(Forge(event))

        @precondition(lambda _: aged)
        @rule()
        def send_stale(self) -> None:
            self.do(SendStale())

        @precondition(lambda self: together and not self.bursts)
        @rule(target=events, copies=st.integers(2, 4))
        def send_together(self, copies: int) -> int:
            self.bursts += 1
            return self.do(Burst(copies))

        def teardown(self) -> None:
            if not self.broken and self.play.steps:
                breach = search.guarded(self.play.finish)
                search.keep(scene.note(self.play, breach))

    return Deliveries
