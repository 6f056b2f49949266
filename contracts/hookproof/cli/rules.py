"""`hookproof rules`: the catalogue, printed from the table that runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import click

from hookproof import catalogue
from hookproof.cli.completing import RULES
from hookproof.cli.failing import Command
from hookproof.rule import Rule
from hookproof_spec.errors import HookproofError

LABEL_WIDTH = 13


def as_text(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the rules by category, one a line; one rule alone is told in full."""
    if len(rules) == 1:
        yield from _in_full(rules[0])
        return
    width = max(len(rule.id) for rule in rules)
    for number, (category, group) in enumerate(groupby(rules, key=lambda rule: rule.category)):
        yield from ([""] if number else [])
        yield category.value
        for rule in group:
            yield f"  {rule.id:<{width}}  {rule.level.value:<6}  {rule.title}"


def as_json(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the rules as a JSON array; one rule alone as an object."""
    objects = [rule_object(rule) for rule in rules]
    yield json.dumps(objects[0] if len(objects) == 1 else objects, indent=1)


def as_markdown(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the rules as a table; one rule alone as a section."""
    if len(rules) == 1:
        yield from _section(rules[0])
        return
    yield "| rule | level | what it asks |"
    yield "|---|---|---|"
    for rule in rules:
        yield f"| `{rule.id}` | {rule.level.value} | {_cell(rule.requirement)} |"


FORMATS: Mapping[str, Callable[[Sequence[Rule]], Iterator[str]]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
}


@click.command("rules", cls=Command)
@click.argument("rule_id", metavar="[ID]", required=False, shell_complete=RULES)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="How they are written.",
)
def rules(rule_id: str | None, form: str) -> int:
    """Show the rules of the contract, or one of them in full."""
    for line in FORMATS[form]((_rule(rule_id),) if rule_id is not None else catalogue.RULES):
        click.echo(line)
    return 0


def _rule(rule_id: str) -> Rule:
    try:
        return catalogue.rule(rule_id)
    except HookproofError as error:
        raise HookproofError(error.problem, where="rules", hint=error.hint) from error


def rule_object(rule: Rule) -> dict[str, object]:
    """Return everything about a rule but its code."""
    return {
        "id": rule.id,
        "category": rule.category.value,
        "level": rule.level.value,
        "title": rule.title,
        "requirement": rule.requirement,
        "sends": rule.sends,
        "source": rule.source,
        "remedy": rule.remedy,
        "who": rule.who.value,
        "needs": [need.value for need in rule.needs],
        "after": list(rule.after),
        "core": rule.core,
        "opt_in": rule.opt_in,
    }


def _parts(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "requirement", rule.requirement
    yield "level", f"{rule.level.value}{', in the core' if rule.core else ''}"
    yield "source", rule.source
    yield "sends", rule.sends
    yield "who can", rule.who.value
    if rule.needs:
        yield "needs", ", ".join(need.value for need in rule.needs)
    if rule.after:
        yield "after", ", ".join(rule.after)
    if rule.opt_in:
        yield "runs", f"only when it is named: --only {rule.id}"
    yield "remedy", rule.remedy


def _in_full(rule: Rule) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    for label, text in _parts(rule):
        yield f"  {label:<{LABEL_WIDTH}}{text}"


def _section(rule: Rule) -> Iterator[str]:
    yield f"## `{rule.id}`: {rule.title}"
    yield ""
    for label, text in _parts(rule):
        yield f"- **{label}**: {text}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
