"""What holds for every kind of nonce store, whoever uses it: threads, processes, those killed."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import strategies as st

from hookproof.nonces import (
    FORGET_AT_ONCE,
    Claim,
    NonceStore,
    settling,
)

NOW = 1_700_000_000.0
END = NOW + 300


def claim(store: NonceStore, nonce: str, *, now: float = NOW, until: float = END) -> Claim:
    return store.claim(nonce, now=now, until=until)


class NonceStoreContract:
    """What holds for every kind of store; each kind gives the fixture `store`."""

    def test_a_new_nonce_is_granted_once(self, store: NonceStore) -> None:
        assert claim(store, "a") is Claim.GRANTED
        assert claim(store, "a") is Claim.IN_FLIGHT

    def test_a_committed_nonce_is_spent(self, store: NonceStore) -> None:
        claim(store, "a")
        store.commit("a")
        assert claim(store, "a") is Claim.SPENT

    def test_a_released_nonce_is_new_again(self, store: NonceStore) -> None:
        claim(store, "a")
        store.release("a")
        assert claim(store, "a") is Claim.GRANTED

    def test_a_committed_nonce_cannot_be_released(self, store: NonceStore) -> None:
        claim(store, "a")
        store.commit("a")
        store.release("a")
        assert claim(store, "a") is Claim.SPENT

    def test_settling_unknown_nonces_does_nothing(self, store: NonceStore) -> None:
        store.commit("a")
        store.release("b")
        assert claim(store, "a") is Claim.GRANTED
        assert claim(store, "b") is Claim.GRANTED

    def test_nonces_count_whole(self, store: NonceStore) -> None:
        long = "0" * 5_000
        texts = [long, long + "1", long + "2", "É", "é", "é\0", "'; --", "\ud800", ""]
        assert {claim(store, text) for text in texts} == {Claim.GRANTED}

    def test_a_nonce_is_kept_to_its_last_moment(self, store: NonceStore) -> None:
        claim(store, "a")
        store.commit("a")
        assert claim(store, "a", now=END) is Claim.SPENT
        assert claim(store, "a", now=END + 0.001, until=END + 300) is Claim.GRANTED

    def test_an_unfinished_claim_ends_with_its_time(self, store: NonceStore) -> None:
        claim(store, "a")
        assert claim(store, "a", now=END) is Claim.IN_FLIGHT
        assert claim(store, "a", now=END + 2, until=END + 300) is Claim.GRANTED

    def test_a_later_copy_prolongs_the_memory(self, store: NonceStore) -> None:
        claim(store, "a", until=NOW + 10)
        store.commit("a")
        assert claim(store, "a", until=NOW + 100) is Claim.SPENT
        assert claim(store, "a", now=NOW + 50, until=NOW + 20) is Claim.SPENT
        assert claim(store, "a", now=NOW + 100, until=NOW + 100) is Claim.SPENT

    def test_an_endless_nonce_is_never_forgotten(self, store: NonceStore) -> None:
        claim(store, "a", until=math.inf)
        store.commit("a")
        assert claim(store, "a", now=NOW * 1_000, until=math.inf) is Claim.SPENT

    def test_numbers_alone_make_nothing_forgotten(self, store: NonceStore) -> None:
        claim(store, "first")
        store.commit("first")
        for number in range(1_500):
            claim(store, f"other-{number}")
        assert claim(store, "first") is Claim.SPENT

    def test_many_ended_nonces_are_all_new_again(self, store: NonceStore) -> None:
        nonces = [f"nonce-{number}" for number in range(FORGET_AT_ONCE + 50)]
        for nonce in nonces:
            claim(store, nonce, until=NOW + 1)
        again = {claim(store, nonce, now=NOW + 5) for nonce in reversed(nonces)}
        assert again == {Claim.GRANTED}

    def test_success_settles_a_claim_as_spent(self, store: NonceStore) -> None:
        claim(store, "a")
        with settling(store, "a"):
            assert claim(store, "a") is Claim.IN_FLIGHT
        assert claim(store, "a") is Claim.SPENT

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_failure_settles_a_claim_as_new(
        self, store: NonceStore, error: type[BaseException]
    ) -> None:
        claim(store, "a")
        with pytest.raises(error), settling(store, "a"):
            raise error
        assert claim(store, "a") is Claim.GRANTED

    def test_threads_racing_for_a_nonce_have_one_winner(self, store: NonceStore) -> None:
        nonces = [str(number) for number in range(40)] * 8
        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda nonce: (nonce, claim(store, nonce)), nonces))
        winners = Counter(nonce for nonce, result in claims if result is Claim.GRANTED)
        assert winners == Counter(set(nonces))


SQLITE = "SqliteNonceStore"
REDIS = "RedisNonceStore"

RACES = 100
RACER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from hookproof.nonces import Claim, SqliteNonceStore
from hookproof.nonces_redis import RedisNonceStore
kind, place, count = globals()[sys.argv[1]], sys.argv[2], int(sys.argv[3])
sys.stdin.readline()
with kind(place) as store, ThreadPoolExecutor(4) as pool:
    claim = lambda n: store.claim(n, now=0, until=10)
    nonces = [str(number) for number in range(count) for _ in range(4)]
    won = [n for n, claim in zip(nonces, pool.map(claim, nonces)) if claim is Claim.GRANTED]
print(json.dumps(won))
"""


