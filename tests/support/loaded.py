"""Receivers to be loaded, right and wrong, each served by a process of its own.

    python loaded.py NAME [SECRET]

It prints its URL, and serves until its standard input is closed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hookproof.miniatures.base import Miniature, Stamp
from hookproof.miniatures.serving import serve
from hookproof_spec.request import Request

SECRET = "a-secret-of-32-characters-length"
QUIET = 20
"""So many events are received rightly: what shows under load alone does not show before it."""
EVERY = 5


class TakesForgeries(Miniature):
    """It verifies nothing."""

    def verify(self, request: Request, stamp: Stamp) -> None:
        """Take whatever comes."""


class ForgetsNonces(Miniature):
    """It acts on copies again."""

    def claim(self, stamp: Stamp, body: bytes) -> bool:
        """Take every nonce for a new one."""
        return True


class Counting(Miniature):
    """A receiver whose bug shows in every fifth event, and not in the first twenty."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.counting = threading.Lock()
        self.events = 0

    def is_a_fifth(self) -> bool:
        with self.counting:
            self.events += 1
            return self.events > QUIET and self.events % EVERY == 0


class LosesEvents(Counting):
    """Its queue is full now and then, and it acknowledges all the same."""

    def act(self, event: str) -> None:
        if not self.is_a_fifth():
            super().act(event)


class ActsTwice(Counting):
    """It does its work twice now and then."""

    def act(self, event: str) -> None:
        super().act(event)
        if self.is_a_fifth():
            super().act(event)


RECEIVERS: dict[str, type[Miniature]] = {
    kind.__name__: kind
    for kind in (
        Miniature,
        TakesForgeries,
        ForgetsNonces,
        LosesEvents,
        ActsTwice,
    )
}


@dataclass(frozen=True)
class Listening:
    """A receiver in another process."""

    url: str
    effects_url: str


@contextmanager
def receiver(kind: type[Miniature] = Miniature, secret: str = SECRET) -> Iterator[Listening]:
    """Serve one; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, Path(__file__), kind.__name__],
        env={**os.environ, "SECRET": secret, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url, effects_url = process.stdout.readline().split()
        yield Listening(url, effects_url)
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def main() -> None:
    with serve(RECEIVERS[sys.argv[1]](os.environ["SECRET"])) as served:
        print(served.url, served.effects_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
