"""Server-sent events of the mock sender: what they say, and when they end."""

from __future__ import annotations

import json
import threading
import time

import pytest

from hookproof_mockserver.hub import CAPACITY, Change, Hub
from hookproof_mockserver.problems import Refused
from hookproof_mockserver.stream import Limits, Streams

AT = 1_772_359_200.0
PATIENCE = 20.0


def streams(hub: Hub, **limits: float) -> Streams:
    return Streams(hub, Limits(**{"heartbeat": PATIENCE, **limits}))  # type: ignore[arg-type]


def delivery(number: int) -> Change:
    return Change("delivery", f"dlv_{number}", AT)


def test_change_becomes_one_event() -> None:
    hub = Hub()
    stream = streams(hub).open()
    hub.tell([delivery(1)])
    assert next(stream) == b"retry: 1000\n\n"
    lines = next(stream).decode().split("\n")
    assert lines[:2] == ["id: 1", "event: delivery"]
    assert json.loads(lines[2].removeprefix("data: ")) == {
        "kind": "delivery",
        "id": "dlv_1",
        "at": "2026-03-01T10:00:00.000Z",
    }
    assert lines[3:] == ["", ""]


def test_ids_of_events_count_up() -> None:
    hub = Hub()
    stream = streams(hub).open()
    hub.tell(map(delivery, range(3)))
    next(stream)
    assert [next(stream).split(b"\n")[0] for _ in range(3)] == [b"id: 1", b"id: 2", b"id: 3"]


def test_silence_is_filled_with_comments() -> None:
    stream = streams(Hub(), heartbeat=0.01).open()
    next(stream)
    assert next(stream) == next(stream) == b": here\n\n"


def test_slow_reader_is_told_what_it_missed() -> None:
    hub = Hub()
    stream = streams(hub).open()
    next(stream)
    hub.tell(map(delivery, range(CAPACITY + 50)))
    assert next(stream).startswith(b"event: missed\n")
    assert next(stream).startswith(b"id: 1\n")
    assert b"dlv_51" in next(stream)


def test_closing_ends_streams_that_wait() -> None:
    every = streams(Hub())
    stream = every.open()
    next(stream)
    ended = threading.Event()

    def read() -> None:
        list(stream)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    every.close()
    assert ended.wait(PATIENCE)


def test_closed_hub_ends_its_streams() -> None:
    hub = Hub()
    stream = streams(hub).open()
    hub.close()
    assert next(iter(stream)) == b"retry: 1000\n\n"


def test_no_stream_opens_after_closing() -> None:
    every = streams(Hub())
    every.close()
    with pytest.raises(Refused):
        every.open()


def test_streams_are_bounded_in_number() -> None:
    hub = Hub()
    every = streams(hub, most=2)
    first = every.open()
    every.open()
    with pytest.raises(Refused) as refused:
        every.open()
    assert refused.value.refusal.kind.status == 503
    assert refused.value.refusal.headers == {"Retry-After": "5"}
    first.close()
    every.open()


def test_closed_stream_leaves_the_hub() -> None:
    hub = Hub()
    stream = streams(hub).open()
    assert hub
    stream.close()
    assert not hub


def test_stream_ends_at_its_longest() -> None:
    started = time.monotonic()
    stream = streams(Hub(), longest=0.05, heartbeat=0.01).open()
    assert list(stream)
    assert time.monotonic() - started >= 0.05
