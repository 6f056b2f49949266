"""`hookproof check`: judge a captured request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import click

from hookproof.cli.captured import parse_request, read_input
from hookproof.cli.failing import Command
from hookproof.cli.options import (
    SECONDS,
    TIME,
    Output,
    Source,
    built,
    format_option,
    output_options,
    secret_options,
    source_options,
)
from hookproof.cli.secret import SecretSource
from hookproof.redact import Redactor
from hookproof.reports.console import Style
from hookproof.reports.exchanges import escaped
from hookproof.reports.terminal import Detail
from hookproof.validators import RequestValidator
from hookproof_spec.request import Request
from hookproof_spec.signing import Verification
from hookproof_spec.webhook import Webhook

ACCEPTED, REFUSED = 0, 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command's options as they were given."""

    source: Source
    secret: SecretSource
    output: Output
    request: str
    now: float | None
    tolerance: float | None
    format: str

    @property
    def hints(self) -> bool:
        """Tell whether there is anybody to read them."""
        return self.format == "json" or self.output.detail is not Detail.QUIET


@click.command("check", cls=Command)
@source_options
@secret_options
@output_options
@click.option(
    "--request",
    required=True,
    metavar="FILE|-",
    help="The request: the JSON of `hookproof sign`, or HTTP as it was on the wire.",
)
@click.option(
    "--now", type=TIME, metavar="SECONDS", help="The receiver's time in Unix seconds; else now."
)
@click.option(
    "--tolerance",
    type=SECONDS,
    metavar="SECONDS",
    help="The oldest age to accept, instead of the declared one.",
)
@format_option("How the verdict is written.")
def check(**given: object) -> int:
    """Judge a captured request: its signature, age, media type and payload.

    Where it is refused, known mistakes are tried out, and the one that explains it is told.

    Exit status: 0 accepted, 1 refused, 2 it could not be judged. With -q it is the only answer.
    """
    options = built(Options, given)
    _, webhook = options.source.load()
    secret = options.secret.read(webhook.scheme)
    request = parse_request(read_input(options.request, "--request"))
    validator = RequestValidator(webhook, secret, nonces=None, tolerance=options.tolerance)
    verdict = validator.judge(request, time.time() if options.now is None else options.now)
    redactor = Redactor([secret], webhook.scheme)
    told = _hints(request, webhook, verdict, secret) if options.hints else ()
    judged = Judged(verdict, redactor.text(verdict.detail), tuple(map(redactor.text, told)))
    _show(judged, options, redactor)
    return ACCEPTED if verdict.accepted else REFUSED


@final
@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and its words with nothing secret in them."""

    verdict: Verification
    detail: str
    hints: tuple[str, ...]


def _hints(
    request: Request, webhook: Webhook, verdict: Verification, secret: str
) -> tuple[str, ...]:
    from hookproof.diagnosis.hints import Refused, hints

    return hints(Refused(request, webhook, verdict), secret)


def _show(judged: Judged, options: Options, redactor: Redactor) -> None:
    verdict = judged.verdict
    if options.format == "json":
        click.echo(json.dumps(_object(judged)))
        return
    if options.output.detail is Detail.QUIET:
        return
    console = options.output.console()
    if verdict.reason is None:
        console.line(console.paint(_acceptance(verdict), Style.GOOD))
    else:
        reason = console.paint(f"refused: {verdict.reason.value}", Style.BAD)
        console.line(reason + (f": {escaped(judged.detail)}" if judged.detail else ""))
    for line in _more(verdict, options.output.detail):
        console.line(f"    {escaped(redactor.text(line))}")
    for hint in judged.hints:
        console.line(f"  hint: {escaped(hint)}")


def _more(verdict: Verification, detail: Detail) -> Iterator[str]:
    yield from map(str, verdict.problems[1:])
    if detail is Detail.VERBOSE and verdict.timestamp is not None:
        yield f"timestamp {verdict.timestamp:.3f}"
    if detail is Detail.VERBOSE and verdict.nonce is not None:
        yield f"nonce {verdict.nonce}"


def _acceptance(verdict: Verification) -> str:
    if verdict.age is None:
        return "accepted"
    when = f"{verdict.age:.0f} s old" if verdict.age >= 0 else f"{-verdict.age:.0f} s ahead"
    return f"accepted: genuine, {when}"


def _object(judged: Judged) -> dict[str, object]:
    reason = judged.verdict.reason
    return {
        "accepted": judged.verdict.accepted,
        "reason": reason.value if reason else None,
        "detail": judged.detail,
        "hints": list(judged.hints),
    }
