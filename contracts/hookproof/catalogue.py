"""The table of all rules, and the choice of those that run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from hookproof.rule import Category, Rule
from hookproof.rules import (
    forged,
    forged_answers,
    forged_wire,
    header,
    http,
    load,
    model,
    payload,
    properties,
    replay,
    replay_hooks,
    rotation,
    stale,
    valid,
    valid_time,
)
from hookproof_spec.errors import HookproofError, did_you_mean

RULES: tuple[Rule, ...] = (
    *valid.RULES,
    *forged.ROOTS,
    *stale.RULES,
    *forged.RULES,
    *forged_wire.RULES,
    *rotation.RULES,
    *replay.RULES,
    *header.RULES,
    *payload.RULES,
    *http.RULES,
    *load.RULES,
    *properties.RULES,
    *model.RULES,
    replay_hooks.restart,
    valid_time.timezone,
    stale.after_window,
    replay_hooks.ttl,
    *forged_answers.RULES,
    *http.LAST,
)
"""Every rule, in the order in which they run: each after those it stands on; what restarts the
receiver or moves its clock late; what judges a run as a whole last."""

BY_ID = {rule.id: rule for rule in RULES}


@final
@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that run, and those the user left out."""

    rules: tuple[Rule, ...]
    skipped: tuple[Rule, ...] = ()


def rule(id: str) -> Rule:
    """Return a rule by its id.

    Raises:
        HookproofError: there is none of that id; names the nearest.
    """
    if id in BY_ID:
        return BY_ID[id]
    raise HookproofError(
        f"no rule {id!r}", hint=did_you_mean(id, BY_ID) or "`hookproof rules` lists them"
    )


def select(only: Sequence[str] = (), skip: Sequence[str] = ()) -> Selection:
    """Choose rules by id, category or `core`.

    What a chosen rule stands on is chosen with it: `replay-race` alone would not know whether the
    receiver accepts anything at all. Rules that are opt-in run only when they are named.

    Raises:
        HookproofError: an unknown word, or nothing left to run.
    """
    wanted = _named(only) if only else {rule.id for rule in RULES if not rule.opt_in}
    left_out = _named(skip)
    wanted = _with_preconditions(wanted - left_out)
    rules = tuple(rule for rule in RULES if rule.id in wanted and rule.id not in left_out)
    if not rules:
        raise HookproofError("no rule is left to run", hint="see --only and --skip")
    return Selection(rules, tuple(rule for rule in RULES if rule.id in left_out))


def _named(words: Iterable[str]) -> set[str]:
    return {id for word in words for id in _ids(word)}


def _ids(word: str) -> Iterable[str]:
    if word in BY_ID:
        return (word,)
    if word == "core":
        return [rule.id for rule in RULES if rule.core]
    if word in set(Category):
        return [rule.id for rule in RULES if rule.category == word]
    known = (*BY_ID, *(category.value for category in Category), "core")
    several = "give the option once for each" if "," in word else ""
    raise HookproofError(
        f"no rule or category {word!r}",
        hint=several or did_you_mean(word, known) or "`hookproof rules` lists them",
    )


def _with_preconditions(ids: set[str]) -> set[str]:
    chosen = set(ids)
    for rule in reversed(RULES):  # a rule stands only on rules before it
        if rule.id in chosen:
            chosen.update(rule.after)
    return chosen
