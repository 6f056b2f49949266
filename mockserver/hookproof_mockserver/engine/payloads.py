"""Payloads for events that are triggered: given, the example with today's date, or random."""

from __future__ import annotations

import os
import random
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from hookproof_mockserver.sender_errors import Invalid
from hookproof_spec import payloads, pointers
from hookproof_spec.errors import DocumentError
from hookproof_spec.webhook import JsonValue, Webhook

LARGEST = 8 * 1024 * 1024
"""How many bytes a payload may have."""

_EXAMPLES = 12
_hypothesis_lock = threading.Lock()


def written(webhook: Webhook, payload: JsonValue | bytes) -> bytes:
    """Return a payload's bytes, as JSON or as a form; bytes stay as they are.

    Raises:
        Invalid: it cannot be written so, or is too large.
    """
    try:
        body = payload if isinstance(payload, bytes) else payloads.write(webhook, payload)
    except (ValueError, TypeError, RecursionError) as error:
        kind = "form" if payloads.is_form(webhook) else "JSON"
        raise Invalid("/payload", f"not {kind}: {error}") from error
    if len(body) > LARGEST:
        raise Invalid("/payload", f"the payload is larger than {LARGEST // 1_048_576} MiB")
    return body


def fresh_example(webhook: Webhook, now: float) -> JsonValue:
    """Return the webhook's example, in which dates and times are those of now.

    Raises:
        DocumentError: the document has no example and none can be built.
    """
    value = payloads.example(webhook)
    for pointer, form in payloads.dates(webhook):
        value = pointers.replace(value, pointer, _moment(form, now))
    # A schema may bind a date to one value: then the example stays as it is.
    return (
        value
        if not payloads.validate(webhook, payloads.write(webhook, value))
        else payloads.example(webhook)
    )


def _moment(form: str, now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    if form == "date":
        return moment.date().isoformat()
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.partition("T")[2] if form == "time" else text


def random_payload(webhook: Webhook, source: random.Random) -> JsonValue:
    """Return one of all the payloads that the schema allows.

    Raises:
        DocumentError: none can be drawn.
    """
    _keep_hypothesis_away()
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

    from hookproof_spec.strategies import valid_payloads

    drawn: list[JsonValue] = []

    def keep(payload: JsonValue) -> None:
        drawn.append(payload)

    quietly = settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    with _hypothesis_lock:
        quietly(seed(source.getrandbits(64))(given(valid_payloads(webhook))(keep)))()
    good = [
        value for value in drawn if not payloads.validate(webhook, payloads.write(webhook, value))
    ]
    if not good:
        raise DocumentError(f"no payload of {webhook.name!r} could be drawn")
    return good[-1]  # the first are the plainest


def _keep_hypothesis_away() -> None:
    """Let Hypothesis keep its tables in the user's cache, and leave no folder where we are run."""
    if "pytest" in sys.modules or "HYPOTHESIS_STORAGE_DIRECTORY" in os.environ:
        return
    from hypothesis import configuration

    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    configuration.set_hypothesis_home_dir(Path(cache) / "hookproof" / "hypothesis")
