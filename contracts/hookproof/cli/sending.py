"""What `hookproof send` does: make the requests, send one after another, tell what came back."""

from __future__ import annotations

import base64
import json
import random
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, final

import click

from hookproof.bodies import Bodies
from hookproof.cli.addresses import checked_headers, checked_url, refuse_foreign
from hookproof.cli.captured import read_input
from hookproof.cli.options import nonce_for
from hookproof.cli.send import Options
from hookproof.fresh import fresh_marker
from hookproof.lab import USER_AGENT
from hookproof.redact import Redactor
from hookproof.reports.console import Console, Style
from hookproof.reports.exchanges import printable, status_words
from hookproof.reports.terminal import Detail
from hookproof.targets.base import Exchange, Failure
from hookproof.targets.http import HttpTarget
from hookproof_spec import payloads, pointers
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request
from hookproof_spec.signing import Signer, Verifier
from hookproof_spec.webhook import JsonValue, Webhook

TAKEN, NOT_TAKEN, NOT_SENT = 0, 1, 2


class Wanted(Enum):
    """What a right receiver answers: the hundreds of its status."""

    TAKEN = frozenset({2})
    REFUSED = frozenset({4})
    EITHER = frozenset({2, 4})
    """To an event it has seen before."""


@final
@dataclass(frozen=True, slots=True)
class Parcel:
    """One request; `number` is that of its event, `note` what sets it apart."""

    number: int
    note: str
    request: Request
    wanted: Wanted = Wanted.TAKEN

    def served(self, exchange: Exchange) -> bool:
        """Tell whether the answer is that of a right receiver."""
        return exchange.status is not None and exchange.status // 100 in self.wanted.value


def perform(options: Options) -> int:
    """Send everything; return the exit status.

    Raises:
        HookproofError: an option is wrong.
    """
    _, webhook = options.source.load()
    url = checked_url(options.url, "send")
    secret = options.secret.read(webhook.scheme)
    headers = checked_headers(options.header, webhook.scheme)
    parcels = _parcels(options, webhook, secret)
    show = _show(options, webhook, Redactor([secret], webhook.scheme))
    statuses = {TAKEN}
    with HttpTarget(
        url,
        timeout=options.timeout,
        headers=headers,
        ca_file=options.ca_file,
        insecure=options.insecure,
    ) as target:
        for parcel in parcels:
            show.sent(parcel)
            exchange = target.send(parcel.request)
            show.answered(parcel, exchange)
            statuses.add(_status(parcel, exchange))
    return max(statuses)


def _status(parcel: Parcel, exchange: Exchange) -> int:
    if exchange.failure is Failure.UNREACHABLE:
        return NOT_SENT
    return TAKEN if parcel.served(exchange) else NOT_TAKEN


# --- making -------------------------------------------------------------------------------------


def _parcels(options: Options, webhook: Webhook, secret: str) -> list[Parcel]:
    if options.forge is not None:
        return _forged(options, webhook, secret)
    if options.nonce is not None and options.count > 1:
        raise HookproofError(
            "one nonce cannot sign several events", where="--nonce", hint="leave it or --count out"
        )
    genuine = [_genuine(options, webhook, secret, number) for number in range(1, options.count + 1)]
    times = 1 + options.duplicates
    return _told_apart(_ordered(options, [parcel for parcel in genuine for _ in range(times)]))


def _genuine(options: Options, webhook: Webhook, secret: str, number: int) -> Parcel:
    body = _body(options, webhook)
    unsigned = webhook.unsigned(options.url, body, (("User-Agent", USER_AGENT),))
    nonce = nonce_for(webhook.scheme, options.nonce)
    signer = Signer(webhook.scheme, secret)
    now = time.time()
    delivery = signer.sign(unsigned, timestamp=now - options.age, nonce=nonce)
    verdict = Verifier(webhook.scheme, [secret]).verify(
        delivery.request, now - options.age, tolerance=None
    )
    if not verdict.accepted:
        raise HookproofError(
            f"no receiver would accept it: {verdict.detail}",
            where="--nonce",
            hint="take one of the declared shape, or leave it out",
        )
    return Parcel(number, _aged(options.age), delivery.request)


def _aged(age: float) -> str:
    if age == 0:
        return "genuine"
    return f"{age:g} s old" if age > 0 else f"{-age:g} s ahead"


def _told_apart(parcels: list[Parcel]) -> list[Parcel]:
    """Return them with whatever was sent before called a copy."""
    seen: set[int] = set()
    told = []
    for parcel in parcels:
        copy = Parcel(parcel.number, "the same bytes again", parcel.request, Wanted.EITHER)
        told.append(copy if parcel.number in seen else parcel)
        seen.add(parcel.number)
    return told


def _ordered(options: Options, parcels: list[Parcel]) -> list[Parcel]:
    if options.order == "reversed":
        return parcels[::-1]
    if options.order == "shuffled":
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        if options.seed is None and options.output.detail is not Detail.QUIET:
            click.echo(f"hookproof: shuffled with --seed {seed}", err=True)
        random.Random(seed).shuffle(parcels)
    return parcels


def _forged(options: Options, webhook: Webhook, secret: str) -> list[Parcel]:
    from hookproof import catalogue
    from hookproof.forging import forgery

    _refuse_beside_forge(options)
    refuse_foreign(options.url, options.allow_host, "send --forge")
    rule = catalogue.rule(options.forge or "")
    parcels: list[Parcel] = []
    for number in range(1, options.count + 1):
        made = forgery(rule, webhook, secret, url=options.url)
        parcels += [Parcel(number, "genuine, before it", request) for request in made.before]
        note = f"{rule.id}: {made.note or rule.title}"
        parcels.append(Parcel(number, note, made.request, Wanted.REFUSED))
    return parcels