def winners(kind: str, place: str) -> list[str]:
    """Race three processes of four threads for the same nonces; return every claim granted."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RACER, kind, place, str(RACES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        if racer.stdin is not None:
            racer.stdin.write("go\n")
            racer.stdin.flush()
    won: list[str] = []
    for racer in racers:
        won += json.loads(racer.communicate(timeout=60)[0])
        assert racer.returncode == 0
    return won


KILLED = """
import os, sys
from hookproof.nonces import SqliteNonceStore
from hookproof.nonces_redis import RedisNonceStore
store = globals()[sys.argv[1]](sys.argv[2])
store.claim("spent", now=0, until=10)
store.commit("spent")
store.claim("unfinished", now=0, until=10)
os.kill(os.getpid(), 9)
"""


def assert_left_by_the_killed(store: NonceStore) -> None:
    assert claim(store, "spent", now=5, until=10) is Claim.SPENT
    assert claim(store, "unfinished", now=5, until=10) is Claim.IN_FLIGHT
    assert claim(store, "unfinished", now=11, until=20) is Claim.GRANTED


Step = tuple[str, str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["claim", "claim", "commit", "release"]),
        st.sampled_from("abc"),
        st.integers(0, 3),
        st.integers(0, 6),
    ),
    max_size=30,
)


def history(store: NonceStore, played: list[Step]) -> list[Claim]:
    """Play steps (what, nonce, seconds passed, seconds of life); return what claims were told."""
    told: list[Claim] = []
    now = 0
    for what, nonce, passed, life in played:
        now += passed
        match what:
            case "claim":
                told.append(store.claim(nonce, now=now, until=now + life))
            case "commit":
                store.commit(nonce)
            case _:
                store.release(nonce)
    return told


def expected_history(played: list[Step]) -> list[Claim]:
    """Tell the same from a plain table of nonce -> (end, spent)."""
    told: list[Claim] = []
    table: dict[str, tuple[int, bool]] = {}
    now = 0
    for what, nonce, passed, life in played:
        now += passed
        end, spent = table.get(nonce, (-1, False))
        if what == "claim" and end < now:
            table[nonce] = (now + life, False)
            told.append(Claim.GRANTED)
        elif what == "claim":
            table[nonce] = (max(end, now + life), spent)
            told.append(Claim.SPENT if spent else Claim.IN_FLIGHT)
        elif nonce in table and what == "commit":
            table[nonce] = (end, True)
        elif nonce in table and not spent:
            del table[nonce]
    return told
