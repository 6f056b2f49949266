"""What `hookproof load` does: try the receiver out, let Locust send, judge what came back."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import click

from hookproof.cli.addresses import checked_headers, checked_url, refuse_foreign
from hookproof.cli.load import Options
from hookproof.cli.signals import ended_gently, undisturbed
from hookproof.load.judging import Finding, Weight
from hookproof.load.mix import Mix
from hookproof.load.plan import Plan, no_name_twice, readable
from hookproof.load.reports import Output, as_line, outputs
from hookproof.load.running import (
    Crowd,
    Locust,
    News,
    overdue,
    require_locust,
    sender_options,
    worker_options,
)
from hookproof.load.session import Loaded, Session
from hookproof.load.telling import ending, heading, progress
from hookproof.redact import Redactor
from hookproof.reports.console import Console
from hookproof.reports.outcome import INTERRUPTED
from hookproof.reports.terminal import Detail
from hookproof.verdicts import ForgedPolicy, ReplayPolicy
from hookproof.wording import plural
from hookproof_spec.errors import HookproofError

DURATION = 30.0
"""Seconds, where neither a time nor a number of requests is given."""


def perform(options: Options) -> int:
    """Run a load test, or a worker's part of one; return the exit status.

    Raises:
        HookproofError: an option is wrong, Locust is missing, or a report cannot be written.
    """
    require_locust()
    plan = planned(options)
    secret = options.secret.read(plan.scheme)
    written = outputs(options.written, "--report")
    if options.worker:
        return _work(options, plan, secret)
    crowd = crowd_of(options)
    test = LoadTest(options, plan, secret, crowd, Session.of(plan, secret))
    with ended_gently():
        test.run()
        with undisturbed():
            return _told(options, test.finished(), written)


def planned(options: Options) -> Plan:
    """Check every option; nothing has been sent yet.

    Raises:
        HookproofError: something is wrong with one of them.
    """
    if options.master and options.worker:
        raise HookproofError("a master sends nothing itself", where="--worker", hint="choose one")
    if options.duration is not None and options.duration <= 0:
        raise HookproofError("it must be above 0", where="--duration")
    url = checked_url(options.url, "load URL")
    refuse_foreign(url, options.allow_host, "load")
    document, webhook = options.source.load()
    scheme = webhook.scheme
    effects_url = options.effects_url
    return Plan(
        document=document,
        webhook=webhook,
        url=url,
        spec=_from_anywhere(options.source.spec),
        mix=Mix.usual(scheme) if options.mix is None else Mix.read(options.mix, scheme, "--mix"),
        headers=no_name_twice(checked_headers(options.header, scheme), "--header"),
        timeout=options.timeout,
        tolerance=options.tolerance,
        rate=options.rate,
        requests=options.requests,
        effects_url=effects_url and checked_url(effects_url, "--effects-url"),
        effect_timeout=options.effect_timeout,
        replay=ReplayPolicy(options.replay),
        forged=ForgedPolicy(options.forged),
        ca_file=_absolute(readable(options.ca_file, "--ca-file")),
        insecure=options.insecure,
    )


def crowd_of(options: Options) -> Crowd:
    """Return how many users there are, and for how long."""
    unlimited = options.duration is None and options.requests is not None
    return Crowd(
        users=options.users,
        duration=None if unlimited else options.duration or DURATION,
        workers=options.expect_workers if options.master else 0,
        host=options.master_host,
        port=options.master_port,
    )


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).resolve())


def _from_anywhere(spec: str) -> str:
    """Return a document's path as it can be found from another folder; names stay."""
    return str(Path(spec).resolve()) if Path(spec).is_file() else spec


def _load_words(crowd: Crowd, plan: Plan) -> str:
    rate = "as fast as they can" if plan.rate is None else f"{plan.rate:g} requests a second"
    by = f", from {plural(crowd.workers, 'worker')}" if crowd.workers else ""
    long = "" if crowd.duration is None else f", for {crowd.duration:g} s"
    many = "" if plan.requests is None else f", up to {plan.requests:,} requests"
    return f"{plural(crowd.users, 'user')}, {rate}{long}{many}{by}"


