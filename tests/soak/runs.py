"""Many runs in a row against one server: how often is a right one blamed, a wrong one not?

    python tests/soak/runs.py --kind flask --runs 100 --load
    python tests/soak/runs.py --kind flask --runs 100 --load --bug check-then-set

No part of the tests: it takes minutes, and what it shows is how things are on a busy machine.
Exit status 0 when no run blamed the right receiver for anything, or 99 of 100 caught the wrong one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hookproof.catalogue import select
from hookproof.effects import UrlProbe
from hookproof.events import ExitStatus, RuleFinished, RunFinished
from hookproof.run import Setup, run
from hookproof.targets.http import HttpTarget
from hookproof.verdicts import Level, Verdict
from hookproof_spec import load
from support.foreign import KINDS, RunningReceiver, available, running
from support.planted import BUGS

CAUGHT_OF_100 = 99
ON_ONE_SERVER = 10
"""More would measure how long the list of all effects has become that the probe reads each time."""
BLAMED = (Verdict.FAIL, Verdict.WARN, Verdict.UNPROVEN)
SPEC = "mobility-work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One run: its exit status, what it blamed the receiver for, and its time in seconds."""

    exit: ExitStatus
    blamed: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float


def one_run(receiver: RunningReceiver, *, probe: bool, seed: int, only: Sequence[str]) -> Told:
    """Run the contract once, as `hookproof verify` does."""
    blamed: list[str] = []
    failed: list[str] = []
    with HttpTarget(receiver.url) as target:
        setup = Setup(
            webhook=load(SPEC).webhook(),
            spec=SPEC,
            secret=receiver.secret,
            target=target,
            probe=UrlProbe(receiver.effects_url) if probe else None,
            seed=seed,
            rules=select(only).rules,
        )
        for event in run(setup):
            if isinstance(event, RuleFinished) and event.result.verdict in BLAMED:
                result, rule = event.result, event.rule
                blamed.append(
                    f"{result.verdict.value} {rule.level.value} {rule.id}: {result.message}"
                )
                if result.verdict is Verdict.FAIL:
                    failed.append(rule.id)
    if not isinstance(event, RunFinished):
        raise TypeError("a run ends with RunFinished")
    if event.reason:
        blamed.append(f"not run {Level.MUST.value} anything: {event.reason}")
    elif not event.complete:
        raise KeyboardInterrupt
    return Told(exit=event.exit, blamed=tuple(blamed), failed=tuple(failed), seconds=event.seconds)


# --- a busy machine ---------------------------------------------------------------------------


def burn(parent: int) -> None:
    """Keep a core busy for as long as the parent lives."""
    while os.getppid() == parent:
        sum(range(200_000))


@contextmanager
def burners(wanted: bool) -> Iterator[None]:
    """Keep every core busy."""
    count = (os.cpu_count() or 1) if wanted else 0
    processes = [
        multiprocessing.Process(target=burn, args=(os.getpid(),), daemon=True) for _ in range(count)
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join(timeout=5)


# --- the runs ---------------------------------------------------------------------------------


def soak(given: argparse.Namespace) -> list[Told]:
    """Do all runs, some of them in a row against one and the same server."""
    told: list[Told] = []
    with burners(given.load):
        while len(told) < given.runs:
            with served(given) as receiver:
                for number in range(len(told), min(given.runs, len(told) + ON_ONE_SERVER)):
                    told.append(numbered_run(given, receiver, number))
    return told


@contextmanager
def served(given: argparse.Namespace) -> Iterator[RunningReceiver]:
    """Start the receiver that the command line asks for."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            given.kind, store=Path(folder) / "store", bug=given.bug, replay=given.replay
        ) as receiver,
    ):
        yield receiver


def numbered_run(given: argparse.Namespace, receiver: RunningReceiver, number: int) -> Told:
    """Run the contract with a seed of its own, and tell of it at once when there is a reason."""
    probe = given.by == "effects" or (given.by == "both" and number % 2 == 0)
    told = one_run(receiver, probe=probe, seed=given.seed + number, only=given.only)
    show(number, told, quiet=bool(given.bug))
    return told


def show(number: int, told: Told, *, quiet: bool) -> None:
    """Tell of a run at once when it is worth it."""
    if told.blamed and not quiet:
        print(f"run {number} ({told.seconds:.1f} s):", *told.blamed, sep="\n  ", flush=True)


def summary(given: argparse.Namespace, told: Sequence[Told]) -> int:
    """Print the figures; return the exit status."""
    seconds = sorted(one.seconds for one in told)
    load = "loaded" if given.load else "as it is"
    print(f"{given.kind} {given.bug or 'correct'}, by {given.by}, machine {load}:", end=" ")
    print(f"{len(told)} runs, median {seconds[len(seconds) // 2]:.1f} s, max {seconds[-1]:.1f} s")
    for status, count in sorted(Counter(one.exit for one in told).items()):
        print(f"  exit {int(status)}: {count}")
    for failed, count in Counter(", ".join(one.failed) for one in told).most_common():
        print(f"  failed {failed or 'nothing'}: {count}")
    if given.bug:
        caught = sum(one.exit is ExitStatus.BROKEN for one in told)
        print(f"  caught in {caught} of {len(told)} runs")
        return 0 if caught * 100 >= CAUGHT_OF_100 * len(told) else 1
    must = [one for one in told if any(f" {Level.MUST.value} " in words for words in one.blamed)]
    print(f"  a MUST rule failed or unproven in {len(must)} of {len(told)} runs;", end=" ")
    print(f"anything at all to tell in {sum(bool(one.blamed) for one in told)}")
    return 1 if must else 0


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])

    def option(name: str, **settings: Any) -> None:  # noqa: ANN401 (what argparse takes)
        parser.add_argument(name, **settings)

    option("--kind", choices=KINDS, required=True)
    option("--bug", choices=sorted(BUGS), default="")
    option("--runs", type=int, default=100)
    option("--seed", type=int, default=int(time.time()))
    option("--by", choices=("effects", "status", "both"), default="effects")
    option("--replay", choices=("", "reject", "ignore"), default="")
    option("--only", action="append", default=[])
    option("--load", action="store_true", help="keep every core busy meanwhile")
    return parser.parse_args(words)


def main() -> int:
    """Do what the command line says."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server ends too
    if reason := available(given.kind):
        print(reason, file=sys.stderr)
        return 2
    return summary(given, soak(given))


if __name__ == "__main__":
    sys.exit(main())
