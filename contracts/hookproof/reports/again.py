"""How to see a finding again: a command, a script that needs nothing of ours, lines for curl."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import final
from urllib.parse import urlsplit

from hookproof.reports.curl import curl_lines
from hookproof.reports.finding import again_line
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.moments import sent_times
from hookproof.reports.resigning import Recorded
from hookproof.reports.script import script
from hookproof.reports.words import Words, is_core, scheme_words
from hookproof.rule import Category, Need
from hookproof.targets.base import IN_PROCESS
from hookproof_spec.scheme import Algorithm

MOST = 256 * 1024
"""Bodies that are longer than this in all stand in no script."""
AT_ONCE = 20
"""So many copies make a race, of which a report may show fewer."""
UNSIGNED: Words = {
    "algorithm": Algorithm.HMAC_SHA256.value,
    "content": "{body}",
    "encoding": "hex",
    "carry": {"header": {}},
}
"""The scheme of a receiver without a secret: nothing is carried."""
ALONE = frozenset({Category.VALID, Category.FORGED, Category.STALE})
COPIES = frozenset({"replay-exact", "replay-race"})
MORE_THAN_SHOWN = frozenset(
    {"valid-nonce-last-char", "valid-same-subject", "valid-same-body", "valid-skew-ahead"}
)
"""What requests show by themselves: whether each is taken or refused, and of a copy whether it was
acted on. Other rules ask for more, and so do these: for a request before the one on record, or for
a time that a report does not tell to the second."""
HOOKS = (Need.RAW, Need.RESTART, Need.CLOCK, Need.FAULT, Need.SECOND_URL)
"""What a rule may do beside sending requests."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Ways to send what a finding stands on again; "" where there is none, and `note` says why.

    `python` is a script for Python 3.11 and its standard library; `curl` is for a POSIX shell with
    python3. Both read the secret from HOOKPROOF_SECRET, sign anew, and hold no secret.
    """

    command: str
    python: str
    curl: str
    note: str


def again(run: RunReport, rule: RuleReport) -> Again | None:
    """Return how to see a finding again; None where there is nothing to see."""
    if not rule.found or not rule.evidence:
        return None
    command = again_line(rule.id, run.saved)
    why_not = _why_not(run, rule)
    if why_not:
        return Again(command=command, python="", curl="", note=why_not)
    case = Case.of(run, rule)
    return Again(
        command=command,
        python=script(f"{rule.id}: {rule.title}", _value(run, rule, case)),
        curl=curl_lines(case.distinct, run_words(run), case.loop),
        note=_note(run, rule),
    )


def run_words(run: RunReport) -> Words:
    """Return the words of a run's scheme."""
    return UNSIGNED if run.subject.scheme is None else scheme_words(run.subject.scheme)


def _why_not(run: RunReport, rule: RuleReport) -> str:
    scheme = run.subject.scheme
    if scheme is None and run.scheme != "unsigned":
        return "the report does not say how requests are signed"
    if scheme is not None and not is_core(scheme):
        return f"its signature takes more than a script can: {advice(rule.id)}"
    if scheme is not None and not scheme.algorithm.is_keyed:
        return (
            f"Python's standard library cannot sign with {scheme.algorithm.value};"
            " `hookproof replay` can"
        )
    if sum(len(item.exchange.request.body) for item in rule.evidence) > MOST:
        return "its bodies are too long for a script; `hookproof replay` sends them"
    return ""


def _note(run: RunReport, rule: RuleReport) -> str:
    if urlsplit(run.target).hostname == IN_PROCESS:
        return "the receiver ran inside the tests: start it, and name its URL"
    if rule.category == Category.HTTP or Need.RAW in _needs(rule):
        return "how its bytes were cut into writes and chunks is not repeated"
    return ""


def _needs(rule: RuleReport) -> tuple[Need, ...]:
    from hookproof.catalogue import BY_ID

    known = BY_ID.get(rule.id)
    return known.needs if known is not None else ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is to be sent again, and what came back the first time."""

    recorded: tuple[Recorded, ...]
    statuses: tuple[int | None, ...]
    genuine_first: bool
    """A copy is told from the event itself only when the event came before it."""
    together: bool
    category: str
    counted: bool
    """Whether the finding stands on effects."""
    alone: bool
    """Whether the rule asks nothing beyond what these requests show."""

    @classmethod
    def of(cls, run: RunReport, rule: RuleReport) -> Case:
        """Return the case of a finding."""
        recorded = [
            Recorded(
                item.note,
                item.exchange.request.method,
                item.exchange.request.url,
                item.exchange.request.headers,
                item.exchange.request.body,
                sent,
            )
            for item, sent in zip(rule.evidence, sent_times(run, rule), strict=True)
        ]
        statuses = [item.exchange.status for item in rule.evidence]
        together = Need.TOGETHER in _needs(rule)
        if together and len({(one.headers, one.body) for one in recorded}) == 1:
            missing = max(AT_ONCE - len(recorded), 0)
            recorded += recorded[:1] * missing
            statuses += statuses[:1] * missing
        return cls(
            recorded=tuple(recorded),
            statuses=tuple(statuses),
            genuine_first=rule.category == Category.REPLAY and not together,
            together=together,
            category=judged_as(rule),
            counted=rule.effects is not None,
            alone=not (set(HOOKS) & set(_needs(rule)) or rule.id in MORE_THAN_SHOWN)
            and rule.category in ALONE | ({rule.category} if rule.id in COPIES else set()),
        )

    @property
    def distinct(self) -> tuple[Recorded, ...]:
        """The requests, equal ones once."""
        known = {(one.method, one.url, one.headers, one.body): one for one in self.recorded}
        return tuple(known.values())

    @property
    def loop(self) -> str:
        """How a shell sends each: a copy after its original, a race all at once."""
        if self.together:
            return f"for i in $(seq {len(self.recorded)}); do COMMAND & done; wait"
        return "for i in 1 2; do COMMAND; done" if self.genuine_first else "COMMAND"


def judged_as(rule: RuleReport) -> str:
    """Return the category whose answers a rule asks for: a property says so in its name."""
    return rule.id.split("-")[1] if rule.category == Category.PROPERTY else rule.category


def advice(id: str) -> str:
    """Say what settles what sending it again cannot."""
    return f"`hookproof verify URL --only {id}` tries the rule itself"


def _value(run: RunReport, rule: RuleReport, case: Case) -> dict[str, object]:
    """Return a case as a script takes it."""
    return {
        "scheme": run_words(run),
        "signed": run.subject.scheme is not None,
        "genuine_first": case.genuine_first,
        "together": case.together,
        "category": case.category,
        "counted": case.counted,
        "alone": case.alone,
        "advice": advice(rule.id),
        "requests": [
            {
                "note": one.note,
                "method": one.method,
                "url": one.url,
                "headers": [list(header) for header in one.headers],
                "body": base64.b64encode(one.body).decode(),
                "sent": one.sent,
                "status": status,
            }
            for one, status in zip(case.recorded, case.statuses, strict=True)
        ],
    }
