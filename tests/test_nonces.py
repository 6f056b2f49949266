"""Nonce stores in memory and in a file, and races between real processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given, settings

from hookproof.nonces import (
    Claim,
    MemoryNonceStore,
    NonceStore,
    NonceStoreError,
    SqliteNonceStore,
    TemporaryNonceStore,
)
from support.nonce_contract import (
    KILLED,
    NOW,
    RACES,
    SQLITE,
    NonceStoreContract,
    Step,
    assert_left_by_the_killed,
    claim,
    expected_history,
    history,
    steps,
    winners,
)


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


class TestTemporaryNonceStore(NonceStoreContract):
    @pytest.fixture
    def store(self) -> Iterator[NonceStore]:
        with TemporaryNonceStore() as store:
            yield store

    def test_ended_nonces_leave_the_file(self) -> None:
        with TemporaryNonceStore() as store:
            for second in range(300):
                claim(store, f"nonce-{second}", now=NOW + second, until=NOW + second + 10)
            (left,) = store._database.execute("SELECT count(*) FROM nonce").fetchone()
        assert left <= 12

    def test_a_closed_store_refuses_to_work(self) -> None:
        store = TemporaryNonceStore()
        store.close()
        with pytest.raises(NonceStoreError, match="closed"):
            claim(store, "a")

    @pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
    def test_memory_stays_as_it_was_however_many_there_are(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", FILLER]
        variables = {**os.environ, "SQLITE_TMPDIR": str(tmp_path)}
        finished = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=60, check=False
        )
        few, many, *files = finished.stdout.splitlines()
        assert int(many) - int(few) < 3_000, "KiB for 10,000 nonces of 1,000 letters"
        assert {Path(file).parent for file in files} == {tmp_path}
        assert list(tmp_path.iterdir()) == []


FILLER = """
import os, sys
from hookproof.nonces import TemporaryNonceStore
def memory():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    print(line.split()[1])
store = TemporaryNonceStore()
for number in range(20_000):
    if number == 10_000:
        memory()
    store.claim(f"{number:01000}", now=0, until=300)
memory()
for file in os.scandir("/proc/self/fd"):
    if os.path.islink(file.path) and "etilqs" in os.readlink(file.path):
        print(os.readlink(file.path))
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""


def test_processes_racing_for_a_nonce_in_a_file_have_one_winner(tmp_path: Path) -> None:
    assert sorted(winners(SQLITE, str(tmp_path / "nonces.db"))) == sorted(map(str, range(RACES)))


OPENER = """
import sys, time
from hookproof.nonces import SqliteNonceStore
for line in sys.stdin:
    begin, _, path = line.strip().partition(" ")
    while time.time() < float(begin):
        pass
    with SqliteNonceStore(path) as store:
        store.claim("a", now=0, until=10)
    print("opened", flush=True)
"""


def test_processes_that_make_the_same_file_at_once_all_open_it(tmp_path: Path) -> None:
    # Workers of one server begin together. SQLite does not wait where two switch a file's journal.
    command = [sys.executable, "-W", "error", "-c", OPENER]
    with ExitStack() as ending:
        openers = [
            ending.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]
        for number in range(60):
            begin = time.time() + 0.005
            for opener in openers:
                print(begin, tmp_path / str(number), file=opener.stdin, flush=True)
            for opener in openers:
                assert opener.stdout is not None
                assert opener.stdout.readline() == "opened\n"


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


def test_a_killed_process_leaves_its_claim_in_flight(tmp_path: Path) -> None:
    path = tmp_path / "nonces.db"
    subprocess.run([sys.executable, "-c", KILLED, SQLITE, str(path)], timeout=60, check=False)
    with SqliteNonceStore(path) as store:
        assert_left_by_the_killed(store)


@given(steps)
@settings(deadline=None)
def test_memory_store_behaves_like_a_table(played: list[Step]) -> None:
    assert history(MemoryNonceStore(), played) == expected_history(played)


@given(steps)
@settings(deadline=None, max_examples=40)
def test_temporary_store_behaves_like_a_table(played: list[Step]) -> None:
    with TemporaryNonceStore() as store:
        assert history(store, played) == expected_history(played)


@given(steps)
@settings(deadline=None, max_examples=40)
def test_sqlite_store_behaves_like_a_table(played: list[Step]) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        SqliteNonceStore(Path(directory) / "nonces.db") as store,
    ):
        assert history(store, played) == expected_history(played)
