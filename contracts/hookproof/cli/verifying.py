"""What `hookproof verify` does with its options: prepare everything, run, tell every report."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hookproof.catalogue import select
from hookproof.cli.addresses import checked_headers, checked_url, refuse_foreign
from hookproof.cli.signals import ended_gently, undisturbed
from hookproof.cli.verify import Options
from hookproof.effects import UrlProbe
from hookproof.events import Event, ExitStatus, RuleFinished, RunFinished
from hookproof.redact import Redactor
from hookproof.reports import Report
from hookproof.reports.formats import open_reports
from hookproof.reports.outcome import exit_code
from hookproof.reports.terminal import TerminalReport
from hookproof.run import Setup, run
from hookproof.targets.http import HttpTarget
from hookproof.verdicts import ForgedPolicy, Policy, ReplayPolicy, Verdict
from hookproof_spec.errors import HookproofError


def perform(options: Options) -> int:
    """Run the contract and return the exit status.

    Raises:
        HookproofError: the run could not be prepared, or a report not be written.
    """
    terminal = TerminalReport(options.output.console(), options.output.detail)
    reports: list[Report] = [terminal, *open_reports(options.report)]
    setup = prepared(options)
    redactor = Redactor([setup.secret], setup.webhook.scheme)
    with closing(setup.target), ended_gently():
        return told(redactor.events(run(setup)), reports)


def prepared(options: Options) -> Setup:
    """Check every option and return what a run needs; nothing has been sent yet.

    Raises:
        HookproofError: something is wrong with one of them.
    """
    url = checked_url(options.url, "verify URL")
    refuse_foreign(url, options.allow_host)
    selection = select(options.only, options.skip)
    document, webhook = options.source.load()
    headers = checked_headers(options.header, webhook.scheme)
    ca_file = _readable(options.ca_file)
    return Setup(
        webhook=webhook,
        spec=document.name,
        secret=options.secret.read(webhook.scheme),
        target=HttpTarget(
            url,
            timeout=options.timeout,
            headers=headers,
            ca_file=ca_file,
            insecure=options.insecure,
        ),
        probe=None
        if options.effects_url is None
        else UrlProbe(
            checked_url(options.effects_url, "--effects-url"),
            timeout=options.timeout,
            headers=headers,
            ca_file=ca_file,
            insecure=options.insecure,
        ),
        policy=Policy(
            replay=ReplayPolicy(options.replay),
            forged=ForgedPolicy(options.forged),
            tolerance=options.tolerance,
        ),
        seed=secrets.randbelow(2**32) if options.seed is None else options.seed,
        rules=selection.rules,
        skipped=selection.skipped,
        strict=options.strict,
        rate=options.rate,
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
