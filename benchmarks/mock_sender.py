"""What the mock sender's store costs: a durable delivery beside bare SQLite, memory, answers.

    .venv/bin/python benchmarks/mock_sender.py [--million] [--cost] [--folder DIR] [--json FILE]

Three parts. First, the cost of a delivery in flight (its request's row committed before it is sent,
its result after) beside an insert and an update by hand, in groups of 100 and one at a time, all
with synchronous=FULL, in one interleaved run. Then the peak memory of a process that delivers 10^3
and 10^5 events (with --million, 10^6) to a receiver that answers at once. Then how long lists and
triggers take while 10,000 deliveries wait.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from measuring import Row, peak_memory, report

import hookproof_spec
from hookproof_mockserver.engine.flying import Pilot
from hookproof_mockserver.engine.landing import Landed
from hookproof_mockserver.engine.underway import Underway
from hookproof_mockserver.hub import Hub
from hookproof_mockserver.model import (
    DeliveryPolicy,
    DeliveryState,
    Event,
    Response,
    Secrets,
    Source,
    Subscription,
)
from hookproof_mockserver.sender import GENERATE, MockSender, Setup
from hookproof_mockserver.store import Store, deliveries, events, subscriptions
from hookproof_mockserver.store.events import Birth
from hookproof_mockserver.store.records import Arrival, Departure, New, Outcome, Recorded, Standing
from hookproof_mockserver.store.rows import attempt_id
from hookproof_mockserver.store.writer import Transaction
from hookproof_mockserver.transport import Answer
from hookproof_spec.request import Request

GROUP = 100
COUNT = 2_000
WAITING = 10_000
ANSWER = Answer(
    Response(status=200, headers=(("Content-Length", "2"), ("Server", "x")), body=b"ok"), "", 0.001
)
URL = "http://127.0.0.1:9/webhook"


def setup(folder: Path, name: str, **more: object) -> Setup:
    """Return a setup with a store in a folder."""
    return Setup(
        document=hookproof_spec.load("mobility-work"),
        store=folder / f"{name}.db",
        **more,  # type: ignore[arg-type]
    )


def fill(sender: MockSender, count: int) -> None:
    """Bring events about in large commits, as nobody waits for each."""
    made = sender.trigger()

    def some(transaction: Transaction, first: int) -> None:
        for number in range(first, min(first + 1_000, count)):
            again = replace(made, id=f"evt_{number:026d}")
            one = partial("dlv_{:026d}".format, number)
            events.add(transaction, Birth(event=again), one)

    for first in range(1, count, 1_000):
        sender._store.write(partial(some, first=first))


class Bare:
    """By hand: a row before, the result after, in groups."""

    def __init__(self, folder: Path, group: int) -> None:
        self.group = group
        self.connection = sqlite3.connect(folder / f"bare{group}.db", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(
            "CREATE TABLE delivery (id INTEGER PRIMARY KEY, url TEXT, headers TEXT, body BLOB,"
            " status INTEGER, answer BLOB, seconds REAL)"
        )
        self.next = 1
        self.headers = json.dumps([["X-MW-Signature", "t" * 130], ["Content-Type", "a/json"]])
        self.body = b"x" * 449

    def run(self, count: int) -> None:
        """Make so many deliveries."""
        for first in range(self.next, self.next + count, self.group):
            ids = range(first, first + self.group)
            self.commit(
                "INSERT INTO delivery (id, url, headers, body) VALUES (?, ?, ?, ?)",
                [(id, URL, self.headers, self.body) for id in ids],
            )
            self.commit(
                "UPDATE delivery SET status = ?, answer = ?, seconds = ? WHERE id = ?",
                [(200, b"ok", 0.001, id) for id in ids],
            )
        self.next += count

    def commit(self, sql: str, rows: list[tuple[object, ...]]) -> None:
        """Write rows in one transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(sql, rows)
        self.connection.execute("COMMIT")


