"""Nonce stores: one table of expectations for every kind, and races between real processes."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookproof.nonces import (
    FORGET_AT_ONCE,
    Claim,
    MemoryNonceStore,
    NonceStore,
    NonceStoreError,
    SqliteNonceStore,
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


class TestMemoryNonceStore(NonceStoreContract):
    @pytest.fixture
    def store(self) -> NonceStore:
        return MemoryNonceStore()

    def test_ended_nonces_leave_the_memory(self) -> None:
        store = MemoryNonceStore()
        for second in range(1_000):
            claim(store, f"nonce-{second}", now=NOW + second, until=NOW + second + 10)
        assert len(store) <= 12


class TestSqliteNonceStore(NonceStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[NonceStore]:
        with SqliteNonceStore(tmp_path / "nonces.db") as store:
            yield store

    def test_a_nonce_survives_a_restart(self, tmp_path: Path) -> None:
        for expected in (Claim.GRANTED, Claim.SPENT):
            with SqliteNonceStore(tmp_path / "nonces.db") as store:
                assert claim(store, "a") is expected
                store.commit("a")

    def test_ended_nonces_leave_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "nonces.db"
        with SqliteNonceStore(path) as store:
            for second in range(300):
                claim(store, f"nonce-{second}", now=NOW + second, until=NOW + second + 10)
        with closing(sqlite3.connect(path)) as database:
            (left,) = database.execute("SELECT count(*) FROM nonce").fetchone()
        assert left <= 12

    def test_threads_that_come_and_go_share_connections(self, tmp_path: Path) -> None:
        with SqliteNonceStore(tmp_path / "nonces.db") as store:
            for number in range(20):
                with ThreadPoolExecutor(1) as pool:
                    assert pool.submit(claim, store, str(number)).result() is Claim.GRANTED
            assert sum(map(len, store._idle.values())) == 1

    def test_a_closed_store_refuses_to_work(self, tmp_path: Path) -> None:
        store = SqliteNonceStore(tmp_path / "nonces.db")
        store.close()
        with pytest.raises(NonceStoreError, match="closed"):
            claim(store, "a")

    def test_a_path_without_directory_is_explained(self, tmp_path: Path) -> None:
        with pytest.raises(NonceStoreError) as caught:
            SqliteNonceStore(tmp_path / "missing" / "nonces.db")
        assert caught.value.where == str(tmp_path / "missing" / "nonces.db")
        assert "existing directory" in caught.value.hint

    def test_a_file_of_another_kind_is_left_alone(self, tmp_path: Path) -> None:
        text, table = tmp_path / "text", tmp_path / "table.db"
        text.write_text("something dear to somebody " * 100)
        with closing(sqlite3.connect(table)) as database:
            database.execute("CREATE TABLE orders (id INTEGER)")
        for path in (text, table):
            before = path.read_bytes()
            with pytest.raises(NonceStoreError):
                SqliteNonceStore(path)
            assert path.read_bytes()[100:] == before[100:]

    def test_a_database_in_memory_is_refused(self) -> None:
        with pytest.raises(NonceStoreError, match="not shared"):
            SqliteNonceStore(":memory:")


RACER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from hookproof.nonces import Claim, SqliteNonceStore
path, count = sys.argv[1], int(sys.argv[2])
sys.stdin.readline()
with SqliteNonceStore(path) as store, ThreadPoolExecutor(4) as pool:
    claim = lambda n: store.claim(n, now=0, until=10)
    nonces = [str(number) for number in range(count) for _ in range(4)]
    won = [n for n, claim in zip(nonces, pool.map(claim, nonces)) if claim is Claim.GRANTED]
print(json.dumps(won))
"""


def test_processes_racing_for_a_nonce_have_one_winner(tmp_path: Path) -> None:
    count = 100
    racers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RACER, str(tmp_path / "nonces.db"), str(count)],
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
    assert sorted(won) == sorted(map(str, range(count)))


FORKER = """
import os, sys
from hookproof.nonces import Claim, SqliteNonceStore
with SqliteNonceStore(sys.argv[1]) as store:
    grants = []
    assert store.claim("before", now=0, until=10) is Claim.GRANTED
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            assert store.claim("before", now=0, until=10) is Claim.IN_FLIGHT
            granted = store.claim("after", now=0, until=10) is Claim.GRANTED
            assert [len(pool) for pool in store._idle.values()] == [1, 1]
            os._exit(int(granted))
        children.append(child)
    grants = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(grants) == [0, 0, 0, 1], grants
    assert store.claim("after", now=0, until=10) is Claim.IN_FLIGHT
"""


def test_forked_processes_share_a_store(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FORKER, str(tmp_path / "nonces.db")]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


KILLED = """
import os, sys
from hookproof.nonces import SqliteNonceStore
store = SqliteNonceStore(sys.argv[1])
store.claim("spent", now=0, until=10)
store.commit("spent")
store.claim("unfinished", now=0, until=10)
os.kill(os.getpid(), 9)
"""


def test_a_killed_process_leaves_its_claim_in_flight(tmp_path: Path) -> None:
    path = tmp_path / "nonces.db"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60, check=False)
    with SqliteNonceStore(path) as store:
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


@given(steps)
@settings(deadline=None)
def test_memory_store_behaves_like_a_table(played: list[Step]) -> None:
    assert history(MemoryNonceStore(), played) == expected_history(played)


@given(steps)
@settings(deadline=None, max_examples=40)
def test_sqlite_store_behaves_like_a_table(played: list[Step]) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        SqliteNonceStore(Path(directory) / "nonces.db") as store,
    ):
        assert history(store, played) == expected_history(played)
