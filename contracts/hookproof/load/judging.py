"""Whether what came back under load is right: a pure function of what was counted.

Effects are counted by difference: each genuine event that was accepted explains one. What is
missing was lost; what is too many is the work of requests that should have had none, or of genuine
events acted on twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import final

from hookproof.events import ExitStatus
from hookproof.load.mix import Kind
from hookproof.load.tally import Count, Tally
from hookproof.verdicts import ForgedPolicy, Outcome, ReplayPolicy

NEVER = (Kind.FORGED, Kind.STALE, Kind.REPLAYED)
"""The kinds that must have no effect."""


class Weight(StrEnum):
    """What a finding means for the exit status."""

    FAIL = "fail"
    UNPROVEN = "unproven"
    WARN = "warn"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be; `id` is a name that stays."""

    id: str
    weight: Weight
    found: str
    expected: str
    remedy: str


@final
@dataclass(frozen=True, slots=True)
class Effects:
    """The receiver's effects before the load and after it, those of our own controls left out."""

    before: int
    after: int

    @property
    def had(self) -> int:
        """How many effects the load had."""
        return self.after - self.before


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of a load test.

    `acts_alone` are the kinds of which a single request had an effect before the load, although it
    must not. `effects` is None where they cannot be counted.
    """

    tally: Tally
    effects: Effects | None = None
    acts_alone: frozenset[Kind] = frozenset()
    replay: ReplayPolicy = ReplayPolicy.EITHER
    forged: ForgedPolicy = ForgedPolicy.REJECTS
    before: tuple[Finding, ...] = ()
    """What was found before the load, or right after it, in requests sent alone."""

    def taken(self, kind: Kind) -> int:
        """Return how many requests of a kind were answered 2xx."""
        return self.tally.kinds[kind].outcomes[Outcome.ACCEPTED] if self.has(kind) else 0

    def has(self, kind: Kind) -> bool:
        """Tell whether anything of a kind was sent."""
        return kind in self.tally.kinds


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of the requests of a kind.

    `accepted` had an effect, `ignored` were answered 2xx and had none; `unknown` were answered 2xx
    too, and only an effects probe, or a better one, could tell which of the two they are.
    """

    kind: Kind
    count: Count
    accepted: int = 0
    ignored: int = 0
    unknown: int = 0

    def had(self, outcome: Outcome) -> int:
        """Return how many ended so, by their status."""
        return self.count.outcomes[outcome]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A load test's verdict; `lost` and `doubled` are None where effects are not counted."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    lost: int | None
    doubled: int | None
    status: ExitStatus
    words: str


@final
@dataclass(slots=True)
class _Split:
    """The 2xx of each kind, told apart by effects."""

    accepted: Counter[Kind] = field(default_factory=Counter)
    ignored: Counter[Kind] = field(default_factory=Counter)
    unknown: Counter[Kind] = field(default_factory=Counter)
    lost: int | None = None
    doubled: int | None = None
    suspects: tuple[Kind, ...] = ()
    surplus: int = 0


def judge(facts: Facts) -> Judged:
    """Judge a load test."""
    split = _split(facts)
    rows = tuple(
        Row(
            kind=kind,
            count=facts.tally.kinds[kind],
            accepted=split.accepted[kind],
            ignored=split.ignored[kind],
            unknown=split.unknown[kind],
        )
        for kind in Kind
        if facts.has(kind)
    )
    findings = tuple(
        sorted(
            (*facts.before, *_of_genuine(rows, split), *_of_others(rows, facts, split)),
            key=lambda finding: list(Weight).index(finding.weight),
        )
    )
    status, words = _status(facts, findings)
    return Judged(
        rows=rows,
        findings=findings,
        lost=split.lost,
        doubled=split.doubled,
        status=status,
        words=words,
    )


# --- telling accepted from ignored --------------------------------------------------------------


def _split(facts: Facts) -> _Split:
    if facts.effects is None:
        return _by_status(facts)
    return _by_effects(facts, facts.effects)


