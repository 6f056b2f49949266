"""The store: what is accepted is on disk, a file is one sender's, and bad files are told."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from hookproof_mockserver.hub import Hub
from hookproof_mockserver.model import DeliveryState, Fault, FaultKind
from hookproof_mockserver.sender import GENERATE
from hookproof_mockserver.sender_errors import Closed, Invalid, StoreError
from hookproof_mockserver.store import Store, lists, rows
from hookproof_mockserver.store.opening import FileLock
from hookproof_mockserver.store.schema import MIGRATIONS, VERSION
from hookproof_mockserver.store.writer import Transaction
from hookproof_spec.errors import HookproofError
from soak import kill_sender
from support.mock_making import mock_sender, only_delivery, settled
from support.mock_receiving import receiving, until

HELD = (Fault(kind=FaultKind.DELAY, seconds=600),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sender.db"


def test_everything_is_there_after_reopening(path: Path) -> None:
    with receiving() as receiver:
        with mock_sender(path) as sender:
            webhook = sender.register(url=receiver.url, secret=GENERATE, description="mine")
            part = sender.add_part(name="B", article_code="B", locations=(("Shelf", 1),))
            sender.set_plan("Premium")
            sender.consume(part.id, part.locations[0].id, 1)
            settled(sender)
            before = (sender.subscriptions(), sender.parts(), sender.events(), sender.deliveries())
            attempts = sender.attempts(before[3].items[0].id)
            counts = sender.counts()
        with mock_sender(path) as sender:
            after = (sender.subscriptions(), sender.parts(), sender.events(), sender.deliveries())
            assert after == before
            assert sender.attempts(before[3].items[0].id) == attempts
            assert sender.account.plan == "Premium"
            assert sender.counts() == counts
            sender.trigger()
            settled(sender)
    assert webhook.secrets.current is not None
    assert len(receiver.received) == 2


def test_an_accepted_event_is_on_disk_before_the_call_returns(path: Path) -> None:
    with mock_sender(path) as sender:
        sender.register(url="http://127.0.0.1:9/", secret=GENERATE, active=False)
        event = sender.trigger()
        other = sqlite3.connect(path)
        assert other.execute("SELECT body FROM event WHERE id = ?", (event.id,)).fetchall() == [
            (event.body,)
        ]
        other.close()


def test_commits_are_synced_to_the_disk(path: Path) -> None:
    store = Store(path, Hub())
    pragmas = store.write(
        lambda transaction: [
            transaction.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "foreign_keys")
        ]
    )
    store.close()
    assert pragmas == [2, "wal", 1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"this is a text, not a database" * 40, "file is not a database"),
        (b"SQLite format 3\0" + b"\xff" * 4_000, "store cannot be used"),
    ],
)
def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes, problem: str) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=problem) as caught:
        Store(path, Hub())
    assert "\n" not in str(caught.value)
    assert "--db" in caught.value.hint
    assert path.read_bytes() == content
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreError, match="a database of another program"):
        Store(path, Hub())
    assert path.read_bytes() == content


def test_a_later_version_is_refused(path: Path) -> None:
    Store(path, Hub()).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=f"has version {VERSION + 1}; this hookproof knows up to"):
        Store(path, Hub())


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        Store(tmp_path / "missing" / "sender.db", Hub())


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    Store(path, Hub()).close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_a_second_sender_on_the_same_file_is_refused(path: Path) -> None:
    with mock_sender(path):
        with pytest.raises(StoreError, match="another mock sender uses this store"):
            Store(path, Hub())
        program = (
            "import sys; from hookproof_mockserver.store import *; Store(Path(sys.argv[1]), Hub())"
        )
        other = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
        )
        assert "another mock sender uses this store" in other.stderr
    Store(path, Hub()).close()


def test_a_link_to_a_store_in_use_is_refused(path: Path) -> None:
    link = path.with_name("another-name")
    link.symlink_to(path)
    with mock_sender(link), pytest.raises(StoreError, match="another mock sender uses this store"):
        Store(path, Hub())
    Store(link, Hub()).close()


def test_a_lock_file_that_is_left_over_hinders_nobody(path: Path) -> None:
    left = path.with_name(path.name + "-lock")
    left.touch()
    lock = FileLock(path)
    assert left.exists()
    lock.free()
    assert not left.exists()


def test_only_its_owner_can_read_a_store(path: Path) -> None:
    store = Store(path, Hub())
    store.write(lambda transaction: transaction.tell("account", ""))
    files = list(path.parent.iterdir())
    modes = {each.name: each.stat().st_mode & 0o777 for each in files}
    store.close()
    assert len(files) == 4
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("name", [".", "", "/", ".."])
def test_a_folder_is_no_store(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="Is a directory"):
        Store(Path(name), Hub())
    assert list(tmp_path.iterdir()) == []


def add(value: int) -> object:
    def write(transaction: Transaction) -> int:
        transaction.connection.execute(
            "INSERT INTO account (id, plan) VALUES (1, ?)", (str(value),)
        )
        if value < 0:
            raise ValueError(value)
        return value

    return write


@pytest.mark.parametrize("memory", [True, False])
def test_one_that_fails_takes_nothing_with_it(path: Path, memory: bool) -> None:
    store = Store(None if memory else path, Hub())
    with pytest.raises(ValueError, match="-1"):
        store.write(add(-1))  # type: ignore[arg-type]
    assert store.write(add(2)) == 2  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="UNIQUE constraint failed"):
        store.write(add(3))  # type: ignore[arg-type]
    with store.reading() as connection:
        assert connection.execute("SELECT plan FROM account").fetchall() == [("2",)]
    store.close()
    with pytest.raises(Closed):
        store.write(add(4))  # type: ignore[arg-type]


def test_what_waits_is_committed_together(path: Path) -> None:
    store = Store(path, Hub())
    holding, held = threading.Event(), threading.Event()
    commits: list[int] = []

    def hold(_: Transaction) -> None:
        held.set()
        holding.wait(30)

    def note(transaction: Transaction) -> None:
        commits.append(transaction.connection.total_changes)

    threads = [threading.Thread(target=store.write, args=(hold,))]
    threads[0].start()
    held.wait(30)
    threads += [threading.Thread(target=store.write, args=(note,)) for _ in range(50)]
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(store._writer._asked) == 50)
    transactions: list[str] = []
    store._connection.set_trace_callback(transactions.append)
    holding.set()
    for thread in threads:
        thread.join()
    store.close()
    assert len(commits) == 50
    assert Counter(transactions)["COMMIT"] == 2


def test_counts_are_those_of_the_table(path: Path) -> None:
    with receiving() as receiver, mock_sender(path) as sender:
        webhook = sender.register(url=receiver.url, secret=GENERATE)
        for _ in range(5):
            sender.trigger()
        settled(sender)
        held = sender.trigger(faults=HELD)
        sender.cancel(only_delivery(sender, held).id)
        sender.trigger(faults=HELD)
        sender.remove(webhook.id)
        counts = sender.counts()
        with sender._store.reading() as connection:
            table = dict(connection.execute("SELECT state, count(*) FROM delivery GROUP BY 1"))
    assert {rows.STATES[state]: count for state, count in table.items()} == {
        state: count for state, count in counts.items() if count
    }
    assert counts[DeliveryState.CANCELLED] == 2


def test_pages_hold_everything_once_in_order() -> None:
    with mock_sender() as sender:
        url = "http://127.0.0.1:9/"
        first = sender.register(url=url, secret=GENERATE)
        sender.register(url=url + "other", secret=GENERATE)
        sender.set_plan("Ultimate")
        events = [sender.trigger(faults=HELD) for _ in range(23)]
        for event in events[::3]:
            [mine] = [
                d for d in sender.deliveries(event=event.id).items if d.subscription_id == first.id
            ]
            sender.cancel(mine.id)
        whole = sender.deliveries(limit=500).items
        assert len(whole) == 46
        for limit in (1, 7, 46):
            assert paged(lambda after, n=limit: sender.deliveries(after=after, limit=n)) == whole
        mine_all = [d for d in whole if d.subscription_id == first.id]
        assert mine_all == list(
            paged(lambda after: sender.deliveries(after=after, limit=4, subscription=first.id))
        )
        cancelled = [d for d in whole if d.state is DeliveryState.CANCELLED]
        assert cancelled == list(
            paged(
                lambda after: sender.deliveries(
                    after=after, limit=3, state=DeliveryState.CANCELLED, subscription=first.id
                )
            )
        )
        assert tuple(reversed(events)) == paged(lambda after: sender.events(after=after, limit=5))
        assert [d.event_id for d in sender.deliveries(text=events[4].id.upper()).items] == [
            events[4].id
        ] * 2
        with pytest.raises(Invalid, match="no delivery 'dlv_x' to continue after"):
            sender.deliveries(after="dlv_x")
        with pytest.raises(Invalid, match="a number from 1 to 500"):
            sender.deliveries(limit=0)


def paged(ask: object) -> tuple[object, ...]:
    found: list[object] = []
    after: str | None = None
    while True:
        page = ask(after)  # type: ignore[operator]
        found += page.items
        after = page.after
        if after is None:
            return tuple(found)


def test_a_text_is_looked_for_a_piece_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LOOKED_INTO", 4)
    with mock_sender() as sender:
        sender.register(url="http://127.0.0.1:9/", secret=GENERATE)
        events = [sender.trigger(faults=HELD) for _ in range(11)]
        first = sender.deliveries(text=events[0].id)
        assert first.items == ()
        assert first.after is not None
        found = paged(lambda after: sender.deliveries(after=after, text=events[0].id))
        assert found == sender.deliveries(event=events[0].id).items
        everything = paged(lambda after: sender.deliveries(after=after, limit=3, text="sparepart"))
        assert everything == sender.deliveries(limit=500).items


def test_text_from_users_is_never_sql() -> None:
    with mock_sender() as sender:
        sender.register(url="http://127.0.0.1:9/'%22", secret=GENERATE, description="'; DROP --")
        sender.trigger(faults=HELD)
        for text in ("'", "%", "_x_", '"', "\\", "' OR 1=1 --"):
            expected = 1 if text == "'" else 0
            found = sender.deliveries(text=text).items
            assert len(found) == expected or text in ("%", "\\"), text


SMALL = ("SCAN account", "SCAN subscription")


def test_no_listing_walks_the_whole_table(path: Path) -> None:
    """A plan that scans a table from end to end, or sorts, would be slow with a million rows."""
    with mock_sender(path) as sender:
        sender.register(url="http://127.0.0.1:9/", secret=GENERATE)
        asked: list[str] = []
        with sender._store.reading() as connection:
            connection.set_trace_callback(asked.append)
        event = sender.trigger(faults=HELD)
        webhook = sender.subscriptions()[0].id
        for state in (None, DeliveryState.FAILED):
            sender.deliveries(state=state)
            sender.deliveries(state=state, subscription=webhook)
            sender.deliveries(state=state, event=event.id)
        sender.attempts(only_delivery(sender, event).id)
        sender.events()
        questions = [sql for sql in asked if sql.lstrip().startswith("SELECT")]
        with sender._store.reading() as connection:
            connection.set_trace_callback(None)
            plans = {
                row[3]
                for sql in questions
                for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
            }
    assert len(questions) > 10
    slow = [plan for plan in plans if plan.startswith("SCAN") and not plan.startswith(SMALL)]
    assert slow == []
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def test_a_killed_sender_loses_nothing(tmp_path: Path) -> None:
    tally = kill_sender.play(3, random.randrange(1 << 30), tmp_path)
    assert tally.good, tally.words()
    assert tally.rounds == 3


def test_a_damaged_file_is_told_not_raised(path: Path) -> None:
    with mock_sender(path) as sender:
        sender.register(url="http://127.0.0.1:9/", secret=GENERATE)
        for _ in range(50):
            sender.trigger(faults=HELD)
    whole = path.read_bytes()
    path.write_bytes(whole[:8_192] + b"\xff" * (len(whole) - 8_192))
    with pytest.raises(StoreError, match="the store cannot be used") as caught:
        Store(path, Hub())
    assert "\n" not in str(caught.value)
    assert not path.with_name(path.name + "-lock").exists()


def test_a_disk_error_is_told_to_whoever_asked(path: Path) -> None:
    store = Store(path, Hub())
    store.write(lambda t: t.connection.execute("PRAGMA max_page_count = 60") and None)
    big = "x" * 1_000_000
    with pytest.raises(HookproofError, match="database or disk is full"):
        store.write(lambda t: t.connection.execute("INSERT INTO account VALUES (1, ?)", (big,)))
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)
    store.close()