def _refuse_beside_forge(options: Options) -> None:
    given = {
        "--data": options.data is not None,
        "--set": bool(options.set),
        "--age": options.age != 0,
        "--nonce": options.nonce is not None,
        "--duplicates": options.duplicates > 0,
        "--order": options.order != "kept",
    }
    for name, there in given.items():
        if there:
            raise HookproofError(
                "the rule decides what is sent", where=name, hint="leave it or --forge out"
            )


def _body(options: Options, webhook: Webhook) -> bytes:
    if options.data is not None and not options.set:
        return _warned(webhook, _data(options.data))
    value = _parsed(_data(options.data)) if options.data is not None else _example(webhook)
    for text in options.set:
        value = _with(value, text)
    return _warned(webhook, payloads.write(webhook, value))


def _example(webhook: Webhook) -> JsonValue:
    return Bodies(webhook).value(fresh_marker(), time.time())


def _data(text: str) -> bytes:
    if text.startswith("@"):
        return read_input(text[1:], "--data")
    return text.encode("utf-8", "surrogateescape")


def _parsed(data: bytes) -> JsonValue:
    try:
        value: JsonValue = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HookproofError(
            f"it is not JSON: {error}", where="--data", hint="--set changes JSON; leave it out"
        ) from error
    return value


def _with(value: JsonValue, text: str) -> JsonValue:
    pointer, equals, written = text.partition("=")
    if not equals:
        raise HookproofError(f"{text!r} has no =", where="--set", hint="write /pointer=JSON")
    try:
        new: JsonValue = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise HookproofError(
            f"{written[:100]!r} is not JSON",
            where=f"--set {pointer}",
            hint=f"a text is quoted: --set '{pointer}={json.dumps(written[:100])}'",
        ) from error
    try:
        return pointers.replace(value, pointer, new)
    except pointers.PointerError as error:
        raise HookproofError(error.problem, where="--set", hint=error.hint) from error


def _warned(webhook: Webhook, body: bytes) -> bytes:
    """Return the body; say where it breaks the schema, which may well be meant."""
    for problem in payloads.validate(webhook, body)[:1]:
        click.echo(f"hookproof: the payload breaks the document's schema: {problem}", err=True)
    return body


# --- telling ------------------------------------------------------------------------------------


class Show(Protocol):
    """Tells the user what is sent and what comes back."""

    def sent(self, parcel: Parcel) -> None:
        """Say that a request leaves."""

    def answered(self, parcel: Parcel, exchange: Exchange) -> None:
        """Say what came back."""


def _show(options: Options, webhook: Webhook, redactor: Redactor) -> Show:
    if options.format == "json":
        return JsonShow(Console(sys.stdout), redactor)
    return TextShow(options.output.console(), webhook, redactor, options.output.detail)


@final
@dataclass(frozen=True, slots=True)
class TextShow:
    """Two lines a request; what an answer says is shown where it was not the right one."""

    console: Console
    webhook: Webhook
    redactor: Redactor
    detail: Detail
    clock: Callable[[], float] = time.time

    def sent(self, parcel: Parcel) -> None:
        """Say that a request leaves."""
        if self.detail is not Detail.QUIET:
            note = self.redactor.text(parcel.note)
            self._line(f"-->  {self.webhook.name}  #{parcel.number}  {note}")

    def answered(self, parcel: Parcel, exchange: Exchange) -> None:
        """Say what came back."""
        served = parcel.served(exchange)
        if self.detail is Detail.QUIET and served:
            return
        exchange = self.redactor.exchange(exchange)
        style = Style.GOOD if served else Style.BAD
        took = f"{exchange.seconds * 1000:.0f} ms"
        self._line(self.console.paint(f"<--  {_answer(exchange)}  {took}  #{parcel.number}", style))
        if exchange.body and (not served or self.detail is Detail.VERBOSE):
            self.console.line(f"          {printable(exchange.body)}")

    def _line(self, text: str) -> None:
        moment = time.strftime("%H:%M:%S", time.localtime(self.clock()))
        self.console.line(f"{moment}  {text}")


def _answer(exchange: Exchange) -> str:
    if exchange.status is not None:
        return status_words(exchange.status)
    why = exchange.failure.value if exchange.failure else "no answer"
    return f"{why}: {printable(exchange.detail)}" if exchange.detail else why


@final
@dataclass(frozen=True, slots=True)
class JsonShow:
    """One object a request."""

    console: Console
    redactor: Redactor

    def sent(self, parcel: Parcel) -> None:
        """Say nothing: the answer's line has both."""

    def answered(self, parcel: Parcel, exchange: Exchange) -> None:
        """Write the object."""
        served = parcel.served(exchange)
        exchange = self.redactor.exchange(exchange)
        request = exchange.request
        self.console.line(
            json.dumps(
                {
                    "event": parcel.number,
                    "note": self.redactor.text(parcel.note),
                    "as_wanted": served,
                    "method": request.method,
                    "url": request.url,
                    "headers": [list(header) for header in request.headers],
                    "body_base64": base64.b64encode(request.body).decode(),
                    "status": exchange.status,
                    "failure": exchange.failure.value if exchange.failure else None,
                    "detail": exchange.detail,
                    "answer_base64": base64.b64encode(exchange.body).decode(),
                    "seconds": round(exchange.seconds, 6),
                }
            )
        )