@final
@dataclass(slots=True)
class LoadTest:
    """A load test that is going on."""

    options: Options
    plan: Plan
    secret: str = field(repr=False)
    crowd: Crowd
    session: Session
    _begun: float | None = field(default=None, init=False)
    _ended: bool = field(default=False, init=False)
    _asked: bool = field(default=False, init=False)
    _failed: bool = field(default=False, init=False)

    def run(self) -> None:
        """Run it to its end, or to a Ctrl-C. What is known then, is in the session.

        Raises:
            ProbeError: effects cannot be counted.
        """
        console = self._console()
        for line in heading(self.session.facts, _load_words(self.crowd, self.plan)):
            console.line(line)
        try:
            if self.session.begin():
                self._listen(console)
                console.settle()
                self.session.settle()
        except KeyboardInterrupt:
            self._asked = True
        console.settle()

    def finished(self) -> Loaded:
        """Return what it came to."""
        complete = not (self._asked or self._failed)
        return self.session.finished(complete=complete, interrupted=self._asked)

    def _console(self) -> Console:
        """Return where the heading and the progress are shown: not among JSON."""
        if self.options.format == "json" or self.options.output.detail is Detail.QUIET:
            return Console(_Nowhere())
        return self.options.output.console()

    def _listen(self, console: Console) -> None:
        options = sender_options(self.plan, self.crowd)
        with Locust(self.plan, self.secret, options) as locust:
            try:
                self._hear(locust, console)
            except KeyboardInterrupt:
                self._asked = True
                console.transient("waiting for the last answers …")
                locust.ask_to_end()
                self._hear(locust, console)
            status = locust.wait()
            log = Redactor([self.secret], self.plan.scheme).text(locust.last_words())
            self._failed = not (self._ended or self._asked)
            if self._failed:
                self.session.find(_locust_failed(status, log))
            if log and self.options.output.detail is Detail.VERBOSE:
                click.echo(log, err=True)

    def _hear(self, locust: Locust, console: Console) -> None:
        for news in locust.news():
            if news is not None:
                self._take(news)
            if not self._asked:
                console.transient(self._progress(console))
            if overdue(self.plan, self.crowd, self._begun):
                locust.kill()

    def _take(self, news: News) -> None:
        self._ended |= news.ended
        self.session.miss(news.silent)
        if not news.ended:
            self.session.take(news.counted, news.users)
        if self._begun is None and news.users:
            self._begun = time.monotonic()

    def _progress(self, console: Console) -> str:
        if self._begun is None and self.crowd.workers:
            where = f"{self.crowd.host}:{self.crowd.port}"
            return f"waiting for {plural(self.crowd.workers, 'worker')} on {where}"
        elapsed = 0.0 if self._begun is None else time.monotonic() - self._begun
        return progress(self.session, elapsed, self.crowd.duration, console)


class _Nowhere(io.StringIO):
    """Takes what is not to be shown."""

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)


def _locust_failed(status: int, log: str) -> Finding:
    last = log.splitlines()[-1] if log else "it said nothing"
    return Finding(
        id="locust-failed",
        weight=Weight.UNPROVEN,
        found=f"Locust ended early with status {status}: {last}",
        expected="a load that goes on for its time",
        remedy="Is the port of --master free? Try fewer users, or more processes as workers.",
    )


def _told(options: Options, loaded: Loaded, written: Sequence[Output]) -> int:
    """Print the ending and write the reports; return the exit status."""
    if options.format == "json":
        click.echo(as_line(loaded))
    else:
        console = options.output.console()
        brief = options.output.detail is Detail.QUIET
        for line in ending(loaded, console, brief=brief):
            console.line(line)
    for output in written:
        output.write(loaded)
    return loaded.exit


def _work(options: Options, plan: Plan, secret: str) -> int:
    """Send what a master asks for, until it has enough."""
    host, port = options.master_host, options.master_port
    if options.output.detail is not Detail.QUIET and options.format == "text":
        click.echo(f"worker of {host}:{port}, sending to {plan.url}")
    with ended_gently(), Locust(plan, secret, worker_options(host, port)) as locust:
        try:
            for _ in locust.news():
                pass
            status = locust.wait()
        except KeyboardInterrupt:
            return INTERRUPTED
        if status:
            log = Redactor([secret], plan.scheme).text(locust.last_words())
            raise HookproofError(_locust_failed(status, log).found, where="load --worker")
    return 0
