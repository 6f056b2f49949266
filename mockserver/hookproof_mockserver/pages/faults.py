"""The part of a form that says what is done wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hookproof_mockserver.model import Fault, FaultKind
from hookproof_mockserver.pages.forms import Form

if TYPE_CHECKING:
    from hookproof_mockserver.pages.visit import Visit
    from hookproof_spec.webhook import Webhook

LONGEST = 600.0
"""The longest delay on purpose, in seconds."""
_TICKED = (FaultKind.DUPLICATE, FaultKind.REORDER, FaultKind.RESET)
_TIMED = {"delay": FaultKind.DELAY, "slow_body": FaultKind.SLOW_BODY}
FIELDS = frozenset({*(kind.value for kind in _TICKED), *_TIMED, "rule"})
ERRORS = {"seconds": "delay", "rule": "rule"}
"""From the last part of the pointer in a refusal to the field that it stands beside."""


def read_faults(form: Form) -> tuple[Fault, ...]:
    """Read the faults of a sent form; what is wrong stands beside its field."""
    faults = [Fault(kind=kind) for kind in _TICKED if form.ticked(kind.value)]
    for name, kind in _TIMED.items():
        if form.text(name):
            faults.append(Fault(kind=kind, seconds=form.number(name, 0.1, LONGEST)))
    rule = form.text("rule")
    return (*faults, Fault(kind=FaultKind.RULE, rule=rule)) if rule else tuple(faults)


def written(faults: tuple[Fault, ...]) -> Mapping[str, str]:
    """Return what the form's fields show for some faults; "" where there is none."""
    by_kind = {fault.kind: fault for fault in faults}
    texts = {kind.value: "yes" if kind in by_kind else "" for kind in _TICKED}
    for name, kind in _TIMED.items():
        texts[name] = f"{by_kind[kind].seconds:g}" if kind in by_kind else ""
    rule = by_kind.get(FaultKind.RULE)
    return {**texts, "rule": rule.rule if rule else ""}


def offered(visit: Visit, webhook: Webhook | None) -> list[tuple[str, str]]:
    """Return the rules that can be chosen; none where no rule can be sent."""
    found = visit.sender.forgeries(webhook) if webhook is not None else {}
    rules = [(rule, f"{rule}: {title}") for rule, title in found.items()]
    return [("", "no"), *rules] if rules else []


def touched(form: Form, faults: tuple[Fault, ...] = ()) -> bool:
    """Tell whether the folded part of the form has something to show."""
    shown = any(form.value(name, text) for name, text in written(faults).items())
    return shown or bool(FIELDS & set(form.errors))
