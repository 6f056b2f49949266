"""A rule of the contract: what it asks, of whom, why, and the function that finds out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, final

from hookproof.verdicts import Judgement, Level

if TYPE_CHECKING:
    from hookproof.lab import Lab


class Category(StrEnum):
    """What a rule is about, and the order in which categories run."""

    VALID = "valid"
    FORGED = "forged"
    STALE = "stale"
    REPLAY = "replay"
    HEADER = "header"
    PAYLOAD = "payload"
    HTTP = "http"
    LOAD = "load"
    PROPERTY = "property"
    MODEL = "model"


class Who(StrEnum):
    """Who can send what the rule sends."""

    ANYONE = "anyone"
    CAPTURED = "whoever has captured one genuine request"
    SECRET = "only who has the secret"
    SENDER = "the sender itself"


class Need(StrEnum):
    """What a rule cannot do without; where it is absent, the rule is not applicable."""

    TIMESTAMP = "a timestamp in the scheme"
    NONCE = "a nonce in the scheme"
    BODY = "a signature that covers the body"
    SIGNED_TIME = "a signature that covers the timestamp"
    SIGNED_NONCE = "a signature that covers the nonce"
    SHARED_KEY = "a shared key (HMAC)"
    UNSIGNED = "a receiver that runs without a secret (--unsigned)"
    OTHER_SECRET = "the secret of another webhook (--other-secret-env)"
    HEADER = "a signature that travels in a header"
    ITEMS = "a signature header made of items"
    REPEAT = "a scheme in which several signatures stand side by side"
    SAME_NONCE = "a sender whose retries keep their nonce"
    JSON = "a payload in JSON"
    MARKER = "a free text in the payload"
    DATES = "a date in the payload"
    TOLERANCE = "a declared tolerance (--tolerance)"
    EFFECTS = "an effects probe (--effects-url)"
    TOGETHER = "a target that takes several requests at once"
    RAW = "a target over HTTP"
    RESTART = "a way to restart the receiver (--restart-command)"
    SECOND_URL = "the URL of another instance (--also-url)"
    CLOCK = "control over the receiver's clock (in process)"
    FAULT = "a way to make the receiver's handler fail (in process)"


CURRENT = 1
"""The newest rule set: a number that grows with releases which add rules that can fail a run."""

Check = Callable[["Lab"], Judgement]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One rule.

    `id` is its name for ever. `after` names the rules that must not have failed: a breach of
    theirs would only be told again. `remedy` is the one sentence for the developer.
    `repeats` is how often a breach may be looked for again before it counts as not repeatable.
    `since` is the first rule set in which it is scored.
    """

    id: str
    level: Level
    title: str
    requirement: str
    source: str
    remedy: str
    sends: str
    check: Check
    who: Who
    needs: tuple[Need, ...]
    after: tuple[str, ...]
    core: bool
    opt_in: bool
    repeats: int
    since: int

    @property
    def category(self) -> Category:
        """What the rule is about: the first word of its id."""
        return category_of(self.id)


_ASKED = {
    Category.PAYLOAD: (Need.JSON,),
    Category.PROPERTY: (Need.JSON,),
    Category.MODEL: (Need.JSON,),
}
"""What all rules of a category cannot do without."""
_CATEGORIES = {category.value: category for category in Category} | {"rotation": Category.VALID}


def category_of(id: str) -> Category:
    """Return what the rule of an id is about."""
    return _CATEGORIES.get(id.split("-")[0], Category.REPLAY)


def rule(
    *,
    id: str,
    level: Level,
    title: str,
    requirement: str,
    source: str,
    remedy: str,
    who: Who = Who.CAPTURED,
    needs: tuple[Need, ...] = (),
    after: tuple[str, ...] = ("valid-basic",),
    core: bool = False,
    opt_in: bool = False,
    repeats: int = 1,
    since: int = 1,
) -> Callable[[Check], Rule]:
    """Make a check a rule. The check's docstring says what is sent."""

    def declare(check: Check) -> Rule:
        return Rule(
            id=id,
            level=level,
            title=title,
            requirement=requirement,
            source=source,
            remedy=remedy,
            sends=" ".join((check.__doc__ or "").split()),
            check=check,
            who=who,
            needs=(*needs, *_ASKED.get(category_of(id), ())),
            after=after,
            core=core,
            opt_in=opt_in,
            repeats=repeats,
            since=since,
        )

    return declare