class Ours:
    """A turn of the engine with nothing sent: results of the last group, claims of the next."""

    def __init__(self, folder: Path, rounds: int) -> None:
        policy = DeliveryPolicy(concurrency=GROUP)
        self.sender = MockSender(setup(folder, "turns", workers=2 * GROUP))
        self.sender.register(url=URL, secret=GENERATE, policy=policy)
        self.sender._engine.close()
        fill(self.sender, COUNT * (rounds + 1) + GROUP)
        self.landed: list[Landed] = []

    def run(self, count: int) -> None:
        """Make so many deliveries."""
        engine = self.sender._engine
        for _ in range(0, count, GROUP):
            turn = partial(engine._written, landed=self.landed, ready=[1], flying=Underway())
            flights, _ = self.sender._store.write(turn)
            if len(flights) != GROUP:
                raise RuntimeError(f"{len(flights)} were claimed instead of {GROUP}")
            self.landed = [Landed(flight, flight.requests, (ANSWER,)) for flight in flights]

    def close(self) -> None:
        """Let go of the store."""
        self.sender._store.close()


class Rows:
    """The same rows through the same writer, but nothing signed and nothing decided.

    As in the sender, a body that is the event's is not written again with the request.
    """

    def __init__(self, folder: Path, rounds: int) -> None:
        self.store = Store(folder / "rows.db", Hub())
        subscription = Subscription(
            id="wh_1",
            url=URL,
            event="e",
            active=True,
            secrets=Secrets(),
            policy=DeliveryPolicy(),
            created=0.0,
        )
        self.store.write(lambda transaction: subscriptions.add(transaction, subscription))
        event = Event(id="evt_1", webhook="e", body=b"x", source=Source.TRIGGER, created=0.0)
        self.store.write(lambda t: events.add(t, Birth(event=event), lambda: "dlv_1"))
        for first in range(2, COUNT * (rounds + 1) + GROUP, 1_000):
            self.store.write(partial(self.fill, first=first))
        headers = (("X-MW-Signature", "t" * 130), ("Content-Type", "a/json"))
        self.request = Request("POST", URL, headers, b"x" * 449)
        self.next = 1
        self.landed: range = range(0)

    def fill(self, transaction: Transaction, first: int) -> None:
        """Add pending deliveries."""
        for number in range(first, first + 1_000):
            new = New(id=f"dlv_{number}", event=1, subscription=1, created=0.0)
            deliveries.add(transaction, new)

    def run(self, count: int) -> None:
        """Make so many deliveries."""
        for first in range(self.next, self.next + count, GROUP):
            seqs = range(first, first + GROUP)
            self.store.write(partial(self.turn, seqs=seqs))
            self.landed = seqs
        self.next += count

    def turn(self, transaction: Transaction, seqs: range) -> None:
        """Write the last group's results and claim the next."""
        outcome = Outcome(0.001, ANSWER.response, "", succeeded=True)
        received = Standing(DeliveryState.DELIVERED, None, "received", 1.0)
        deliveries.arrive(
            transaction, [Arrival(seq, "", 1, received, outcome) for seq in self.landed]
        )
        deliveries.record(
            transaction,
            [
                Recorded(attempt_id(seq, 1), 1.0, "n" * 40, True, self.request, same_body=True)
                for seq in seqs
            ],
        )
        deliveries.depart(transaction, [Departure(seq, "", DeliveryState.PENDING) for seq in seqs])

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def interleaved(kinds: dict[str, Callable[[int], None]], rounds: int) -> list[Row]:
    """Return what a delivery takes of CPU and of time, after a round to warm up."""
    cpu: dict[str, list[float]] = {name: [] for name in kinds}
    wall: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, run in kinds.items():
            count = COUNT if name != "one at a time" else COUNT // 10
            begun = time.perf_counter(), time.process_time()
            run(count)
            if number:
                cpu[name].append((time.process_time() - begun[1]) / count * 1e6)
                wall[name].append((time.perf_counter() - begun[0]) / count * 1e6)
    title, bare = "a durable delivery, row before and result after", next(iter(kinds))
    return [
        Row(title, bare, "the store's rows at most 1.5 x bare").fill(cpu),
        Row(f"{title}, as time passes", bare, unit="us").fill(wall),
    ]


def cost(folder: Path, rounds: int) -> list[Row]:
    """Measure the cost of a delivery in flight."""
    ours, rows = Ours(folder, rounds), Rows(folder, rounds)
    found = interleaved(
        {
            "bare, groups of 100": Bare(folder, GROUP).run,
            "the store's rows": rows.run,
            "a turn of the engine": ours.run,
            "one at a time": Bare(folder, 1).run,
        },
        rounds,
    )
    ours.close()
    rows.close()
    return found


