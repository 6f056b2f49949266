"""Difficult bodies, most of them signed: any 2xx or 4xx is fine, a crash or silence is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

from hookproof.bodies import compact
from hookproof.controls import unless_banned
from hookproof.judging import NO_PLACE, accepted, worst
from hookproof.judging_calm import judge_survived, survived
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Need, Rule, Who, rule
from hookproof.rules import payload_size
from hookproof.rules.roots import VERIFIES
from hookproof.verdicts import Holds, Judgement, Level, Outcome
from hookproof_spec import payloads, pointers

PLACE = "hookproof-place"
HARD_TEXTS = (
    (b"\\u0000", r"a NUL (\u0000) in a text"),
    (b"\\ud800", r"half a surrogate pair (\ud800) in a text"),
    (b"\xff", "the byte FF, which is no UTF-8, in a text"),
)
SHAPES = ((b"[]", "[]"), (b"null", "null"), (b'"x"', '"x"'), (b"1", "1"), (b"{}", "{}"))
MARKUP = (
    "<script>alert(1)</script>",
    "'; DROP TABLE events; --",
    "{{7*7}} ${7*7} %s %n",
    "\u202eright to left\u202c \u200f",
)
LONG = 10_000


def _without_fraction(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _with_offset(moment: float) -> str:
    there = datetime.fromtimestamp(moment, timezone(timedelta(hours=2)))
    return there.isoformat(timespec="milliseconds")


def _with_microseconds(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


FORMS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("without a fraction", _without_fraction),
    ("with an offset", _with_offset),
    ("with microseconds", _with_microseconds),
)


@rule(
    id="payload-not-json",
    level=Level.SHOULD,
    title="A signed body that is no JSON does no harm",
    requirement="A signed body that is no JSON SHOULD be answered 4xx (2xx where it is stored"
    " first).",
    source="our judgement: a queue may take anything, and nothing may crash on it",
    remedy="Catch the parser's errors after verification, and answer 400.",
    who=Who.SECRET,
    after=VERIFIES,
)
@survived
def not_json(lab: Lab) -> Iterator[Case]:
    """Signed: `not json`, nothing at all, `{`, the bytes FF FE, an event without its last byte."""
    for body, words in (
        (b"not json", "a signed body of words"),
        (b"", "a signed empty body"),
        (b"{", "a signed body of one brace"),
        (b"\xff\xfe", "a signed body of the bytes FF FE"),
        (lab.body()[:-1], "a signed event without its last byte"),
    ):
        yield Case(words, lab.genuine(body).request)


@rule(
    id="payload-wrong-shape",
    level=Level.SHOULD,
    title="Signed JSON of another shape does no harm",
    requirement="Signed JSON that is not what the document describes SHOULD be answered 2xx or"
    " 4xx.",
    source="our judgement: what to do with an unknown shape is the team's choice",
    remedy="Validate against the schema before anything is read from the payload.",
    who=Who.SECRET,
    after=VERIFIES,
)
def wrong_shape(lab: Lab) -> Judgement:
    """Signed: `[]`, `null`, a string, a number, `{}`; an event each of whose objects is in turn
    null, an array, and left out; then events that break one constraint of the schema each, at any
    place (another type, a member too few, another format, a limit passed)."""
    judgement = _other_shapes(lab)
    if not isinstance(judgement, Holds):
        return judgement
    from hookproof.searching.negative import judge_negative

    return worst(judge_negative(lab, "payload-wrong-shape"), judgement)


@survived
def _other_shapes(lab: Lab) -> Iterator[Case]:
    for body, text in SHAPES:
        yield Case(f"the signed body {text}", lab.genuine(body).request)
    value = lab.value()
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        if not isinstance(member, dict):
            continue
        for other, words in ((None, "null"), ([], "an array")):
            body = compact({**value, name: other})
            yield Case(f"a signed event whose {name!r} is {words}", lab.genuine(body).request)
        rest = {key: item for key, item in value.items() if key != name}
        yield Case(f"a signed event without {name!r}", lab.genuine(compact(rest)).request)


@rule(
    id="payload-hard-unicode",
    level=Level.SHOULD,
    title="Hard Unicode in a signed text does no harm",
    requirement="A NUL, half a surrogate pair or bytes that are no UTF-8 in a signed text SHOULD be"
    " answered 2xx or 4xx.",
    source="RFC 8259 section 8.2: the first two are JSON, and databases refuse to store them",
    remedy="Clean such texts or refuse them with 4xx; never let the database decide.",
    who=Who.SECRET,
    needs=(Need.MARKER,),
    after=VERIFIES,
)
@survived
def hard_unicode(lab: Lab) -> Iterator[Case]:
    r"""Signed events with \u0000, with \ud800 and with the raw byte FF in a text."""
    for piece, words in HARD_TEXTS:
        body = compact(lab.value(texts=(f"a {PLACE} b",))).replace(PLACE.encode(), piece)
        yield Case(words, lab.genuine(body).request)


@rule(
    id="payload-duplicate-keys",
    level=Level.INFO,
    title="A signed member that stands twice does no harm",
    requirement="A signed body in which a member stands twice is best answered 2xx or 4xx.",
    source="RFC 8259 section 4: what it means is not defined",
    remedy="Use a parser that refuses duplicates, and catch its error.",
    who=Who.SECRET,
    after=VERIFIES,
)
@survived
def duplicate_keys(lab: Lab) -> Iterator[Case]:
    """A signed event whose first member stands in it twice."""
    value = lab.value()
    if not isinstance(value, dict) or not value:
        return
    name = next(iter(value))
    doubled = f"{{{json.dumps(name)}:{json.dumps('twice')},".encode() + compact(value)[1:]
    yield Case(f"a signed event in which {name!r} stands twice", lab.genuine(doubled).request)


@rule(
    id="payload-long-values",
    level=Level.SHOULD,
    title="Long texts and markup in a signed event do no harm",
    requirement="Long texts and markup in a signed event SHOULD NOT crash the receiver.",
    source="our judgement: a firewall may refuse markup; a crash is an injection waiting",
    remedy="Validate lengths, use parameterised queries, and escape on output.",
    who=Who.SECRET,
    needs=(Need.MARKER,),
    after=VERIFIES,
)
def long_values(lab: Lab) -> Judgement:
    """Signed events with a text of 10,000 letters, of markup for browsers, databases and templates,
    and of marks that turn the writing direction; a firewall may drop them."""
    sent = [lab.send(case) for case in _loaded(lab)]
    if not sent:
        return NO_PLACE
    answered = [evidence for evidence in sent if outcome(evidence) is not Outcome.DROPPED]
    return judge_survived(lab, answered)


def _loaded(lab: Lab) -> Iterator[Case]:
    body = compact(lab.value(texts=("x" * LONG,)))
    yield Case(f"a text of {LONG:,} letters", lab.genuine(body).request)
    for text in MARKUP:
        places = max(1, len(lab.bodies.texts))
        body = compact(lab.value(texts=(text,) * places))
        yield Case(f"texts that say {text!r}", lab.genuine(body).request)


@rule(
    id="payload-date-forms",
    level=Level.SHOULD,
    title="Every RFC 3339 spelling of a date is accepted",
    requirement="An event whose dates have no fraction, an offset, or six digits of fraction SHOULD"
    " be accepted.",
    source="RFC 3339 section 5.6: the document says date-time",
    remedy="Use a parser for RFC 3339 instead of a fixed format.",
    who=Who.SECRET,
    needs=(Need.DATES,),
)
def date_forms(lab: Lab) -> Judgement:
    """Events whose dates are written without a fraction, with +02:00, with microseconds."""
    return unless_banned(lab, _dated(lab))


@accepted
def _dated(lab: Lab) -> Iterator[Case]:
    moments = [pointer for pointer, form in payloads.dates(lab.webhook) if form == "date-time"]
    if not moments:
        return
    for words, write in FORMS:
        value = lab.value()
        for pointer in moments:
            value = pointers.replace(value, pointer, write(lab.clock()))
        yield Case(f"an event whose dates are written {words}", lab.genuine(compact(value)).request)


RULES: tuple[Rule, ...] = (
    not_json,
    wrong_shape,
    hard_unicode,
    *payload_size.RULES,
    duplicate_keys,
    long_values,
    date_forms,
)
