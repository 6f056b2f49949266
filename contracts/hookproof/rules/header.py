"""Malformed signature headers, which anyone can send: refused calmly, or answered at all.

No answer of these is logged as a refusal: what breaks here would only be told again there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import wraps

from hookproof import header_items
from hookproof.fresh import fresh_nonce
from hookproof.judging import CaseMaker, at, judge_sent, worst
from hookproof.judging_calm import calmly_refused, judge_survived, not_calm, survived
from hookproof.lab import Case, Lab, outcome
from hookproof.rule import Check, Need, Rule, Who, rule
from hookproof.rules import culprits
from hookproof.rules.roots import VERIFIES
from hookproof.targets.base import Failure
from hookproof.verdicts import Breach, Judgement, Level, Outcome, Unproven
from hookproof.wording import answer, listed
from hookproof_spec.scheme import Encoding
from hookproof_spec.signing import Delivery
from hookproof_spec.templates import ItemsHeader, PlainHeader

HIGH_BYTE = "\xe9"
OVERSIZED = (7_000, 20_000)
TIMESTAMPS = (
    "abc",
    "",
    "-",
    "1e400",
    "NaN",
    "9" * 20,
    "9" * 400,
    "9" * 5_000,
    "166033814\xb2",
    "0x10",
    "1_0",
)
METACHARACTERS = ("a'b\"c", "$ne", "{{7*7}}", "%0d%0a", "../../x")
LONG_SHOWN = 24


def _calm(make: CaseMaker) -> Check:
    """Return a check that every case is refused calmly, where ordinary forgeries are."""
    check = calmly_refused(make)

    @wraps(make)
    def calm(lab: Lab) -> Judgement:
        return culprits.of_its_own(lab, check(lab), culprits.forged(lab))

    return calm


def _shown(text: str) -> str:
    return repr(text) if len(text) <= LONG_SHOWN else f"{text[:4]!r}… ({len(text)} characters)"


# --- the whole header -------------------------------------------------------------------------


@rule(
    id="header-garbage",
    level=Level.MUST,
    title="A broken signature header is refused calmly",
    requirement="A signature header that cannot be parsed MUST be answered 4xx.",
    source="our judgement: anyone can send it, and a crash fills logs and ends workers",
    remedy="Parse defensively, and turn every parse error into 400 or 401.",
    who=Who.ANYONE,
    after=VERIFIES,
)
@_calm
def garbage(lab: Lab) -> Iterator[Case]:
    """Events whose signature header is `x`, `,`, `=`, `====`, `a=b,c=d`; its keys or its prefix
    without values; its items doubled, or with another separator."""
    for text in dict.fromkeys((*_words(lab), *_of_its_shape(lab))):
        request = header_items.with_value(lab.genuine(), text)
        yield Case(f"the signature header {_shown(text)}", request)


def _words(lab: Lab) -> tuple[str, ...]:
    comma = header_items.separator_of(lab.genuine())
    return ("x", comma, "=", "====", comma * 3, f"a=b{comma}c=d", "{}", '"')


def _of_its_shape(lab: Lab) -> Iterator[str]:
    """Yield headers that begin as a right one does."""
    match lab.scheme.signature_place.shape:
        case ItemsHeader(separator=separator, keys=keys):
            first, other = next(iter(keys)), ";" if separator != ";" else ","
            yield first
            yield f"{first}="
            yield separator.join(f"{key}=" for key in keys)
            yield f"{first}=1{separator}{first}=1"
            yield other.join(f"{key}={place}" for place, key in enumerate(keys, 1))
        case PlainHeader(prefix=prefix) if prefix:
            yield prefix
            yield prefix[:-1]
            yield prefix * 2


@rule(
    id="header-oversized",
    level=Level.SHOULD,
    title="An oversized signature header does no harm",
    requirement="A signature header of 7 or 20 KB SHOULD be answered 4xx, or its connection be"
    " closed.",
    source="our judgement: limits differ from server to server",
    remedy="Cap the header's length before parsing it.",
    who=Who.ANYONE,
    after=VERIFIES,
)
def oversized(lab: Lab) -> Judgement:
    """Events with a random signature whose nonce (or signature, where there is none) is padded to
    7,000 and to 20,000 characters; a closed connection is an answer here."""
    before = lab.effects()
    sent = [lab.send(case) for case in _padded(lab)]
    answered = [e for e in sent if e.exchange.failure is not Failure.CLOSED]
    hurt = not_calm(lab, answered, "4xx, or a closed connection")
    if hurt is not None:
        return culprits.of_its_own(lab, hurt, culprits.forged(lab))
    judged = judge_sent(lab, answered, before, _padded)
    taken = isinstance(judged, Breach) and judged.level is None
    return at(Level.MUST, judged) if taken else judged


def _padded(lab: Lab) -> Iterator[Case]:
    for size in OVERSIZED:
        forged = lab.genuine().with_signature(lab.random_signature())
        if lab.scheme.nonce is None:
            padded, words = forged.with_signature("a" * size), "signature"
        else:
            padded, words = forged.with_nonce(forged.nonce.ljust(size, "a")), "nonce"
        yield Case(f"a {words} of {size:,} characters", padded.request)


# --- its values -------------------------------------------------------------------------------


@rule(
    id="header-non-ascii",
    level=Level.MUST,
    title="Bytes beyond ASCII in the header are refused calmly",
    requirement="A signature or nonce of bytes beyond ASCII MUST be answered 4xx.",
    source="our judgement: comparing text in constant time raises an error on such letters",
    remedy="Compare bytes, not text.",
    who=Who.ANYONE,
    after=VERIFIES,
)
@_calm
def non_ascii(lab: Lab) -> Iterator[Case]:
    """Events whose signature, and whose nonce, is of the byte E9 in its whole length."""
    genuine = lab.genuine()
    strange = genuine.with_signature(HIGH_BYTE * len(genuine.signatures[0]))
    yield Case("a signature of bytes beyond ASCII", strange.request)
    if lab.scheme.nonce is not None and lab.scheme.covers("nonce"):
        renamed = lab.genuine().with_nonce(HIGH_BYTE * len(genuine.nonce))
        yield Case("a nonce of bytes beyond ASCII", renamed.request)


@rule(
    id="header-signature-shape",
    level=Level.MUST,
    title="A signature of another length or alphabet is refused calmly",
    requirement="A signature that has not the declared form MUST be answered 4xx; one with letters"
    " behind the right one is best refused too.",
    source="our judgement: comparisons that raise on unequal lengths exist, and lenient decoders",
    remedy="Check the exact length and alphabet before decoding.",
    who=Who.ANYONE,
    after=VERIFIES,
)
def signature_shape(lab: Lab) -> Judgement:
    """Events with a signature of one letter, one too short, one too long, twice as long, of 4,000;
    of letters that no digit is; and with `00` and `zz` behind the right one."""
    return worst(_misshapen(lab), culprits.of_its_own(lab, _tailed(lab), culprits.forged(lab)))


@_calm
def _misshapen(lab: Lab) -> Iterator[Case]:
    length = len(lab.random_signature())
    for size in (1, length - 1, length + 1, 2 * length, 4_000):
        genuine = lab.genuine()
        text = _other_letter(genuine) * size
        words = "one character" if size == 1 else f"{size:,} characters"
        yield Case(f"a signature of {words}", genuine.with_signature(text).request)
    letter = "z" if lab.scheme.encoding is Encoding.HEX else "~"
    odd = lab.genuine().with_signature(letter * length)
    yield Case(f"a signature of {letter!r} in its whole length", odd.request)
    if lab.scheme.encoding is Encoding.HEX:
        yield _with_tail(lab, "00")


def _other_letter(delivery: Delivery) -> str:
    """Return a letter with which the right signature does not begin.

    A receiver that compares a prefix would else accept it now and then.
    """
    return "b" if delivery.signatures[0].startswith("a") else "a"


def _with_tail(lab: Lab, tail: str) -> Case:
    genuine = lab.genuine()
    tailed = genuine.with_signature(genuine.signatures[0] + tail)
    return Case(f"the right signature with {tail!r} behind it", tailed.request)


def _tailed(lab: Lab) -> Judgement:
    """Letters that a decoder skips leave the right signature: worth telling, and no more."""
    before = lab.effects()
    sent = [lab.send(_with_tail(lab, "zz"))]
    taken = outcome(sent[0]) is Outcome.ACCEPTED
    if taken and before is not None:
        taken = lab.watcher.wait_for(before.count + 1).count > before.count
    judged = judge_survived(lab, sent)
    if isinstance(judged, Breach | Unproven) or not taken:
        return judged
    return Breach(
        level=Level.INFO,
        message=f"accepts {listed(sent)}: {answer(sent[0].exchange)}",
        expected="a refusal (4xx)",
        evidence=tuple(sent),
    )


@rule(
    id="header-timestamp-shape",
    level=Level.MUST,
    title="A timestamp that breaks number parsing is refused calmly",
    requirement="A timestamp that is no time, under a random signature, MUST be answered 4xx.",
    source="our judgement: shows only where it is parsed before the signature is checked, which is"
    " the order an outsider can reach",
    remedy="Match the timestamp against digits of ASCII and a length before converting it.",
    who=Who.ANYONE,
    needs=(Need.TIMESTAMP,),
    after=VERIFIES,
)
@_calm
def timestamp_shape(lab: Lab) -> Iterator[Case]:
    """Events with a random signature and the timestamp `abc`, nothing, `-`, `1e400`, `NaN`, 20, 400
    and 5,000 nines, a superscript digit, `0x10`, `1_0`."""
    for text in TIMESTAMPS:
        forged = lab.genuine().with_signature(lab.random_signature()).with_timestamp(text)
        yield Case(f"the timestamp {_shown(text)}", forged.request)


# --- signed, and laid out or spelt otherwise --------------------------------------------------


@rule(
    id="header-layout",
    level=Level.INFO,
    title="Another layout of a genuine header does no harm",
    requirement="A genuine header laid out otherwise is best answered 2xx or 4xx.",
    source="our judgement: correct receivers differ in what they accept",
    remedy="Parse by name, trim around separators, ignore unknown names.",
    who=Who.SECRET,
    after=VERIFIES,
)
@survived
def layout(lab: Lab) -> Iterator[Case]:
    """Signed events with spaces between the header's items, another order, an unknown item, a
    signature in capitals, a UUID as nonce, a dot in the nonce."""
    yield from _layouts(lab)
    yield from _other_nonces(lab)
    if lab.scheme.encoding is Encoding.HEX:
        genuine = lab.genuine()
        shouted = genuine.with_signature(genuine.signatures[0].upper())
        yield Case("a signature in capitals", shouted.request)


def _layouts(lab: Lab) -> Iterator[Case]:
    if not isinstance(lab.scheme.signature_place.shape, ItemsHeader):
        return
    spaced = lab.genuine()
    text = f"{header_items.separator_of(spaced)} ".join(header_items.items_of(spaced))
    yield Case("spaces between the header's items", header_items.with_value(spaced, text))
    turned = lab.genuine()
    items = header_items.items_of(turned)[::-1]
    yield Case("the header's items in reverse", header_items.with_items(turned, items))
    more = lab.genuine()
    items = (*header_items.items_of(more), "x=1")
    yield Case("an unknown item in the header", header_items.with_items(more, items))


def _other_nonces(lab: Lab) -> Iterator[Case]:
    if lab.scheme.nonce is None:
        return
    yield Case("a UUID as nonce", lab.genuine(nonce=str(uuid.uuid4())).request)
    nonce = lab.nonce()
    half = len(nonce) // 2
    dotted = f"{nonce[:half]}.{nonce[half:]}"
    yield Case("a nonce with a dot in it", lab.genuine(nonce=dotted).request)


@rule(
    id="header-nonce-metacharacters",
    level=Level.SHOULD,
    title="Quotes and templates in a signed nonce do no harm",
    requirement="A signed nonce of characters that mean something elsewhere SHOULD be answered 2xx"
    " or 4xx.",
    source="our judgement: the nonce goes into a key of a database, or into a path",
    remedy="Use parameterised queries and a strict alphabet.",
    who=Who.SECRET,
    needs=(Need.NONCE,),
    after=VERIFIES,
)
@survived
def nonce_metacharacters(lab: Lab) -> Iterator[Case]:
    """Signed events whose nonce begins with quotes, `$ne`, `{{7*7}}`, `%0d%0a`, `../../x`."""
    for text in METACHARACTERS:
        nonce = text + fresh_nonce(None)[:12]  # new each time, or a second try is a replay
        yield Case(f"a nonce that begins with {text}", lab.genuine(nonce=nonce).request)


RULES: tuple[Rule, ...] = (
    garbage,
    non_ascii,
    signature_shape,
    timestamp_shape,
    oversized,
    layout,
    nonce_metacharacters,
)
