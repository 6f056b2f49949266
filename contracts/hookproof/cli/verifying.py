"""What `hookproof verify` does with its options: prepare everything, run, tell every report."""

from __future__ import annotations

import secrets as system
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import final

import click

from hookproof.baseline import Baseline, Keeper
from hookproof.catalogue import select
from hookproof.cli.addresses import checked_headers, checked_url, refuse_foreign
from hookproof.cli.restart import Restart
from hookproof.cli.secret import SecretSource
from hookproof.cli.signals import ended_gently, undisturbed
from hookproof.cli.verify import Options
from hookproof.effects import UrlProbe
from hookproof.events import Event, ExitStatus, RuleFinished, RunFinished
from hookproof.lab import Hooks
from hookproof.redact import Redactor
from hookproof.reports import Report
from hookproof.reports.formats import open_reports, saved_by
from hookproof.reports.outcome import exit_code
from hookproof.reports.subject import UNKNOWN, Subject
from hookproof.reports.terminal import TerminalReport
from hookproof.run import Setup, run
from hookproof.targets.http import HttpTarget
from hookproof.verdicts import ForgedPolicy, Policy, ReplayPolicy, Verdict
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Header
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.webhook import Webhook


def perform(options: Options) -> int:
    """Run the contract and return the exit status.

    Raises:
        HookproofError: the run could not be prepared, or a report not be written.
    """
    open_reports(options.report)  # a report that cannot be written is told before anything else
    setup = prepared(options)
    terminal = TerminalReport(
        options.output.console(), options.output.detail, saved_by(options.report)
    )
    reports: list[Report] = [terminal, *open_reports(options.report, _subject(options, setup))]
    secrets = [secret for secret in (setup.secret, setup.other_secret) if secret is not None]
    redactor = Redactor(secrets, setup.webhook.scheme)
    keeper = _keeper(options)
    with closing(setup.target), ended_gently():
        status = told(keeper.events(redactor.events(run(setup))), reports)
    if options.baseline_update and keeper.finished:
        return _updated(keeper, options.baseline_reason)
    return status


def _keeper(options: Options) -> Keeper:
    """Return what applies the baseline; where there is none, nothing is accepted."""
    today = datetime.now(UTC).date()
    if options.baseline is None:
        if options.baseline_update or options.baseline_reason is not None:
            raise HookproofError(
                "it is not said which", where="--baseline-update", hint="add --baseline PATH"
            )
        return Keeper(Baseline(Path()), today, options.ruleset)
    path = Path(options.baseline)
    if options.baseline_update:
        Baseline(path).file()  # told before the run, which may take long
    if options.baseline_update and not path.exists():
        return Keeper(Baseline(path), today, options.ruleset)
    return Keeper(Baseline.read(path), today, options.ruleset)


def _updated(keeper: Keeper, reason: str | None) -> int:
    baseline = keeper.updated(reason)
    baseline.write()
    status = keeper.status_when_accepted()
    click.echo(
        f"baseline {baseline.path}: {len(baseline.accepted)} accepted;"
        f" with it, exit {int(status)}: {status.words}",
        err=True,
    )
    return int(status)


def _subject(options: Options, setup: Setup) -> Subject:
    if not options.report:
        return UNKNOWN
    return Subject.of(setup.webhook, options.source.spec, signed=setup.secret is not None)


