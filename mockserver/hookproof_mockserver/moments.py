"""Points in time as the API writes them: RFC 3339, in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """Write Unix seconds."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Return the Unix seconds of a time that fits the document's `GivenTime`."""
    return datetime.fromisoformat(text).timestamp()
