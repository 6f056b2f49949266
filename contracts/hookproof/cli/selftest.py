"""`hookproof selftest`: the matrix rules x receivers, which shows what the contract is worth.

A correct receiver has no finding; one with a bug breaks exactly the rules that it names; and for
every rule there is a receiver that it exposes.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import final

import click

from hookproof.catalogue import RULES
from hookproof.cli.failing import Command
from hookproof.cli.signals import ended_gently
from hookproof.miniatures.base import Miniature
from hookproof.miniatures.catalogue import BROKEN, CORRECT
from hookproof.miniatures.trial import broken, trial
from hookproof.reports.console import Console

RIGHT, WRONG = 0, 1
NO_FINDING = "no finding"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One receiver, and the ids of the rules it was found to break.

    `about` says in words what it does wrong, or what is peculiar about a correct one. Of the rules
    in `expected` a correct receiver may break some; one with a bug must break them all.
    """

    name: str
    correct: bool
    about: str
    expected: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Tell whether the contract judged it as it should."""
        found, expected = set(self.found), set(self.expected)
        return found <= expected if self.correct else found == expected


def tried(kind: type[Miniature], seed: int) -> Row:
    """Run every rule against a new receiver of a kind."""
    correct = kind in CORRECT
    return Row(
        name=kind.__name__,
        correct=correct,
        about=_first_sentence(kind),
        expected=kind.may_warn if correct else kind.exposed_by,
        found=tuple(sorted(broken(trial(kind, RULES, seed=seed)))),
    )


def unexposed(rows: Iterable[Row]) -> list[str]:
    """Return the ids of the rules that expose no receiver with a bug."""
    exposing = {id for row in rows if not row.correct for id in row.found}
    return [rule.id for rule in RULES if rule.id not in exposing]


@click.command("selftest", cls=Command)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A line for each receiver, or one object.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Choose other values to send.")
def selftest(form: str, seed: int) -> int:
    """Run every rule against receivers that are correct, and against those with one bug each.

    They are part of hookproof and run here, some of them on free ports of this machine. Exit status
    0 when each was judged rightly and every rule exposed a receiver, else 1.
    """
    with ended_gently():
        return FORMATS[form](Console.on(sys.stdout), seed)


def as_text(console: Console, seed: int) -> int:
    """Write the rows as they come, and the counts."""
    rows: list[Row] = []
    for title, kinds in (("correct receivers", CORRECT), ("receivers with a bug", BROKEN)):
        console.line(f"{title}: {len(kinds)}")
        for row in _rows(console, kinds, seed):
            rows.append(row)
            console.line(_line(row))
        console.line()
    for line in _conclusion(rows):
        console.line(line)
    return _status(rows)


def as_json(console: Console, seed: int) -> int:
    """Write one object when all is known."""
    rows = [*_rows(console, (*CORRECT, *BROKEN), seed)]
    console.settle()
    report = {
        "hookproof": version("hookproof"),
        "seed": seed,
        "right": _status(rows) == RIGHT,
        "rules": [rule.id for rule in RULES],
        "unexposed": unexposed(rows),
        "receivers": [_object(row) for row in rows],
    }
    console.line(json.dumps(report, indent=1))
    return _status(rows)


FORMATS: Mapping[str, Callable[[Console, int], int]] = {"text": as_text, "json": as_json}


def _rows(console: Console, kinds: Sequence[type[Miniature]], seed: int) -> Iterator[Row]:
    for number, kind in enumerate(kinds, start=1):
        console.transient(f"{number}/{len(kinds)} {kind.__name__}")
        yield tried(kind, seed)


def _status(rows: Sequence[Row]) -> int:
    return RIGHT if all(row.right for row in rows) and not unexposed(rows) else WRONG


def _line(row: Row) -> str:
    found = ", ".join(row.found) or NO_FINDING
    mark = "ok   " if row.right else "WRONG"
    return f"  {mark}  {row.name}: {row.about.rstrip('.')} -> {found}{_remark(row)}"


def _remark(row: Row) -> str:
    if row.right:
        return " (as it may)" if row.correct and row.found else ""
    missed = () if row.correct else sorted({*row.expected} - {*row.found})
    unwanted = sorted({*row.found} - {*row.expected})
    parts = [("missed", missed), ("false alarm", unwanted)]
    return "".join(f" [{name}: {', '.join(ids)}]" for name, ids in parts if ids)


def _conclusion(rows: Sequence[Row]) -> Iterator[str]:
    silent = unexposed(rows)
    if silent:
        yield f"rules that exposed no receiver: {', '.join(silent)}"
    correct = [row for row in rows if row.correct]
    flawed = [row for row in rows if not row.correct]
    yield (
        f"{len(RULES)} rules, {len(RULES) - len(silent)} of them exposed a bug;"
        f" {_judged(correct)} correct receivers and {_judged(flawed)} with a bug judged rightly"
    )


def _judged(rows: Sequence[Row]) -> str:
    return f"{sum(row.right for row in rows)} of {len(rows)}"


def _object(row: Row) -> Mapping[str, object]:
    return {
        "name": row.name,
        "correct": row.correct,
        "about": row.about,
        "expected": list(row.expected),
        "broken": list(row.found),
        "right": row.right,
    }


def _first_sentence(kind: type[Miniature]) -> str:
    text = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
    return text.partition(". ")[0]
