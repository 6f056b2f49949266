"""Many seeds on every correct miniature receiver: is one of them ever blamed for anything?

    python tests/soak/miniatures.py --seeds 100
    python tests/soak/miniatures.py --seeds 100 --wire --only property --only model

The rules whose cases are drawn are tried unless others are named. `--wire` serves every receiver
over HTTP; those that differ only there are always served. No part of the tests: it takes minutes.
Exit status 0 when no receiver was blamed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from hookproof.catalogue import select
from hookproof.effects import CallableProbe
from hookproof.events import RuleFinished, RuleResult
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.catalogue import CORRECT
from hookproof.miniatures.trial import BROKEN, SECRET, trial
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.rule import Rule
from hookproof.run import Setup, run
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Policy, Verdict
from hookproof_spec import load

DRAWN = ("property", "model", "payload-wrong-shape")
SPEC = "mobility-work"
UNSETTLED = (Verdict.UNPROVEN, Verdict.BLOCKED)
Results = dict[str, RuleResult]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A correct receiver: how rules are tried on a new one, and what may be said of it."""

    name: str
    tried: Callable[[Sequence[Rule], int], Results]
    may_warn: tuple[str, ...] = ()


def receivers(*, wire: bool) -> Iterator[Receiver]:
    """Yield the miniatures, and the reference receiver."""
    for kind in CORRECT:
        yield Receiver(kind.__name__, partial(on_miniature, kind, wire), tuple(kind.may_warn))
    yield Receiver("the reference receiver", on_reference)


def on_miniature(kind: type[Miniature], wire: bool, rules: Sequence[Rule], seed: int) -> Results:
    """Try rules on a new miniature."""
    return trial(kind, rules, seed=seed, wire=wire)


def on_reference(rules: Sequence[Rule], seed: int) -> Results:
    """Try rules on a new reference receiver, in process."""
    webhook = load(SPEC).webhook()
    app = create_receiver(webhook, SECRET, nonces=MemoryNonceStore())
    effects = getattr(app, "effects")  # noqa: B009
    setup = Setup(
        webhook=webhook,
        spec=SPEC,
        secret=SECRET,
        target=WsgiTarget(app),
        probe=CallableProbe(lambda: effects.report(named=False)),
        policy=Policy(tolerance=3600),
        seed=seed,
        rules=tuple(rules),
        effect_timeout=0.5,
    )
    finished = (event for event in run(setup) if isinstance(event, RuleFinished))
    return {event.rule.id: event.result for event in finished}


@dataclass(frozen=True, slots=True)
class Told:
    """All runs on one receiver: what it was blamed for, and what was not settled, by words."""

    receiver: Receiver
    runs: int
    seconds: float
    requests: int
    blamed: Counter[str]
    unsettled: Counter[str]

    def line(self) -> str:
        """Say it in a line, and one more for each thing that was found."""
        found = [f"\n  BLAMED {count} times: {words}" for words, count in self.blamed.items()]
        unsettled = sum(self.unsettled.values())
        return (
            f"{self.receiver.name:24} {self.runs} seeds {self.requests:8,} requests"
            f" {self.seconds:7.1f} s  blamed {sum(self.blamed.values())}  unproven {unsettled}"
            + "".join(found)
        )


def soak(receiver: Receiver, words: Sequence[str], seeds: range) -> Told:
    """Try the rules of these words with every seed, each time on a new receiver."""
    rules = chosen(words)
    told = Told(receiver, len(seeds), time.monotonic(), 0, Counter(), Counter())
    requests = 0
    for seed in seeds:
        for id, result in receiver.tried(rules, seed).items():
            requests += result.requests
            if result.verdict in BROKEN and id not in receiver.may_warn:
                told.blamed[f"{id} (seed {seed}): {result.message}"] += 1
            elif result.verdict in UNSETTLED:
                told.unsettled[id] += 1
    seconds = time.monotonic() - told.seconds
    return Told(receiver, len(seeds), seconds, requests, told.blamed, told.unsettled)


def chosen(words: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules of these ids and categories, and the first of all that they stand on."""
    wanted = (*words, "valid-basic")
    return tuple(
        rule for rule in select(wanted).rules if rule.id in wanted or rule.category.value in wanted
    )


def main() -> int:
    """Do what the command line says."""
    given = arguments()
    words = given.only or DRAWN
    seeds = range(given.first, given.first + given.seeds)
    all_told: list[Told] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        each = [pool.submit(soak, one, words, seeds) for one in receivers(wire=given.wire)]
        for told in as_completed(each):
            all_told.append(told.result())
            print(all_told[-1].line(), flush=True)
    blamed = sum(sum(told.blamed.values()) for told in all_told)
    runs, requests = sum(t.runs for t in all_told), sum(t.requests for t in all_told)
    unsettled = sum((told.unsettled for told in all_told), Counter[str]())
    where = "over HTTP" if given.wire else "in process where it can be"
    print(f"{runs} runs of {len(chosen(words))} rules {where}, {requests:,} requests:", end=" ")
    print(f"{blamed} findings; unproven or blocked: {dict(unsettled) or 'nothing'}")
    return 1 if blamed else 0


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--wire", action="store_true", help="serve every receiver over HTTP")
    parser.add_argument("--jobs", type=int, default=1, help="how many receivers at once")
    parser.add_argument("--only", action="append", default=[], help="a rule or category")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
