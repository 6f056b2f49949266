"""What `hookproof replay` does with its options: make the requests, send them, judge with care."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final
from urllib.parse import urlsplit, urlunsplit

from hookproof.cli.addresses import checked_url, host_of, refuse_foreign
from hookproof.cli.options import Output
from hookproof.cli.replay import Options
from hookproof.cli.rerunning import Receiver, tried
from hookproof.courier import OWN_CONNECTION
from hookproof.effects import UrlProbe
from hookproof.redact import Redactor
from hookproof.reports.again import Case, advice, run_words
from hookproof.reports.console import Style
from hookproof.reports.exchanges import answer_lines, printable, request_lines, status_words
from hookproof.reports.json_reading import read_report
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.resigning import Maker, Recorded, Remade, Scheme
from hookproof.reports.telling import (
    CANNOT_TELL,
    NO_ANSWER,
    NOT_SEEN,
    REFUSED_EACH,
    SEEN,
    Facts,
    Told,
    told,
)
from hookproof.reports.terminal import Detail
from hookproof.reports.words import is_core
from hookproof.rule import Category
from hookproof.targets.base import IN_PROCESS, Exchange, Failure
from hookproof.targets.http import HttpTarget
from hookproof_spec.errors import HookproofError, did_you_mean
from hookproof_spec.request import Request
from hookproof_spec.scheme import Algorithm, SignatureScheme
from hookproof_spec.signing import Signer

POLL = 0.05


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """The requests to send; `made` says of each recorded one how well it could be made anew."""

    first: Recorded | None
    made: tuple[Remade, ...]


def perform(options: Options) -> int:
    """Send a finding again and return the exit status.

    Raises:
        HookproofError: the report, the finding, the secret or an address cannot be used.
    """
    run = read_report(Path(options.report))
    rule = _finding(run, options)
    url = _url(run, options)
    case = Case.of(run, rule)
    secret = _secret(run, options)
    case = replace(case, recorded=tuple(_to(one, run.target, url) for one in case.recorded))
    plan = _verbatim(case) if options.verbatim else _anew(run, case, secret, options)
    show = Show(options.output, Redactor([secret] if secret else [], run.subject.scheme))
    show.heading(rule, url)
    with closing(_target(options, url)) as target:
        before = _effects(options)
        first, now = show.sent(_reached(_send(target, plan, case), url), plan, case)
    facts = Facts(
        category=case.category,
        then=case.statuses,
        now=now,
        alone=case.alone,
        kept=any(made.kept for made in plan.made),
        mixed=case.category == Category.FORGED and any(made.genuine for made in plan.made),
        counted=case.counted,
        effects=None if before is None else _settled(options, case, before),
        first=first,
        verbatim=options.verbatim,
    )
    conclusion = told(facts, advice(rule.id))
    if conclusion.status == CANNOT_TELL and not options.verbatim:
        conclusion = _tried(run, rule, options, secret) or conclusion
    return show.concluded(conclusion)


def _tried(run: RunReport, rule: RuleReport, options: Options, secret: str) -> Told | None:
    with closing(_target(options, _url(run, options))) as target:
        receiver = Receiver(
            target=target, probe=_probe(options), secret=secret or None, settle=options.settle
        )
        return tried(run, rule, receiver)


def _finding(run: RunReport, options: Options) -> RuleReport:
    tried = {rule.id: rule for rule in run.rules}
    rule = tried.get(options.id)
    if rule is None:
        near = did_you_mean(options.id, tried)
        raise HookproofError(
            f"no rule {options.id!r} in it", where=options.report, hint=near or _listed(run)
        )
    if not rule.found or not rule.evidence:
        what = "has no request on record" if rule.found else f"ended with {rule.verdict.value}"
        raise HookproofError(f"{rule.id} {what}", where=options.report, hint=_listed(run))
    return rule


def _listed(run: RunReport) -> str:
    ids = ", ".join(rule.id for rule in run.findings)
    return f"its findings: {ids}" if ids else "it has no findings"


def _url(run: RunReport, options: Options) -> str:
    """Return where to send; a report is a file that anyone may have written."""
    if options.url is None and host_of(run.target) == IN_PROCESS:
        raise HookproofError(
            "the receiver ran inside the tests", where=options.report, hint="start it: --url URL"
        )
    url = checked_url(options.url or run.target, "--url" if options.url else options.report)
    refuse_foreign(url, options.allow_host)
    return url


def _secret(run: RunReport, options: Options) -> str:
    """Return the secret: to sign with, or else only to keep it out of what is shown."""
    scheme = run.subject.scheme
    if scheme is None:
        return ""
    try:
        return options.secret.read(scheme)
    except HookproofError:
        if options.verbatim:  # nothing is signed, and who gives no secret has none to keep
            return ""
        raise


def _to(one: Recorded, target: str, url: str) -> Recorded:
    """Return a request addressed to `url`, with what it had beyond the target's address."""
    if one.url.startswith(target):
        return replace(one, url=url + one.url[len(target) :])
    there, then = urlsplit(url), urlsplit(one.url)
    moved = there._replace(path=then.path, query=then.query)
    return replace(one, url=urlunsplit(moved))


def _verbatim(case: Case) -> Plan:
    return Plan(None, tuple(map(Remade, case.recorded)))


