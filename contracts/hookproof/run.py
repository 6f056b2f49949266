"""The run: rules against a receiver, told as a stream of events."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import final

from hookproof.courier import Courier, Unreachable
from hookproof.effects import Probe, ProbeError
from hookproof.events import (
    Event,
    ExitStatus,
    RuleFinished,
    RuleResult,
    RuleStarted,
    RunFinished,
    RunStarted,
)
from hookproof.lab import NO_HOOKS, CannotTell, Hooks, Lab
from hookproof.needs import met
from hookproof.rule import CURRENT, Category, Rule, Who
from hookproof.targets.base import Target
from hookproof.verdicts import (
    DECLARED_NOTHING,
    Breach,
    Evidence,
    Holds,
    Judgement,
    Level,
    NotApplicable,
    Policy,
    Unproven,
    Verdict,
)
from hookproof.watcher import Watcher
from hookproof_spec.scheme import Algorithm, SignatureScheme
from hookproof_spec.templates import Template
from hookproof_spec.webhook import Webhook

UNSIGNED_TOO = (Category.VALID, Category.PAYLOAD)
"""The categories that say something of a receiver which verifies nothing."""
NO_SECRET = "unsigned"
"""Stands where a key must be; nothing that it makes is sent."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything a run needs. Times are in seconds; the two clocks are given for tests.

    `secret` is None where the receiver runs without one and takes unsigned requests. Rules that are
    younger than `ruleset` run and are told, and are not scored. `skip_reasons` says why a rule, or
    a category, is left out by the configuration.
    """

    webhook: Webhook
    spec: str
    document: str = ""
    """The document's name or path, as it was given."""
    secret: str | None = field(repr=False)
    other_secret: str | None = field(default=None, repr=False)
    target: Target
    probe: Probe | None = None
    policy: Policy = DECLARED_NOTHING
    seed: int = 0
    examples: int = 30
    search_seconds: float = 5.0
    rules: tuple[Rule, ...]
    skipped: tuple[Rule, ...] = ()
    skip_reasons: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    ruleset: int = CURRENT
    effect_timeout: float = 5.0
    rate: float | None = None
    hooks: Hooks = NO_HOOKS
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


def lab_for(setup: Setup) -> Lab:
    """Return the bench at which a setup's rules work."""
    return Lab(
        webhook=setup.webhook if setup.secret is not None else unsigned(setup.webhook),
        secret=setup.secret if setup.secret is not None else NO_SECRET,
        other_secret=setup.other_secret,
        signs=setup.secret is not None,
        courier=Courier(setup.target, setup.rate),
        watcher=Watcher(setup.probe, setup.effect_timeout),
        policy=setup.policy,
        clock=setup.clock,
        random=random.Random(setup.seed),
        seed=setup.seed,
        examples=setup.examples,
        search_seconds=setup.search_seconds,
        hooks=setup.hooks,
    )


def unsigned(webhook: Webhook) -> Webhook:
    """Return the webhook as it is sent where no secret was created: nothing is carried."""
    bare = SignatureScheme(Algorithm.HMAC_SHA256, Template.parse("{body}"), headers=())
    return replace(webhook, scheme=bare)


def started_event(setup: Setup) -> RunStarted:
    """Return how a run with this setup begins."""
    return RunStarted(
        target=setup.target.url,
        spec=setup.spec,
        webhook=setup.webhook.name,
        scheme="unsigned" if setup.secret is None else setup.webhook.scheme.describe(),
        policy=setup.policy,
        effects="by probe" if setup.probe is not None else "by status alone",
        seed=setup.seed,
        rules=setup.rules,
        started=setup.clock(),
        document=setup.document,
    )


def run(setup: Setup) -> Iterator[Event]:
    """Run the rules and tell what happens.

    The last event is always `RunFinished`; after Ctrl-C it tells what is known until then.
    """
    yield started_event(setup)
    begun = setup.monotonic()
    lab = lab_for(setup)
    results: dict[str, RuleResult] = {}
    for rule in setup.skipped:
        yield RuleFinished(rule, left_out(rule, setup.skip_reasons, "left out by --skip"))
    reason, complete = "", True
    try:
        for rule in setup.rules:
            yield RuleStarted(rule)
            results[rule.id] = try_rule(rule, lab, results, setup)
            yield RuleFinished(rule, results[rule.id])
    except Unreachable as error:
        reason = str(error)
    except KeyboardInterrupt:
        complete = False
    yield _finished(
        setup,
        results,
        lab,
        seconds=setup.monotonic() - begun,
        reason=reason,
        complete=complete,
    )


def left_out(rule: Rule, reasons: Mapping[str, str], otherwise: str) -> RuleResult:
    """Return the result of a rule that is left out; `reasons` are by rule, category or `core`."""
    words = (rule.id, rule.category.value, *(["core"] if rule.core else []))
    reason = next((reasons[word] for word in words if word in reasons), "")
    message = f"left out: {reason}" if reason else otherwise
    return RuleResult(verdict=Verdict.SKIPPED, message=message)


def _finished(
    setup: Setup,
    results: dict[str, RuleResult],
    lab: Lab,
    *,
    seconds: float,
    reason: str,
    complete: bool,
) -> RunFinished:
    summary = Counter(result.verdict for result in results.values())
    summary[Verdict.SKIPPED] += len(setup.skipped)
    return RunFinished(
        exit=ExitStatus.NOT_RUN if reason else exit_status(_scored(setup), results),
        summary={verdict: summary[verdict] for verdict in Verdict},
        requests=lab.courier.sent,
        seconds=seconds,
        complete=complete and not reason,
        reason=reason,
        notes=_notes(lab),
    )