def prepared(options: Options) -> Setup:
    """Check every option and return what a run needs; nothing has been sent yet.

    Raises:
        HookproofError: something is wrong with one of them.
    """
    url = checked_url(options.url, "verify URL")
    refuse_foreign(url, options.allow_host)
    selection = select(options.only, options.skip)
    document, webhook = options.source.load()
    _unsigned_allowed(options, webhook)
    lines = Lines(
        headers=checked_headers(options.header, webhook.scheme),
        ca_file=_readable(options.ca_file),
        insecure=options.insecure,
        timeout=options.timeout,
    )
    return Setup(
        webhook=webhook,
        spec=document.name,
        secret=None if options.unsigned else options.secret.read(webhook.scheme),
        other_secret=_other_secret(options, webhook.scheme),
        target=lines.target(url),
        probe=lines.probe(options.effects_url),
        effect_timeout=options.effect_timeout,
        hooks=Hooks(
            also=lines.also(options.also_url, options.allow_host),
            restart=None if options.restart_command is None else Restart(options.restart_command),
        ),
        policy=Policy(
            replay=ReplayPolicy(options.replay),
            forged=ForgedPolicy(options.forged),
            tolerance=options.tolerance,
        ),
        seed=system.randbelow(2**32) if options.seed is None else options.seed,
        examples=options.examples,
        rules=selection.rules,
        skipped=selection.skipped,
        skip_reasons=options.skip_reasons,
        ruleset=options.ruleset,
        strict=options.strict,
        rate=options.rate,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """How the receiver, its probe and its other instance are reached; `timeout` in seconds."""

    headers: tuple[Header, ...]
    ca_file: str | None
    insecure: bool
    timeout: float

    def target(self, url: str) -> HttpTarget:
        """Return a target that sends with these."""
        return HttpTarget(
            url,
            timeout=self.timeout,
            headers=self.headers,
            ca_file=self.ca_file,
            insecure=self.insecure,
        )

    def also(self, url: str | None, allowed: tuple[str, ...]) -> HttpTarget | None:
        """Return the target of another instance."""
        if url is None:
            return None
        checked = checked_url(url, "--also-url")
        refuse_foreign(checked, allowed)
        return self.target(checked)

    def probe(self, url: str | None) -> UrlProbe | None:
        """Return a probe that asks with these."""
        if url is None:
            return None
        return UrlProbe(
            checked_url(url, "--effects-url"),
            timeout=self.timeout,
            headers=self.headers,
            ca_file=self.ca_file,
            insecure=self.insecure,
        )


def _other_secret(options: Options, scheme: SignatureScheme) -> str | None:
    if options.other_secret_env is None:
        return None
    return SecretSource(options.other_secret_env).read(scheme)


def _unsigned_allowed(options: Options, webhook: Webhook) -> None:
    if options.unsigned and not webhook.unsigned_allowed:
        raise HookproofError(
            f"{webhook.name} is always signed",
            where="--unsigned",
            hint="a document allows it with an empty entry in `security`: [{NAME: []}, {}]",
        )


def _readable(path: str | None) -> str | None:
    if path is not None and not Path(path).is_file():
        raise HookproofError(
            f"there is no file {path}", where="--ca-file", hint="name a file of PEM certificates"
        )
    return path


def told(events: Iterable[Event], reports: Iterable[Report]) -> int:
    """Tell every report of every event; return the exit status that the run came to.

    A run ends for its reports even where Ctrl-C came while one of them was being told.

    Raises:
        HookproofError: a report could not be written; the others were.
    """
    listening = tuple(reports)
    seen: list[Event] = []
    try:
        for event in events:
            seen.append(event)
            with undisturbed():  # or one report would know of it and another not
                _tell(event, listening)
    except KeyboardInterrupt:
        if not (seen and isinstance(seen[-1], RunFinished)):
            seen.append(ended(seen))
            _tell(seen[-1], listening)
    last = seen[-1] if seen else None
    return exit_code(last) if isinstance(last, RunFinished) else int(ExitStatus.NOT_RUN)


def _tell(event: Event, reports: Iterable[Report]) -> None:
    failures: list[HookproofError] = []
    for report in reports:
        try:
            report.hear(event)
        except HookproofError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def ended(seen: Iterable[Event]) -> RunFinished:
    """Return the end of a run that was interrupted, made from what it had told."""
    results = [event.result for event in seen if isinstance(event, RuleFinished)]
    summary = Counter(result.verdict for result in results)
    return RunFinished(
        exit=ExitStatus.NOT_RUN,
        summary={verdict: summary[verdict] for verdict in Verdict},
        requests=sum(result.requests for result in results),
        seconds=sum(result.seconds for result in results),
        complete=False,
    )
