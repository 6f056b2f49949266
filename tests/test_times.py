"""The units of time: written, read back, and the same in the scripts that findings come with."""

from __future__ import annotations

import datetime
import email.utils
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookproof.diagnosis.hints import Refused, hints
from hookproof.reports.curl import _TIMES
from hookproof.reports.resigning import Scheme
from hookproof_spec import load
from hookproof_spec.notation import TimeUnit
from hookproof_spec.scheme import TimestampRule
from hookproof_spec.signing import Signer, Verifier

UNITS = st.sampled_from(TimeUnit)
MOMENTS = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
PRECISION = {TimeUnit.SECONDS: 1.0, TimeUnit.HTTP_DATE: 1.0}
MOBILITY_WORK = load("mobility-work").webhook()


def scripted(unit: TimeUnit) -> Scheme:
    return Scheme(
        {
            "algorithm": "hmac-sha256",
            "content": "{timestamp}.{body}",
            "encoding": "hex",
            "carry": {"header": {"X": "t={timestamp},v={signature}"}},
            "timestamp": {"unit": unit.value},
        }
    )


@given(UNITS, MOMENTS)
def test_what_is_written_is_read_back(unit: TimeUnit, moment: float) -> None:
    text = unit.write(moment)
    read = unit.read(text)
    assert read is not None
    assert 0 <= moment - read + 1e-6 < PRECISION.get(unit, 0.001) + 2e-6
    assert unit.write(read + 1e-6) == text


@given(UNITS, MOMENTS)
def test_scripts_write_and_read_the_same_time(unit: TimeUnit, moment: float) -> None:
    script, text = scripted(unit), unit.write(moment)
    assert script.time_text(moment) == text
    assert script.time(text) == unit.read(text)
    one_line = eval(_TIMES[unit.value], {"T": moment, "datetime": datetime, "email": email})
    assert one_line == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-03-14T09:26:53.250", 1773480413.25),
        ("2026-03-14T09:26:53.250123", 1773480413.250123),
        ("2026-03-14T09:26:53", 1773480413.0),
        ("2026-03-14T09:26:53Z", 1773480413.0),
        ("2026-03-14T10:26:53+01:00", 1773480413.0),
        ("yesterday", None),
        ("1773480413", None),
        ("", None),
    ],
)
def test_a_time_without_a_zone_is_in_utc(text: str, seconds: float | None) -> None:
    assert TimeUnit.ISO8601_UTC.read(text) == seconds
    assert TimeUnit.ISO8601_UTC.write(1773480413.25) == "2026-03-14T09:26:53.250"


def test_a_time_without_a_zone_is_none_where_one_is_declared() -> None:
    assert TimeUnit.ISO8601.read("2026-03-14T09:26:53.250") is None


def test_a_hint_says_how_the_declared_time_is_written() -> None:
    """The secret is another, so that nothing of the request can be explained by its signature."""
    scheme = replace(MOBILITY_WORK.scheme, timestamp=TimestampRule(TimeUnit.ISO8601_UTC))
    signed = Signer(scheme, "another").sign(
        MOBILITY_WORK.unsigned("http://localhost/", b"{}"), timestamp=0.0, nonce="0f" * 20
    )
    verdict = Verifier(MOBILITY_WORK.scheme, "s3cret").verify(signed.request, 0.0)
    told = hints(Refused(signed.request, MOBILITY_WORK, verdict), "s3cret")
    assert told == (
        "the X-MW-Signature header has no time in the declared unit, s, which is written as"
        " 1773480413: declare the unit that is sent",
    )