def _scored(setup: Setup) -> tuple[Rule, ...]:
    return tuple(rule for rule in setup.rules if rule.since <= setup.ruleset)


def exit_status(rules: tuple[Rule, ...], results: dict[str, RuleResult]) -> ExitStatus:
    """Return the exit status of a run, from how its rules ended."""
    verdicts = {result.verdict for result in results.values()}
    if Verdict.FAIL in verdicts:
        return ExitStatus.BROKEN
    if not verdicts - {Verdict.NOT_APPLICABLE, Verdict.SKIPPED}:
        return ExitStatus.NOT_RUN
    open_musts = [
        rule
        for rule in rules
        if rule.level is Level.MUST
        and rule.id in results
        and results[rule.id].verdict in (Verdict.UNPROVEN, Verdict.BLOCKED)
    ]
    return ExitStatus.UNPROVEN if open_musts else ExitStatus.PROVEN


def _notes(lab: Lab) -> tuple[str, ...]:
    notes = []
    if lab.watcher.broken:
        notes.append(f"judged by status alone: {lab.watcher.broken}")
    if lab.courier.skew is not None and abs(lab.courier.skew) > 5:
        notes.append(f"the receiver's clock differs from ours by {lab.courier.skew:+.0f} s")
    return tuple(notes)


# --- one rule ---------------------------------------------------------------------------------


def try_rule(rule: Rule, lab: Lab, results: dict[str, RuleResult], setup: Setup) -> RuleResult:
    """Try one rule, unless something it stands on has failed or is missing.

    Raises:
        Unreachable: the receiver was never there.
    """
    missing = _missing(rule, lab)
    if missing:
        return RuleResult(verdict=Verdict.NOT_APPLICABLE, message=f"needs {missing}")
    cause = _cause(rule, results)
    if cause is not None:
        return RuleResult(
            verdict=Verdict.BLOCKED, message=f"{cause} failed", settle=f"mend {cause}"
        )
    begun, sent = setup.monotonic(), lab.courier.sent
    judgement = _confirmed(rule, lab)
    result = _result(rule, judgement, strict=setup.strict)
    return replace(
        result if rule.since <= setup.ruleset else _unscored(rule, result),
        requests=lab.courier.sent - sent,
        seconds=setup.monotonic() - begun,
    )


def _missing(rule: Rule, lab: Lab) -> str:
    if not lab.signs and rule.category not in UNSIGNED_TOO:
        return "a receiver that verifies signatures"
    return next((need.value for need in rule.needs if not met(need, lab)), "")


def _cause(rule: Rule, results: dict[str, RuleResult]) -> str | None:
    """Return the rule whose failure would only be told again, were this rule tried."""
    broken = (Verdict.FAIL, Verdict.BLOCKED)
    return next((id for id in rule.after if id in results and results[id].verdict in broken), None)


def _confirmed(rule: Rule, lab: Lab) -> Judgement:
    """Try a rule; look for a breach once more with new values before it is believed."""
    first = _tried(rule, lab)
    if not isinstance(first, Breach):
        return first
    for _ in range(rule.repeats):
        again = _tried(rule, lab)
        if isinstance(again, Breach):
            return first
    return Unproven(
        message=f"seen once and not again: {first.message}",
        settle="run it again; a receiver that behaves alike each time is judged for certain",
        evidence=(*first.evidence, *_evidence(again)),
    )


def _tried(rule: Rule, lab: Lab) -> Judgement:
    lab.logging = rule.who is not Who.SECRET
    try:
        return rule.check(lab)
    except CannotTell as error:
        return error.judgement
    except ProbeError as error:
        lab.watcher.give_up(str(error))
        return _tried(rule, lab)


def _evidence(judgement: Judgement) -> tuple[Evidence, ...]:
    return () if isinstance(judgement, NotApplicable) else judgement.evidence


def _result(rule: Rule, judgement: Judgement, *, strict: bool) -> RuleResult:
    match judgement:
        case Holds():
            return RuleResult(
                verdict=Verdict.PASS, message=judgement.message, evidence=judgement.evidence
            )
        case Breach():
            return RuleResult(
                verdict=_breach_verdict(judgement.level or rule.level, strict=strict),
                message=judgement.message,
                expected=judgement.expected,
                evidence=judgement.evidence,
                effects=judgement.effects,
                script=judgement.script,
            )
        case Unproven():
            return RuleResult(
                verdict=Verdict.UNPROVEN,
                message=judgement.message,
                settle=judgement.settle,
                evidence=judgement.evidence,
            )
        case NotApplicable():
            return RuleResult(verdict=Verdict.NOT_APPLICABLE, message=judgement.message)


def _unscored(rule: Rule, result: RuleResult) -> RuleResult:
    """Return the result of a rule that is younger than the rule set: told, and no more."""
    message = f"not scored, as it came with rule set {rule.since}: {result.message}"
    if result.verdict in (Verdict.FAIL, Verdict.WARN):
        return replace(result, verdict=Verdict.INFO, message=message)
    return result


def _breach_verdict(level: Level, *, strict: bool) -> Verdict:
    if level is Level.MUST or (strict and level is Level.SHOULD):
        return Verdict.FAIL
    return Verdict.WARN if level is Level.SHOULD else Verdict.INFO