def _by_status(facts: Facts) -> _Split:
    """Without effects, 2xx means accepted, but for what a team declares to acknowledge only."""
    split = _Split()
    for kind in Kind:
        open_to_doubt = (kind is Kind.REPLAYED and facts.replay is not ReplayPolicy.REJECTS) or (
            kind in (Kind.FORGED, Kind.STALE) and facts.forged is ForgedPolicy.IGNORES
        )
        (split.unknown if open_to_doubt else split.accepted)[kind] = facts.taken(kind)
    return split


def _by_effects(facts: Facts, effects: Effects) -> _Split:
    genuine = facts.taken(Kind.VALID)
    guilty = [kind for kind in NEVER if kind in facts.acts_alone and facts.taken(kind)]
    presumed = sum(facts.taken(kind) for kind in guilty)
    lost = max(0, genuine + presumed - effects.had)
    unclear = facts.tally.kinds[Kind.VALID].unclear if facts.has(Kind.VALID) else 0
    surplus = max(0, effects.had - genuine - unclear - presumed)
    split = _Split(lost=min(lost, genuine), surplus=surplus)
    split.accepted.update({kind: facts.taken(kind) for kind in guilty})
    split.accepted[Kind.VALID] = genuine - min(lost, genuine)
    split.ignored[Kind.VALID] = min(lost, genuine)
    _spread(split, {kind: facts.taken(kind) for kind in NEVER if kind not in guilty})
    return split


def _spread(split: _Split, taken: Mapping[Kind, int]) -> None:
    """Say whose the surplus is: of the one kind that can have it, or of nobody for certain."""
    suspects = tuple(kind for kind in taken if taken[kind])
    if not split.surplus or len(suspects) < 2:
        for kind in suspects:
            split.accepted[kind] = min(split.surplus, taken[kind])
            split.ignored[kind] = taken[kind] - split.accepted[kind]
        split.doubled = split.surplus - sum(split.accepted[kind] for kind in suspects)
        return
    split.suspects = suspects
    for kind in suspects:
        split.unknown[kind] = taken[kind]
    split.doubled = max(0, split.surplus - sum(taken.values()))


# --- finding ------------------------------------------------------------------------------------


def _of_genuine(rows: Iterable[Row], split: _Split) -> Iterator[Finding]:
    row = next((row for row in rows if row.kind is Kind.VALID), None)
    if row is None:
        return
    for outcome, (id, what, remedy) in _GENUINE.items():
        if row.had(outcome):
            yield Finding(
                id=id,
                weight=Weight.WARN if outcome is Outcome.THROTTLED else Weight.FAIL,
                found=f"{_of(row.had(outcome), row)} {what}: {answers(row.count, outcome)}",
                expected="2xx, and one effect for each",
                remedy=remedy,
            )
    if split.lost:
        yield Finding(
            id="valid-lost",
            weight=Weight.FAIL,
            found=f"{split.lost:,} of {row.had(Outcome.ACCEPTED):,} {Kind.VALID.many} that were"
            " answered 2xx had no effect",
            expected="one effect for each",
            remedy="Acknowledge after the event is stored; do not drop it from a full queue.",
        )
    if split.doubled:
        yield Finding(
            id="effects-doubled",
            weight=Weight.FAIL,
            found=f"{_effects(split.doubled)} too many: genuine events were acted on twice",
            expected="one effect for each",
            remedy="Claim the nonce and act in one transaction, and do it once.",
        )


_GENUINE = {
    Outcome.REJECTED: (
        "valid-refused",
        "were refused",
        "Keep all state of a request local to it; look at what the receiver logs.",
    ),
    Outcome.CRASHED: (
        "valid-crashed",
        "were answered with an error",
        "Look for time-outs of a database or a pool that is too small.",
    ),
    Outcome.DROPPED: (
        "valid-unanswered",
        "got no answer",
        "Give the receiver more workers, or let it answer 503 when it is full.",
    ),
    Outcome.THROTTLED: (
        "valid-put-off",
        "were put off",
        "A sender tries these again. Give the receiver more room, or load it less.",
    ),
}


