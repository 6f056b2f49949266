"""Stock that runs out brings one event about for each crossing to zero, however many consume."""

from __future__ import annotations

import threading
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from hookproof_mockserver.model import Event, Location, Part, Source
from hookproof_mockserver.sender import MockSender, Setup
from hookproof_mockserver.sender_errors import Conflict, Invalid, NotFound, StockError
from hookproof_mockserver.stock import Movement, payload, runs_out, written
from hookproof_spec import load, payloads
from support.mock_making import document, mock_sender

SHELF = (("Shelf 7", 3), ("Van", 1))


def test_consuming_the_last_brings_an_event_about() -> None:
    with mock_sender() as sender:
        part = sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)
        shelf = part.locations[0]
        left, nothing = sender.consume(part.id, shelf.id, 2)
        empty, event = sender.consume(part.id, shelf.id, 1)
    assert (left.locations[0].quantity, nothing) == (1, None)
    assert (empty.locations[0].quantity, empty.quantity) == (0, 1)
    assert event is not None
    assert event.source is Source.CONSUMPTION
    told = payloads.decode(event.body)
    assert isinstance(told, dict)
    assert told["sparePart"] == {
        "sparePartId": part.id,
        "name": "Bearing",
        "articleCode": "BRG-1",
    }
    assert told["stock"] == {"location": {"locationId": shelf.id, "name": "Shelf 7"}}
    assert told["_date"] == cast("dict[str, object]", told["movement"])["on"]
    assert payloads.validate(document().webhook(), event.body) == ()


def test_a_stock_update_to_zero_tells_once() -> None:
    with mock_sender() as sender:
        part = sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)
        shelf = part.locations[0].id
        _, first = sender.set_stock(part.id, shelf, 0)
        _, again = sender.set_stock(part.id, shelf, 0)
        _, filled = sender.set_stock(part.id, shelf, 2)
        _, second = sender.set_stock(part.id, shelf, 0)
        assert len(sender.events().items) == 2
    assert first is not None
    assert first.source is Source.STOCK_UPDATE
    assert second is not None
    assert (again, filled) == (None, None)


def test_consuming_more_than_there_is_says_how_much_there_is() -> None:
    with mock_sender() as sender:
        part = sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)
        with pytest.raises(Conflict, match="there are 3 at 'Shelf 7'"):
            sender.consume(part.id, part.locations[0].id, 4)
        assert sender.part(part.id) == part
        assert sender.events().items == ()


@pytest.mark.parametrize("quantity", [0, -1, 10**10])
def test_what_is_no_quantity_is_refused(quantity: int) -> None:
    with mock_sender() as sender:
        part = sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)
        with pytest.raises(Invalid, match="a quantity is from 1 to"):
            sender.consume(part.id, part.locations[0].id, quantity)


def test_mistyped_ids_are_told_with_the_nearest() -> None:
    with mock_sender() as sender:
        part = sender.add_part(id="bearing", name="B", article_code="B", locations=SHELF)
        with pytest.raises(NotFound, match="did you mean bearing"):
            sender.consume("baering", part.locations[0].id, 1)
        with pytest.raises(NotFound, match="no location"):
            sender.consume(part.id, "loc_x", 1)
        with pytest.raises(Conflict, match="there is a part 'bearing' already"):
            sender.add_part(id="bearing", name="B", article_code="B", locations=SHELF)


def test_a_plan_without_webhooks_tells_nothing() -> None:
    with mock_sender(plan="Starter") as sender:
        part = sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)
        empty, event = sender.set_stock(part.id, part.locations[0].id, 0)
    assert (empty.locations[0].quantity, event) == (0, None)


def test_a_document_without_stock_refuses_parts() -> None:
    assert document().webhook().stock
    with mock_sender(document=load("github")) as sender:
        assert not sender.has_stock
        with pytest.raises(StockError, match="no webhook of github tells of stock"):
            sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)


def test_parts_can_be_removed() -> None:
    with mock_sender() as sender:
        part = sender.add_part(name="Bearing", article_code="BRG-1", locations=SHELF)
        assert sender.parts() == (part,)
        sender.remove_part(part.id)
        assert sender.parts() == ()
        with pytest.raises(NotFound):
            sender.remove_part(part.id)


@given(st.integers(0, 9), st.integers(0, 9))
def test_only_the_way_down_to_zero_counts(before: int, after: int) -> None:
    assert runs_out(before, after) == (before != 0 and after == 0)


@given(st.floats(0, 4e9))
def test_moments_are_written_as_the_schema_wants_them(moment: float) -> None:
    place = Location(id="l", name="l", quantity=1)
    part = Part(id="p", name="p", article_code="a", locations=(place,))
    body = payloads.encode(payload(document().webhook(), Movement(part, place, moment)))
    assert payloads.validate(document().webhook(), body) == ()
    assert written(moment).endswith("Z")


@pytest.mark.parametrize("consumers", [2, 16])
def test_consumers_at_once_tell_of_each_crossing_once(consumers: int) -> None:
    with mock_sender() as sender:
        part = sender.add_part(
            name="Bearing", article_code="B", locations=(("Shelf", consumers * 3),)
        )
        shelf = part.locations[0].id
        told: list[Event] = []
        barrier = threading.Barrier(consumers)

        def consume() -> None:
            barrier.wait()
            for _ in range(3):
                _, event = sender.consume(part.id, shelf, 1)
                if event is not None:
                    told.append(event)

        threads = [threading.Thread(target=consume) for _ in range(consumers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sender.part(part.id).quantity == 0
        assert [event.id for event in told] == [event.id for event in sender.events().items]
        assert len(told) == 1


class Stock(RuleBasedStateMachine):
    """Whatever is consumed, counted and removed: events are the crossings to zero, no others."""

    places: Bundle[tuple[str, str]] = Bundle("places")

    def __init__(self) -> None:
        super().__init__()
        self.sender = MockSender(Setup(document=document()))
        self.quantities: dict[tuple[str, str], int] = {}
        self.crossings = 0

    def teardown(self) -> None:
        self.sender.close()

    @rule(target=places, quantity=st.integers(0, 4))
    def add(self, quantity: int) -> tuple[str, str]:
        part = self.sender.add_part(name="B", article_code="B", locations=(("Shelf", quantity),))
        place = (part.id, part.locations[0].id)
        self.quantities[place] = quantity
        return place

    @precondition(lambda self: self.quantities)
    @rule(place=places, quantity=st.integers(1, 4))
    def consume(self, place: tuple[str, str], quantity: int) -> None:
        there = self.quantities[place]
        if quantity > there:
            with pytest.raises(Conflict):
                self.sender.consume(*place, quantity)
            return
        _, event = self.sender.consume(*place, quantity)
        self.note(place, there - quantity, event)

    @precondition(lambda self: self.quantities)
    @rule(place=places, quantity=st.integers(0, 4))
    def count(self, place: tuple[str, str], quantity: int) -> None:
        _, event = self.sender.set_stock(*place, quantity)
        self.note(place, quantity, event)

    def note(self, place: tuple[str, str], after: int, event: Event | None) -> None:
        crossed = self.quantities[place] > 0 and after == 0
        assert (event is not None) == crossed
        self.crossings += crossed
        self.quantities[place] = after

    @invariant()
    def events_are_crossings(self) -> None:
        assert len(self.sender.events(limit=500).items) == self.crossings
        there = {
            (part.id, place.id): place.quantity
            for part in self.sender.parts()
            for place in part.locations
        }
        assert there == self.quantities


TestStock = Stock.TestCase
TestStock.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