def _anew(run: RunReport, case: Case, secret: str, options: Options) -> Plan:
    scheme = run.subject.scheme
    if scheme is None and run.scheme != "unsigned":
        raise HookproofError(
            "the report does not say how requests are signed",
            where=run.saved,
            hint="--verbatim sends them as they were",
        )
    if scheme is not None and not is_core(scheme):
        raise HookproofError(
            "its signature takes more than time, nonce and body",
            where=run.saved,
            hint=f"{advice(options.id)}; --verbatim sends the recorded bytes",
        )
    maker = _maker(scheme, Scheme(run_words(run)), secret)
    made = tuple(maker.remade(case.recorded))
    return Plan(maker.genuine(made[0]) if case.genuine_first else None, made)


def _maker(scheme: SignatureScheme | None, words: Scheme, secret: str) -> Maker:
    if scheme is None:
        return Maker(words, words.signer(b""), b"", time.time())
    key = b"" if scheme.algorithm is Algorithm.ED25519 else scheme.key.key(secret)
    return Maker(words, Signer(scheme, secret).signature, key, time.time())


# --- sending ------------------------------------------------------------------------------------


def _target(options: Options, url: str) -> HttpTarget:
    return HttpTarget(
        url, timeout=options.timeout, ca_file=options.ca_file, insecure=options.insecure
    )


def _send(target: HttpTarget, plan: Plan, case: Case) -> list[Exchange]:
    """Return the answers; that to the genuine request, where one goes first, is the first."""
    first = [] if plan.first is None else [_courier_request(plan.first)]
    requests = [_courier_request(made.request) for made in plan.made]
    if case.together:
        return target.send_all(requests, together=True)
    return [target.send(request, OWN_CONNECTION) for request in (*first, *requests)]


def _reached(exchanges: list[Exchange], url: str) -> list[Exchange]:
    """Return the exchanges; a receiver that is not there has shown nothing.

    Raises:
        HookproofError: no connection could be made at all.
    """
    if all(exchange.failure is Failure.UNREACHABLE for exchange in exchanges):
        raise HookproofError(
            f"cannot reach the receiver: {exchanges[0].detail}",
            where=printable(url),
            hint="is it running, and is the address right?",
        )
    return exchanges


def _courier_request(one: Recorded) -> Request:
    return Request(one.method, one.url, one.headers, one.body)


def _probe(options: Options) -> UrlProbe | None:
    if options.effects_url is None:
        return None
    url = checked_url(options.effects_url, "--effects-url")
    return UrlProbe(
        url, timeout=options.timeout, ca_file=options.ca_file, insecure=options.insecure
    )


def _effects(options: Options) -> int | None:
    probe = _probe(options)
    return None if probe is None else probe.read().count


def _settled(options: Options, case: Case, before: int) -> tuple[int, int] | None:
    """Return the effects there were and those there should be, after the time they may take."""
    wanted = _wanted(case)
    if wanted is None:
        return None
    ends = time.monotonic() + options.settle
    seen = (_effects(options) or 0) - before
    while time.monotonic() < ends and seen <= wanted:
        time.sleep(POLL)
        seen = (_effects(options) or 0) - before
    return seen, wanted


def _wanted(case: Case) -> int | None:
    if case.genuine_first or (case.together and len(case.distinct) == 1):
        return 1
    if case.category == Category.VALID:
        return len(case.recorded)
    return 0 if case.category in REFUSED_EACH else None


# --- showing ------------------------------------------------------------------------------------


@final
class Show:
    """Writes what is sent and what comes back, without the secret."""

    def __init__(self, output: Output, redactor: Redactor) -> None:
        self._console = output.console()
        self._detail = output.detail
        self._redactor = redactor

    def heading(self, rule: RuleReport, url: str) -> None:
        """Say what is sent again, and where."""
        if self._detail is Detail.QUIET:
            return
        self._line(f"{rule.id}: {rule.title} [{rule.level.value}, {rule.verdict.value}]")
        self._line(f"  target    {printable(url)}")
        self._line(f"  found     {printable(rule.message)}")
        if rule.expected:
            self._line(f"  expected  {printable(rule.expected)}")
        self._line("")

    def sent(
        self, exchanges: Sequence[Exchange], plan: Plan, case: Case
    ) -> tuple[int | None, list[int | None]]:
        """Show the exchanges; return the statuses of the genuine request and of the others."""
        masked = [self._redactor.exchange(exchange) for exchange in exchanges]
        first = None
        if plan.first is not None:
            genuine, *masked = masked
            first = genuine.status or NO_ANSWER
            self._exchange(plan.first.note, genuine, f"now {_kind(genuine.status)}")
        for made, then, exchange in zip(plan.made, case.statuses, masked, strict=True):
            kept = "  (its signature could not be made as it was)" if made.kept else ""
            told = f"then {_kind(then)}, now {_kind(exchange.status)}{kept}"
            self._exchange(made.request.note, exchange, told)
        return first, [exchange.status for exchange in masked]

    def _exchange(self, note: str, exchange: Exchange, told: str) -> None:
        if self._detail is Detail.QUIET:
            return
        self._line(f"> {printable(self._redactor.text(note))}: {told}")
        if self._detail is Detail.VERBOSE:
            for line in (*request_lines(exchange.request), "", *answer_lines(exchange), ""):
                self._line(f"    {line}".rstrip())

    def concluded(self, conclusion: Told) -> int:
        """Say what it came to."""
        style = {NOT_SEEN: Style.GOOD, SEEN: Style.BAD}.get(conclusion.status, Style.ODD)
        self._line(self._console.paint(conclusion.words, style))
        return conclusion.status

    def _line(self, text: str) -> None:
        self._console.line(text)


def _kind(status: int | None) -> str:
    return "no answer" if status is None else status_words(status)