def _of_others(rows: Iterable[Row], facts: Facts, split: _Split) -> Iterator[Finding]:
    for row in rows:
        if row.kind in NEVER:
            yield from _of_one(row, facts)
    if split.suspects:
        kinds = " or ".join(kind.value for kind in split.suspects)
        yield Finding(
            id="effects-too-many",
            weight=Weight.FAIL,
            found=f"{_effects(split.surplus)} too many: {kinds} requests were acted on",
            expected="no effect of these",
            remedy="Send one kind at a time, as in --mix valid=90,forged=10, to see which it is.",
        )


def _of_one(row: Row, facts: Facts) -> Iterator[Finding]:
    yield from _acted_on(row, facts)
    yield from _otherwise_wrong(row, facts)


def _acted_on(row: Row, facts: Facts) -> Iterator[Finding]:
    if row.accepted:
        yield Finding(
            id=f"{row.kind.value}-accepted",
            weight=Weight.FAIL,
            found=f"{_of(row.accepted, row)} were accepted: "
            f"{answers(row.count, Outcome.ACCEPTED)}" + _alone(row.kind, facts),
            expected=f"no effect of {row.kind.one}",
            remedy=_REMEDIES[row.kind],
        )
    if row.unknown and facts.effects is None:
        yield Finding(
            id=f"{row.kind.value}-unproven",
            weight=Weight.UNPROVEN,
            found=f"{_of(row.unknown, row)} were answered"
            f" {answers(row.count, Outcome.ACCEPTED)}: acted on, or only acknowledged?",
            expected=f"no effect of {row.kind.one}",
            remedy=f"To settle it, add --effects-url{_DECLARED.get(row.kind, '')}.",
        )


def _otherwise_wrong(row: Row, facts: Facts) -> Iterator[Finding]:
    if row.ignored and row.kind is Kind.FORGED and facts.forged is ForgedPolicy.REJECTS:
        yield Finding(
            id="forged-ignored",
            weight=Weight.WARN,
            found=f"{_of(row.ignored, row)} were answered 2xx, without effect",
            expected="a refusal",
            remedy="Refuse with 401, or declare it with --forged ignores.",
        )
    if row.had(Outcome.CRASHED):
        yield Finding(
            id=f"{row.kind.value}-crashed",
            weight=Weight.WARN,
            found=f"{_of(row.had(Outcome.CRASHED), row)} were answered with an error:"
            f" {answers(row.count, Outcome.CRASHED)}",
            expected="a refusal",
            remedy="Refuse before anything can fail.",
        )


_REMEDIES = {
    Kind.FORGED: "Verify each request before anything else; keep its state local to it."
    " `hookproof verify URL --only forged` says which forgeries pass.",
    Kind.STALE: "Refuse when now - timestamp exceeds the tolerance, both in seconds.",
    Kind.REPLAYED: "Claim the nonce atomically, in a store that all workers share.",
}
_DECLARED = {Kind.REPLAYED: ", or --replay rejects if the receiver refuses replays"}


def _alone(kind: Kind, facts: Facts) -> str:
    if kind not in facts.acts_alone:
        return ""
    return "; a single one was, too, before the load"


def _of(number: int, row: Row) -> str:
    return f"{number:,} of {row.count.sent:,} {row.kind.many}"


def _effects(number: int) -> str:
    return f"{number:,} effect" if number == 1 else f"{number:,} effects"


def answers(count: Count, outcome: Outcome) -> str:
    """Say which answers made up an outcome: `503 (12), 500 (1)`."""
    found = count.answers_of(outcome).most_common()
    return found[0][0] if len(found) == 1 else ", ".join(f"{a} ({n:,})" for a, n in found)


def _status(facts: Facts, findings: Iterable[Finding]) -> tuple[ExitStatus, str]:
    weights = Counter(finding.weight for finding in findings)
    if weights[Weight.FAIL] and not facts.tally.kinds:
        return ExitStatus.BROKEN, "the receiver is not right even alone, so no load was run"
    if weights[Weight.FAIL]:
        return ExitStatus.BROKEN, "the receiver is not right under load"
    if not facts.taken(Kind.VALID):
        return ExitStatus.UNPROVEN, "no genuine event was accepted, so nothing can be judged"
    if weights[Weight.UNPROVEN]:
        return ExitStatus.UNPROVEN, "nothing is broken, but not everything could be proven"
    return ExitStatus.PROVEN, "every verdict under load is right"
