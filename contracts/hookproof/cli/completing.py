"""What the shell may complete: rules, documents, receivers. Nothing heavy is imported for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completing(words: Callable[[], Iterable[tuple[str, str]]]) -> Complete:
    """Return what offers words and their meanings; none where they cannot be known just now."""

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        return [CompletionItem(word, help=says) for word, says in words() if word.startswith(begun)]

    return complete


def _rules() -> Iterable[tuple[str, str]]:
    from hookproof.catalogue import RULES

    return [(rule.id, rule.title) for rule in RULES]


def _choices() -> Iterable[tuple[str, str]]:
    from hookproof.rule import Category

    categories = [(category.value, "every rule of this category") for category in Category]
    return [*_rules(), *categories, ("core", "the rules that matter most")]


def _documents() -> Iterable[tuple[str, str]]:
    from hookproof_spec import names

    return [(name, "") for name in names()]


def _receivers() -> Iterable[tuple[str, str]]:
    from hookproof.config import find
    from hookproof_spec.errors import HookproofError

    try:
        return [(name, "") for name in find(None, Path.cwd()).receivers]
    except HookproofError:  # the command itself will say what is wrong with the file
        return []


RULES = _completing(_rules)
CHOICES = _completing(_choices)
DOCUMENTS = _completing(_documents)
RECEIVERS = _completing(_receivers)
