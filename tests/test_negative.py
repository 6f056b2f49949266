"""Signed events of a wrong shape: each breaks one constraint, and what crashes is made smallest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hookproof.catalogue import RULES
from hookproof.catalogue import rule as rule_of
from hookproof.effects import CallableProbe
from hookproof.events import RuleResult
from hookproof.lab import Lab
from hookproof.miniatures import correct
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.trial import SECRET, broken, trial
from hookproof.rules.payload import wrong_shape
from hookproof.run import Setup, lab_for
from hookproof.searching import negative
from hookproof.searching.negative import BREADTH
from hookproof.targets.wsgi import WsgiTarget
from hookproof.verdicts import Breach, Holds, Verdict
from hookproof_spec import load, payloads
from hookproof_spec.webhook import JsonValue

ID = "payload-wrong-shape"
SHAPE_ALONE = [rule_of(ID)]
SEEDS = range(3)


def tried(kind: type[Miniature], seed: int = 0) -> RuleResult:
    return trial(kind, SHAPE_ALONE, seed=seed, search_seconds=90)[ID]


def bench(receiver: Miniature, schema: dict[str, JsonValue] | None = None, **more: object) -> Lab:
    webhook = load("mobility-work").webhook()
    setup = Setup(
        webhook=webhook if schema is None else replace(webhook, schema=schema),
        spec="mobility-work",
        secret=SECRET,
        target=WsgiTarget(receiver),
        probe=CallableProbe(lambda: list(receiver.names)),
        rules=(),
        effect_timeout=0.5,
        search_seconds=90,
    )
    return lab_for(replace(setup, **more))  # type: ignore[arg-type]


class Reads(Miniature):
    """Reads one more thing of the payload, once it is known to be an event."""

    def read(self, body: bytes) -> str:
        name = super().read(body)
        self.look(json.loads(body))
        return name

    def look(self, event: dict[str, JsonValue]) -> None:
        """Read it."""


class TrustsMoment(Reads):
    """Takes the moment of the movement for a text, which it is in every genuine event."""

    def look(self, event: dict[str, JsonValue]) -> None:
        movement = event.get("movement")
        if isinstance(movement, dict) and "on" in movement:
            str.upper(movement["on"])  # type: ignore[arg-type]


class CountsMetadata(Reads):
    """Asks how many metadata there are, without asking whether there are any."""

    def look(self, event: dict[str, JsonValue]) -> None:
        if "_metadata" in event:
            len(event["_metadata"])  # type: ignore[arg-type]


class ChokesOnApostrophes(Reads):
    """Crashes on texts, whatever the event's shape."""

    def look(self, event: dict[str, JsonValue]) -> None:
        if "'" in json.dumps(event):
            raise ValueError


# --- what is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (TrustsMoment, '#/movement/on: null is not of type "string"'),
        (CountsMetadata, '#/_metadata: null is not of type "array"'),
    ],
    ids=["deep inside", "at the top"],
)
def test_breach_that_crashes_is_found_and_named(
    kind: type[Miniature], problem: str, seed: int
) -> None:
    result = tried(kind, seed)
    assert result.verdict is Verdict.WARN
    assert result.message == f"crashes on a signed event in which {problem}: 500"


def test_only_this_rule_is_broken_by_a_wrong_shape() -> None:
    quick = [rule for rule in RULES if not rule.id.startswith("load") and not rule.opt_in]
    assert broken(trial(TrustsMoment, quick)) == {ID}


def test_evidence_breaks_exactly_one_constraint() -> None:
    (evidence,) = tried(TrustsMoment).evidence
    webhook = load("mobility-work").webhook()
    body = evidence.exchange.request.body
    assert [problem.pointer for problem in payloads.validate(webhook, body)] == ["/movement/on"]


def test_payload_that_crashes_unbroken_is_no_finding_here() -> None:
    assert ID not in broken(trial(ChokesOnApostrophes, SHAPE_ALONE, seed=1))


# --- what is sent -------------------------------------------------------------------------------


class Keeps(correct.Plain):
    """Remembers the bodies that it has been sent, each correctly signed."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.bodies: list[bytes] = []

    def read(self, body: bytes) -> str:
        self.bodies.append(body)
        return super().read(body)


def bodies(*, examples: int = 30, seed: int = 0) -> list[bytes]:
    receiver = Keeps(SECRET)
    found = wrong_shape.check(bench(receiver, examples=examples, seed=seed))
    assert isinstance(found, Holds)
    return receiver.bodies


def test_every_constraint_of_the_document_is_broken_once() -> None:
    webhook = load("mobility-work").webhook()
    wrong = [problems for body in bodies() if (problems := payloads.validate(webhook, body))]
    alone = [problems[0] for problems in wrong if len(problems) == 1]
    assert {problem.pointer for problem in alone} >= {
        *("", "/_date", "/_event", "/_metadata", "/movement", "/movement/on"),
        *("/sparePart/articleCode", "/sparePart/name", "/sparePart/sparePartId"),
        *("/stock", "/stock/location", "/stock/location/locationId", "/stock/location/name"),
    }
    for word in ("required", "date-time", "type"):
        assert any(word in problem.message for problem in alone), word


def test_events_of_a_wrong_shape_are_new_each_time() -> None:
    names = [
        name
        for body in bodies()
        if isinstance(event := payloads.decode(body), dict)
        and isinstance(part := event.get("sparePart"), dict)
        and isinstance(name := part.get("sparePartId"), str)
    ]
    assert len(names) > 60
    assert len(set(names)) > len(names) - 15  # but where an identifier is what is broken


def test_effort_bounds_what_is_sent() -> None:
    few, many = len(bodies(examples=2)), len(bodies(examples=60))
    assert few < 40 < many
    wide: dict[str, JsonValue] = {
        "type": "object",
        "properties": {f"p{number}": {"type": "string"} for number in range(400)},
    }
    webhook = load("mobility-work").webhook()
    event: dict[str, JsonValue] = {f"p{number}": "x" for number in range(400)}
    large = replace(webhook, schema=wide, example=event, marker="/p0")
    receiver = Keeps(SECRET)
    wrong_shape.check(bench(receiver, webhook=large, examples=5))
    assert len(receiver.bodies) < 5 * BREADTH + 40


def test_same_seed_sends_the_same_shapes() -> None:
    def shapes() -> list[list[str]]:
        webhook = load("mobility-work").webhook()
        return [
            [str(problem)[:30] for problem in payloads.validate(webhook, body)]
            for body in bodies(seed=5)
        ]

    assert shapes() == shapes()


def test_of_very_many_shapes_the_first_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negative, "KEPT", 5)
    found = wrong_shape.check(bench(correct.Plain(SECRET)))
    assert isinstance(found, Holds)
    assert found.message.endswith(" and 3 more, of the first 5")
    assert found.evidence


# --- documents that allow little ----------------------------------------------------------------


def test_schema_that_asks_for_nothing_has_no_more_than_listed_shapes() -> None:
    found = wrong_shape.check(bench(correct.Plain(SECRET), {}))
    assert isinstance(found, Holds)
    assert "a signed event whose 'stock' is null" in found.message


def test_schema_that_cannot_be_drawn_from_is_still_broken_once() -> None:
    schema = dict(load("mobility-work").webhook().schema)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    odd: dict[str, JsonValue] = {"odd": {"type": "string", "pattern": "\\p{L}"}}
    found = wrong_shape.check(
        bench(TrustsMoment(SECRET), {**schema, "properties": {**properties, **odd}})
    )
    assert isinstance(found, Breach)
    assert "/movement/on" in found.message
