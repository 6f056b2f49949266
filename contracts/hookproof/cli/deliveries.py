"""The lines in which `hookproof serve` tells of deliveries."""

from __future__ import annotations

import base64
import json
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final
from urllib.parse import urlsplit

from hookproof.reports.console import Console, Style, silence
from hookproof.reports.exchanges import printable
from hookproof.reports.terminal import Detail

if TYPE_CHECKING:
    from hookproof_mockserver.model import Attempt, Delivery


@final
@dataclass(frozen=True, slots=True)
class Ready:
    """What is said once, when deliveries can be sent.

    `token` is what changes by the API need. `secret` is None where it is not to be shown.
    """

    url: str
    token: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return urlsplit(self.url).port or 0


class Show(Protocol):
    """Tells the user what the sender does; called by several threads at a time."""

    def ready(self, ready: Ready) -> None:
        """Say, once, where the dashboard is."""

    def attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        """Say that an attempt begins, or how it ended."""

    def trouble(self, error: BaseException) -> None:
        """Tell of a mistake of ours."""


@final
@dataclass(slots=True)
class _Lines:
    """Writes what several threads tell; what they tell before the beginning comes after it."""

    console: Console
    _early: list[str] | None = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def begin(self, *lines: str) -> None:
        """Write the first lines."""
        with self._lock:
            for line in lines:
                self.console.line(line)
            early, self._early = self._early or [], None
            self._write(early)

    def add(self, *lines: str) -> None:
        """Write lines; once they cannot be, on a full disk or a terminal that has gone, drop them.

        Deliveries go on without them, and the dashboard has what they tell.
        """
        with self._lock:
            if self._early is None:
                self._write(lines)
            else:
                self._early += lines

    def _write(self, lines: Iterable[str]) -> None:
        try:
            for line in lines:
                self.console.line(line)
        except OSError:
            silence(self.console.stream)


@final
class TextLines:
    """A pair of lines an attempt: what leaves, and what came back."""

    def __init__(self, console: Console, detail: Detail = Detail.NORMAL) -> None:
        self._console = console
        self._detail = detail
        self._lines = _Lines(console)

    def ready(self, ready: Ready) -> None:
        """Say where the dashboard is."""
        lines = [f"ready  {ready.url}/  (port {ready.port})"]
        if self._detail > Detail.QUIET:
            lines.append(f"token  {ready.token}  (changes by the API need it)")
        if ready.secret is not None:
            lines.append(f"secret {ready.secret}")
        self._lines.begin(*lines)

    def attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write one of the two lines."""
        if attempt.seconds is None:
            if self._detail > Detail.QUIET:
                name = f"{delivery.event_id} #{attempt.number}"
                self._line(f"-->  {delivery.webhook}  {name}  {kind(delivery)}", None)
        elif self._detail > Detail.QUIET or not went_well(delivery, attempt):
            took = f"{attempt.seconds * 1000:.0f} ms"
            words = f"  {printable(attempt.next_words)}" if attempt.next_words else ""
            style = Style.GOOD if went_well(delivery, attempt) else Style.BAD
            self._line(f"<--  {answer(attempt)}  {took}  {delivery.event_id}{words}", style)

    def trouble(self, error: BaseException) -> None:
        """Say in one line what went wrong; with -v, where."""
        self._line(f"!!!  {type(error).__name__}: {printable(str(error))}", Style.BAD)
        if self._detail is Detail.VERBOSE:
            parts = traceback.format_exception(error)
            self._lines.add(*(part.rstrip("\n") for part in parts))

    def _line(self, text: str, style: Style | None) -> None:
        moment = time.strftime("%H:%M:%S", time.localtime())
        self._lines.add(f"{moment}  {self._console.paint(text, style)}")


def kind(delivery: Delivery) -> str:
    """Say in one word what is sent."""
    if delivery.fault is not None:
        return delivery.fault.rule or delivery.fault.kind.value
    if delivery.resend_of is not None:
        return "the same bytes again" if delivery.verbatim else "sent again, signed anew"
    return "valid"


def went_well(delivery: Delivery, attempt: Attempt) -> bool:
    """Tell whether a receiver did right: it takes what is genuine, and may refuse a copy of it."""
    refused = attempt.response is not None and 400 <= attempt.response.status < 500
    if delivery.fault is not None and delivery.fault.rule:
        return refused
    return attempt.succeeded or (delivery.verbatim and refused)


def answer(attempt: Attempt) -> str:
    """Say what came back."""
    if attempt.response is not None:
        return str(attempt.response.status)
    return printable(attempt.failure) or "no answer"


@final
class JsonLines:
    """One object a line, for programs."""

    def __init__(self, console: Console) -> None:
        self._lines = _Lines(console)

    def ready(self, ready: Ready) -> None:
        """Write the line that comes first, once."""
        told = {"ready": f"{ready.url}/", "port": ready.port, "token": ready.token}
        told |= {} if ready.secret is None else {"secret": ready.secret}
        self._lines.begin(json.dumps(told))

    def attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write an attempt that has ended; that it began is in its `started`."""
        if attempt.seconds is None:
            return
        self._write(
            {
                "delivery": delivery.id,
                "event": delivery.event_id,
                "webhook": delivery.webhook,
                "attempt": attempt.number,
                "kind": kind(delivery),
                "url": attempt.request.url,
                "headers": [list(header) for header in attempt.request.headers],
                "body_base64": base64.b64encode(attempt.request.body).decode(),
                "started": attempt.started,
                "seconds": attempt.seconds,
                "status": attempt.response.status if attempt.response else None,
                "failure": attempt.failure,
                "succeeded": attempt.succeeded,
                "next": attempt.next_words,
            }
        )

    def trouble(self, error: BaseException) -> None:
        """Write what went wrong."""
        self._write({"error": f"{type(error).__name__}: {error}"})

    def _write(self, value: Mapping[str, object]) -> None:
        self._lines.add(json.dumps(value))
