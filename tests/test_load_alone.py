"""What single requests tell before a load and after it; the receivers are in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hookproof.courier import Unreachable
from hookproof.effects import CallableProbe, ProbeError
from hookproof.load.alone import Quiet
from hookproof.load.mix import Kind
from hookproof.load.plan import PREFIX, Plan
from hookproof.load.session import Session
from hookproof.load.tally import Tally
from hookproof.miniatures.base import Miniature, RefusedError, Stamp
from hookproof.miniatures.broken_valid import ActsTwice
from hookproof.miniatures.serving import serve
from hookproof.watcher import Watcher
from support.loaded import SECRET, ForgetsNonces, TakesForgeries
from support.sockets import silent_port

NOW = 1.7e9


class IgnoresCopies(Miniature):
    """It acknowledges copies, and does not act on them."""

    replay_status = 200


class ActsTwiceAndIgnoresCopies(ActsTwice):
    """The same, and it acts on each event twice."""

    replay_status = 200


class ActsLate(Miniature):
    """It answers first, and acts a moment later."""

    def act(self, event: str) -> None:
        threading.Timer(0.1, super().act, [event]).start()


class NeverActs(Miniature):
    """It acknowledges, and does nothing."""

    def act(self, event: str) -> None:
        """Do nothing."""


class AsksForPatience(Miniature):
    """It is full."""

    def read(self, body: bytes) -> str:
        raise RefusedError(503)


class TakesOld(Miniature):
    """It does not look at the time."""

    def check_age(self, stamp: Stamp) -> None:
        """Take any age."""


class Bans(Miniature):
    """After so many events it refuses everything."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.banned = False

    def read(self, body: bytes) -> str:
        if self.banned:
            raise RefusedError(403)
        return super().read(body)


def plan(url: str, effects_url: str = "", limit: float = 5.0) -> Plan:
    variables = {"URL": url, "EFFECTS_URL": effects_url, "EFFECT_TIMEOUT": str(limit)}
    return Plan.read({PREFIX + name: value for name, value in variables.items()})


@contextmanager
def session(receiver: Miniature, *, counted: bool = True, limit: float = 5.0) -> Iterator[Session]:
    with serve(receiver) as served:
        one = Session.of(plan(served.url, served.effects_url if counted else "", limit), SECRET)
        yield one
        one.quiet.close()


def quiet(one: Session) -> Quiet:
    return one.quiet


@pytest.mark.parametrize(
    ("kind", "acts"),
    [
        (Miniature, set()),
        (IgnoresCopies, set()),
        (ActsTwiceAndIgnoresCopies, set()),
        (ActsLate, set()),
        (TakesForgeries, {Kind.FORGED}),
        (TakesOld, {Kind.STALE}),
        (ForgetsNonces, {Kind.REPLAYED}),
    ],
)
def test_single_requests_tell_what_is_acted_on(kind: type[Miniature], acts: set[Kind]) -> None:
    receiver = kind(SECRET)
    with session(receiver) as one:
        assert one.begin()
        assert quiet(one).acts == acts
        assert quiet(one).found == []


def test_without_a_probe_one_genuine_event_is_all() -> None:
    receiver = Miniature(SECRET)
    with session(receiver, counted=False) as one:
        assert one.begin()
        assert len(receiver.names) == 1


@pytest.mark.parametrize(
    ("receiver", "found", "status"),
    [
        (Miniature("another-secret-of-32-characters!"), "valid-refused-alone", 1),
        (NeverActs(SECRET), "valid-lost-alone", 1),
        (AsksForPatience(SECRET), "valid-refused-alone", 3),
    ],
    ids=["wrong secret", "never acts", "full"],
)
def test_load_that_would_tell_nothing_is_not_run(
    receiver: Miniature, found: str, status: int
) -> None:
    with session(receiver, limit=0.2) as one:
        assert not one.begin()
        one.settle()  # says nothing: there was no load
        loaded = one.finished(complete=True)
    assert [finding.id for finding in loaded.judged.findings] == [found]
    assert loaded.exit == status


def test_receiver_that_is_not_there_is_no_finding_against_it() -> None:
    with silent_port() as port:
        one = Session.of(plan(f"http://127.0.0.1:{port}/webhook"), SECRET)
        with pytest.raises(Unreachable):
            one.begin()


def test_probe_that_tells_no_effects_is_a_mistake() -> None:
    with serve(Miniature(SECRET)) as served:
        one = Session.of(plan(served.url, served.url), SECRET)
        with pytest.raises(ProbeError):
            one.begin()


def load(one: Session, receiver: Miniature, events: int, *, acted: int) -> None:
    """Count events as if users had sent them, and let the receiver act on some."""
    tally = Tally()
    for _ in range(events):
        tally.add(Kind.VALID, "200", 0.01, NOW)
    one.take(tally, 5)
    receiver.names += [f"hookproof-{number:016x}" for number in range(acted)]


@pytest.mark.parametrize(("acted", "lost", "doubled"), [(50, 0, 0), (47, 3, 0), (52, 0, 2)])
def test_effects_are_counted_without_our_own(acted: int, lost: int, doubled: int) -> None:
    receiver = Miniature(SECRET)
    with session(receiver, limit=0.2) as one:
        assert one.begin()
        load(one, receiver, 50, acted=acted)
        one.settle()
        loaded = one.finished(complete=True)
    assert loaded.effects is not None
    assert loaded.effects.had == acted
    assert (loaded.judged.lost, loaded.judged.doubled) == (lost, doubled)


class Slowly:
    """A clock that moves when somebody sleeps, and effects that come in with it, two a second."""

    def __init__(self, most: int) -> None:
        self.now = 0.0
        self.most = most

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def effects(self) -> int:
        return min(self.most, int(self.now * 2))


@pytest.mark.parametrize(("most", "waited"), [(20, 10.0), (12, 6.0)])
def test_effects_are_waited_for_as_long_as_they_come(most: int, waited: float) -> None:
    """Twenty are wanted; one may take a second, and all of them take ten."""
    slowly = Slowly(most)
    with session(Miniature(SECRET)) as one:
        one.quiet.watcher = Watcher(
            CallableProbe(slowly.effects),
            limit=1.0,
            sleep=slowly.sleep,
            monotonic=lambda: slowly.now,
        )
        assert one.quiet.settled(20) == most
    assert waited <= slowly.now <= waited + 3.0


def test_receiver_that_bans_after_the_load_is_told() -> None:
    receiver = Bans(SECRET)
    with session(receiver) as one:
        assert one.begin()
        load(one, receiver, 5, acted=5)
        receiver.banned = True
        one.settle()
        loaded = one.finished(complete=True)
    (finding,) = loaded.judged.findings
    assert finding.id == "valid-refused-afterwards"
    assert finding.found == "a single genuine event, sent after the load, got 403"
    assert loaded.effects is not None
    assert loaded.effects.had == 5


def test_receiver_that_is_gone_after_the_load_is_told() -> None:
    with serve(Miniature(SECRET)) as served:
        one = Session.of(plan(served.url), SECRET)
        assert one.begin()
    one.settle()
    (finding,) = one.finished(complete=True).judged.findings
    assert finding.id == "gone-afterwards"
    with pytest.raises(Unreachable):
        one.quiet.afterwards(0)
