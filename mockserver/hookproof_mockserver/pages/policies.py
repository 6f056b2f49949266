"""The part of a form that says how events are delivered."""

from __future__ import annotations

from collections.abc import Mapping

from hookproof_mockserver.model import DeliveryPolicy, RetryPolicy, Schedule
from hookproof_mockserver.pages.forms import Form
from hookproof_mockserver.pages.words import schedule_words
from hookproof_spec.scheme import OnRetry

LONGEST = 7 * 86_400.0
"""The longest wait that can be asked for, in seconds."""
FIELDS = {
    name: name
    for name in (
        "schedule",
        "attempts",
        "first",
        "most",
        "jitter",
        "nonce",
        "success",
        "timeout",
        "concurrency",
        "ordered",
        "disable_after",
    )
}
"""The fields, which are called as the parts of a policy are."""


def choices() -> Mapping[str, object]:
    """Return what a policy's form offers to choose from."""
    return {
        "retries": [(schedule.value, schedule_words(schedule)) for schedule in Schedule],
        "nonces": [("same", "the same as before"), ("new", "a new one")],
    }


def touched(form: Form) -> bool:
    """Tell whether something in the folded part of the form needs a look."""
    return bool(FIELDS.keys() & form.errors.keys())


def read_policy(form: Form) -> DeliveryPolicy:
    """Read the policy of a sent form; what is wrong stands beside its field."""
    default = DeliveryPolicy()
    return DeliveryPolicy(
        retry=RetryPolicy(
            schedule=form.choice("schedule", Schedule, default.retry.schedule),
            attempts=form.whole("attempts", 1, 100),
            first=form.number("first", 0, LONGEST),
            most=form.number("most", 0, LONGEST),
            jitter=form.number("jitter", 0, 1),
        ),
        nonce=form.choice("nonce", OnRetry, default.nonce),
        success=form.statuses("success"),
        timeout=form.number("timeout", 0.1, 600),
        concurrency=form.whole("concurrency", 1, 64),
        ordered=form.ticked("ordered"),
        disable_after=form.whole("disable_after", 0, 10_000),
    )
