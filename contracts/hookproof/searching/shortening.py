"""Sequences of steps made shorter: what Hypothesis leaves is tried without each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from hookproof.searching.steps import Burst, Forge, Replay, Send, SendAkin, SendStale, Step
from hookproof.verdicts import Breach

Steps = tuple[Step, ...]
PLAIN = {Replay: "exactly", SendAkin: "same"}


def shortest(breach: Breach, steps: Steps, played: Callable[[Steps], Breach | None]) -> Breach:
    """Return the breach of the shortest sequence that still shows one, as far as single changes go.

    `played` plays a sequence from the beginning.
    """
    if played(steps) is None:
        return replace(
            breach, message=f"in the course of many deliveries, the last: {breach.message}"
        )
    found = True
    while found:
        found = False
        for shorter in simpler(steps):
            again = played(shorter)
            if again is not None:
                breach, steps, found = again, shorter, True
                break
    return breach


def simpler(steps: Steps) -> Iterator[Steps]:
    """Yield sequences with one step less, or one step simpler; the boldest first."""
    for place in reversed(range(len(steps))):
        shorter = without(steps, place)
        if shorter is not None:
            yield shorter
    yield from _joined(steps)
    for place, step in enumerate(steps):
        for other in _simpler_steps(step):
            changed = _changed(steps, place, other)
            if changed is not None:
                yield changed


def _joined(steps: Steps) -> Iterator[Steps]:
    """Yield sequences in which two neighbours that send new events are one step."""
    for place, (left, right) in enumerate(pairwise(steps)):
        if isinstance(left, Send) and isinstance(right, Send):
            yield (*steps[:place], Send(left.count + right.count), *steps[place + 2 :])


def _simpler_steps(step: Step) -> Iterator[Step]:
    match step:
        case Send(count):
            yield from (Send(fewer) for fewer in dict.fromkeys((count // 2, count - 1)) if fewer)
        case Burst(copies):
            yield Send()
            yield from (Burst(fewer) for fewer in range(2, copies))
        case Replay() | SendAkin() if step.how != PLAIN[type(step)]:
            yield replace(step, how=PLAIN[type(step)])


def without(steps: Steps, place: int) -> Steps | None:
    """Return the steps without one; None where another speaks of an event that it sent."""
    return _renumbered(steps, place, ())


def _changed(steps: Steps, place: int, step: Step) -> Steps | None:
    return _renumbered(steps, place, (step,))


def _renumbered(steps: Steps, place: int, instead: Steps) -> Steps | None:
    """Put other steps in the place of one, and let the later ones speak of the same events."""
    first = sum(map(sent, steps[:place])) + 1
    before, after = sent(steps[place]), sum(map(sent, instead))
    later: list[Step] = []
    for step in steps[place + 1 :]:
        if isinstance(step, Replay | Forge | SendAkin) and step.event >= first:
            if first + after <= step.event < first + before:
                return None
            number = step.event if step.event < first + before else step.event - before + after
            step = replace(step, event=number)
        later.append(step)
    return (*steps[:place], *instead, *later)


def sent(step: Step) -> int:
    """Return how many new events a step sends."""
    if isinstance(step, Send):
        return step.count
    return 1 if isinstance(step, SendAkin | Burst) else 0


def short_sequences(
    rewritings: Sequence[str], likenesses: Sequence[str], many: int, *, aged: bool
) -> list[Steps]:
    """Return all that can happen to one event in two steps, the plainest first.

    `aged` says that events have a time, so that some are too old.
    """
    once: list[Step] = [
        *(Replay(1, how) for how in rewritings),
        Forge(1),
        *(SendAkin(1, how) for how in likenesses),
    ]
    between: list[Step] = [*once, *([SendStale()] if aged else []), Send(many), Burst(2)]
    again: list[Step] = [Replay(1), SendAkin(1, likenesses[-1])]
    found: list[Steps] = [(Send(), step) for step in once]
    found += [(Send(), step, then) for step in between for then in again]
    found += [(Burst(2), then) for then in again]
    return found
