"""Kill a mock sender under load, again and again, and count what it lost: nothing.

    .venv/bin/python tests/soak/kill_sender.py [--rounds 200] [--seed 1] [--folder DIR]

Each round starts a sender as a process of its own on the same store. Several threads trigger
events as fast as they can; each event that was accepted is told by a line on standard output.
At a random moment the process is killed. Then, from outside: every accepted event is in the store,
every request that the receiver got is recorded, and the file is whole. In the end the sender runs
on until nothing is left to do, and every accepted event must have been received.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hookproof_spec
from hookproof_mockserver.model import DeliveryPolicy, DeliveryState, RetryPolicy, Schedule
from hookproof_mockserver.sender import GENERATE, MockSender, Setup
from hookproof_mockserver.store.rows import SENDING
from hookproof_spec import payloads, pointers
from support.mock_receiving import Received, Receiver, Reply, receiving

THREADS = 4
SIGNATURE = "X-MW-Signature"
POLICY = DeliveryPolicy(
    retry=RetryPolicy(schedule=Schedule.FIXED, attempts=1_000, first=0.05, jitter=0.0),
    concurrency=16,
)


@dataclass
class Tally:
    """What was counted."""

    rounds: int = 0
    accepted: list[str] = field(default_factory=list)
    markers: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    unrecorded: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    interrupted: int = 0
    requests: int = 0
    never_received: set[str] = field(default_factory=set)

    @property
    def good(self) -> bool:
        """Tell whether nothing was lost."""
        return not (self.lost or self.unrecorded or self.broken or self.never_received)

    def words(self) -> str:
        """Say it in a few lines."""
        return (
            f"{self.rounds} kills: {len(self.accepted)} events accepted, {len(self.lost)} lost,"
            f" {len(self.never_received)} never received\n"
            f"{self.requests} requests received, {len(self.unrecorded)} not recorded;"
            f" {self.interrupted} attempts interrupted; {len(self.broken)} stores broken"
        )


def serve(store: Path, url: str, seed: int) -> None:
    """Be the sender that is killed: open the store, and trigger until the end."""
    document = hookproof_spec.load("mobility-work")
    webhook = document.webhook()
    example = payloads.example(webhook)
    with MockSender(Setup(document=document, store=store, workers=32)) as sender:
        if not sender.subscriptions():
            sender.register(url=url, secret=GENERATE, policy=POLICY)
        print("ready", flush=True)

        def trigger(thread: int) -> None:
            for number in range(1_000_000):
                marker = f"{seed}-{thread}-{number}"
                payload = pointers.replace(example, "/sparePart/sparePartId", marker)
                event = sender.trigger(payload=payload)
                sys.stdout.write(f"{event.id} {marker}\n")
                sys.stdout.flush()

        threads = [threading.Thread(target=trigger, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def one_round(store: Path, receiver: Receiver, tally: Tally, source: random.Random) -> None:
    """Start a sender, kill it at a random moment, and look at what it left."""
    before = len(receiver.received)
    arguments = ["--serve", str(store), receiver.url, str(tally.rounds)]
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True
    )
    if process.stdout is None:
        raise RuntimeError("the sender has no output")
    with process, process.stdout as told:
        lines: list[str] = []
        reading = threading.Thread(target=lines.extend, args=(told,))
        if source.random() < 0.9:  # else it is killed while it opens the store
            told.readline()
        reading.start()
        time.sleep(source.uniform(0.0, 0.4))
        process.kill()
        process.wait()
        reading.join()
    whole = [line.split() for line in lines if line.endswith("\n") and line.startswith("evt_")]
    tally.rounds += 1
    tally.accepted += [id for id, _ in whole]
    tally.markers.update(dict(whole))
    examine(store, receiver.received[before:], {id for id, _ in whole}, tally)


def examine(store: Path, received: list[Received], accepted: set[str], tally: Tally) -> None:
    """Look into the store from outside."""
    tally.requests += len(received)
    connection = sqlite3.connect(store)
    try:
        [(verdict,)] = connection.execute("PRAGMA quick_check").fetchall()
        if verdict != "ok":
            tally.broken.append(verdict)
        if not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
            return  # killed before it had made its tables
        there = {id for (id,) in connection.execute("SELECT id FROM event")}
        recorded = "\n".join(text for (text,) in connection.execute("SELECT headers FROM attempt"))
        on_the_way = f"SELECT count(*) FROM delivery d WHERE {SENDING}"
        tally.interrupted += connection.execute(on_the_way).fetchone()[0]
    finally:
        connection.close()
    tally.lost |= accepted - there
    signatures = {str(request.header(SIGNATURE)) for request in received}
    tally.unrecorded |= {each for each in signatures if each not in recorded}


def finish(store: Path, receiver: Receiver, tally: Tally) -> Counter[DeliveryState]:
    """Let the sender do what is left, and count what was never received."""
    with MockSender(Setup(document=hookproof_spec.load("mobility-work"), store=store)) as sender:
        ends = time.monotonic() + 300
        while time.monotonic() < ends:
            sender.idle(10)
            counts = Counter(dict(sender.counts()))
            if counts[DeliveryState.DELIVERED] == counts.total():
                break
            time.sleep(0.05)
    seen = {marker_in(request.body) for request in receiver.received}
    tally.never_received = {id for id, marker in tally.markers.items() if marker not in seen}
    return counts


def marker_in(body: bytes) -> str:
    """Return the marker in a body."""
    value = payloads.decode(body)
    return str(pointers.get(value, "/sparePart/sparePartId")) if isinstance(value, dict) else ""


def play(rounds: int, seed: int, folder: Path) -> Tally:
    """Kill so many senders, and return what was counted."""
    source, tally = random.Random(seed), Tally()
    answering = random.Random(seed + 1)

    def answer(_: Received) -> Reply:
        draw = answering.random()
        time.sleep(0.02 if draw < 0.2 else 0)
        return Reply(500 if draw > 0.9 else 200)

    with receiving(answer) as receiver:
        store = folder / "sender.db"
        for number in range(rounds):
            one_round(store, receiver, tally, source)
            if rounds >= 50 and number % 25 == 24:
                print(tally.words(), flush=True)
        counts = finish(store, receiver, tally)
        if counts.total() != counts[DeliveryState.DELIVERED]:
            tally.broken.append(f"not all were delivered: {dict(counts)}")
    return tally


def main() -> int:
    """Play, print, and tell by the exit status whether nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(Path(asked.serve[0]), asked.serve[1], int(asked.serve[2]))
        return 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        tally = play(asked.rounds, asked.seed, Path(folder))
    print(tally.words())
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