PEAK = "peak memory"
THROUGH = "delivered, for each"


def deliver(folder: Path, count: int) -> dict[str, list[float]]:
    """Deliver so many events in this process, the network left out; return what it took.

    Answers are in milliseconds, `PEAK` in MiB, `THROUGH` in microseconds.
    """
    sent = Answer(ANSWER.response, "", 0.0)
    Pilot.fly = lambda _self, flight: Landed(flight, flight.requests, (sent,))  # type: ignore[assignment,method-assign]
    begun = time.monotonic()
    with MockSender(setup(folder, f"m{count}", workers=200)) as sender:
        sender.register(url=URL, secret=GENERATE, policy=DeliveryPolicy(concurrency=100))
        fill(sender, count)
        while not sender.idle(60):
            pass
        seconds = time.monotonic() - begun
        last = sender.deliveries(limit=1, state=DeliveryState.DELIVERED).items[0]
        middle = f"dlv_{count // 2:026d}"
        calls: dict[str, Callable[[], object]] = {
            "a page of 50": lambda: sender.deliveries(limit=50),
            "from the middle": lambda: sender.deliveries(after=middle, limit=50),
            "those failed": lambda: sender.deliveries(state=DeliveryState.FAILED, limit=50),
            "one in detail": lambda: sender.attempts(last.id),
            "counts": sender.counts,
            "a text found nowhere": lambda: sender.deliveries(text="no such thing"),
        }
        found = {name: milliseconds(call) for name, call in calls.items()}
    return {**found, PEAK: [peak_memory()], THROUGH: [seconds / count * 1e6]}


def delivered(folder: Path | None, counts: Sequence[int]) -> Iterator[Row]:
    """Have processes deliver so many; return a row for each thing they measured."""
    where = ["--folder", str(folder)] if folder else []
    samples: dict[str, dict[str, list[float]]] = {}
    for count in counts:
        command = [sys.executable, __file__, "--deliver", str(count), *where]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for name, values in told.items():
            samples.setdefault(name, {})[f"{count:,}"] = values
    units = {PEAK: "MiB", THROUGH: "us"}
    goals = {PEAK: "flat over a million"}
    for name, values in samples.items():
        title = f"{name}, by deliveries stored"
        yield Row(title, f"{counts[0]:,}", goals.get(name, ""), units.get(name, "ms")).fill(values)


def milliseconds(call: Callable[[], object], times: int = 5) -> list[float]:
    """Return how long a call took each time."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def pending(folder: Path) -> Row:
    """Measure how long answers take while 10,000 deliveries wait."""
    with MockSender(setup(folder, "pending")) as sender:
        webhook = sender.register(url=URL, secret=GENERATE)
        fill(sender, WAITING)
        sender.change(webhook.id, active=False)
        sender.idle(30)
        waiting = DeliveryState.PENDING
        calls: dict[str, Callable[[], object]] = {
            "page of 50": lambda: sender.deliveries(limit=50),
            "pending, page of 50": lambda: sender.deliveries(limit=50, state=waiting),
            "of the webhook": lambda: sender.deliveries(limit=50, subscription=webhook.id),
            "text": lambda: sender.deliveries(limit=50, text="shelf 8"),
            "counts": sender.counts,
            "trigger (durable)": sender.trigger,
        }
        samples = {name: milliseconds(call, 50) for name, call in calls.items()}
    return Row(f"answers while {WAITING:,} wait", "page of 50", unit="ms").fill(samples)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the stores are written")
    parser.add_argument("--cost", action="store_true", help="only the first part")
    parser.add_argument("--deliver", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_known_args()[0]
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        if asked.deliver:
            print(json.dumps(deliver(folder, asked.deliver)))
            return
        rows = cost(folder, asked.rounds)
        if not asked.cost:
            counts = (1_000, 100_000, *([1_000_000] if asked.million else []))
            rows += [*delivered(asked.folder, counts), pending(folder)]
    report(rows)


if __name__ == "__main__":
    main()
