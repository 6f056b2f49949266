"""The boundary shift: the same signed bytes, cut into timestamp, nonce and body at another dot.

`{timestamp}.{nonce}.{body}` signs the same bytes for `(t, n, body)` and for `(t, n.head, tail)`
whenever the body holds the separator. By the letter of such a formula the shifted signature is
right, so a mere 2xx is a lesser breach; an effect is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote

from hookproof.judging import at, means, refused
from hookproof.lab import Case, Lab
from hookproof.rule import Need, Rule, rule
from hookproof.rules.roots import AGES, VERIFIES
from hookproof.verdicts import Breach, Judgement, Level
from hookproof_spec.signing import Delivery
from hookproof_spec.webhook import JsonValue

TEN_DAYS = 864_000
STRICT = (
    "Accept only a timestamp of digits, a nonce without separators or quotes, and a signature of"
    " the exact form; refuse before the HMAC."
)


def _severe_with_effect(judgement: Judgement) -> Judgement:
    """An effect breaks the contract; a mere 2xx, which a queue gives to anything, warns."""
    if isinstance(judgement, Breach) and judgement.effects is not None:
        return at(Level.MUST, judgement)
    return at(Level.SHOULD, judgement)


@rule(
    id="forged-shift-nonce",
    level=Level.SHOULD,
    title="A body's beginning moved into the nonce is refused",
    requirement="A request whose nonce took over the beginning of the signed body SHOULD be"
    " refused, and MUST NOT have an effect.",
    source="Standard Webhooks: identifiers must not contain the separator, against such attacks",
    remedy=STRICT,
    needs=(Need.NONCE, Need.BODY),
    after=(*VERIFIES, "valid-key-order"),  # its captures have their members in another order
)
def shift_nonce(lab: Lab) -> Judgement:
    """A captured request cut at the first and second dot of its body: plain, without a comma in
    the moved part, and percent-encoded; the signature stays."""
    return _severe_with_effect(_nonce_shifts(lab))


@means("it takes any text for a nonce, so that the signed bytes can be cut elsewhere")
@refused
def _nonce_shifts(lab: Lab) -> Iterator[Case]:
    separator = _between(lab, "nonce", "body")
    if separator is None:
        return
    for words, body in (("", _marked_first(lab)), (" without a comma", _dotted_first(lab))):
        if separator.encode() not in body or not lab.conforms(body):
            continue
        captured = lab.captured(body)
        for cut in (1, 2):
            shifted = _into_nonce(captured, separator, cut)
            if shifted is not None:
                yield Case(f"a body cut at dot {cut} into its nonce{words}", shifted.request)
        shifted = _into_nonce(captured, separator, 1)
        if shifted is not None:
            encoded = shifted.with_nonce(quote(shifted.nonce, safe=""))
            yield Case(f"a body moved into a percent-encoded nonce{words}", encoded.request)


@rule(
    id="forged-shift-timestamp",
    level=Level.SHOULD,
    title="A nonce moved into the timestamp is refused",
    requirement="A request whose timestamp took over the nonce SHOULD be refused, whatever its age,"
    " and MUST NOT have an effect.",
    source="our judgement: lenient number parsers read such a timestamp as the original, as the far"
    " future, or as no number, which is never too old",
    remedy=STRICT,
    needs=(Need.TIMESTAMP, Need.NONCE, Need.BODY),
    after=(*AGES, "valid-key-order"),
)
def shift_timestamp(lab: Lab) -> Judgement:
    """The nonce moved into the timestamp and the body's beginning into the nonce; the capture once
    fresh, once ten days old."""
    return _severe_with_effect(_timestamp_shifts(lab))


@means("it takes any text for a timestamp, so that the signed bytes can be cut elsewhere")
@refused
def _timestamp_shifts(lab: Lab) -> Iterator[Case]:
    first, second = _between(lab, "timestamp", "nonce"), _between(lab, "nonce", "body")
    if first is None or second is None:
        return
    for words, age in (("a fresh", 0), ("a ten days old", TEN_DAYS)):
        for body in (_marked_first(lab), _dotted_first(lab)):
            genuine = lab.genuine(body, timestamp=lab.clock() - age)
            head, found, tail = body.partition(second.encode())
            if found:
                shifted = (
                    genuine.with_timestamp(f"{genuine.timestamp}{first}{genuine.nonce}")
                    .with_nonce(head.decode("latin-1"))
                    .with_body(tail)
                )
                yield Case(f"{words} request with its nonce in the timestamp", shifted.request)


def _between(lab: Lab, left: str, right: str) -> str | None:
    """Return the separator between two values in the signed content; None if they do not touch."""
    names, literals = lab.scheme.content.names, lab.scheme.content.literals
    for place, pair in enumerate(pairwise(names)):
        if pair == (left, right):
            return literals[place + 1] or None
    return None


def _into_nonce(delivery: Delivery, separator: str, cut: int) -> Delivery | None:
    parts = delivery.body.split(separator.encode(), cut)
    if len(parts) <= cut:
        return None
    head = separator.encode().join(parts[:cut]).decode("latin-1")
    return delivery.with_nonce(f"{delivery.nonce}{separator}{head}").with_body(parts[cut])


def _marked_first(lab: Lab) -> bytes:
    """Return an event that begins with its marker, so that no two heads of events are alike."""
    return lab.written(_with_first(lab.value(), (lab.webhook.marker or "").split("/")[1:]))


def _dotted_first(lab: Lab) -> bytes:
    """Return an event whose first member holds a dot before any comma, and is like no other."""
    if not lab.bodies.texts:
        return _marked_first(lab)
    value = lab.value(texts=(f"{lab.random.getrandbits(64):x}.v2",))
    return lab.written(_with_first(value, lab.bodies.texts[0].split("/")[1:]))


def _with_first(value: JsonValue, way: list[str]) -> JsonValue:
    """Return the value with the members on the way to a place moved to the front."""
    if not way or not isinstance(value, dict) or way[0] not in value:
        return value
    inner = _with_first(value[way[0]], way[1:])
    return {way[0]: inner, **{key: item for key, item in value.items() if key != way[0]}}


RULES: tuple[Rule, ...] = (shift_nonce, shift_timestamp)
