"""What `hookproof demo` does: two receivers, two runs, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hookproof.catalogue import RULES
from hookproof.cli.demo import Options
from hookproof.cli.signals import ended_gently, held_back, wait_for
from hookproof.cli.verifying import told
from hookproof.effects import UrlProbe
from hookproof.events import ExitStatus
from hookproof.forging import Forgeries
from hookproof.miniatures.broken_replay import ChecksThenSets
from hookproof.nonces import MemoryNonceStore
from hookproof.receiver import create_receiver
from hookproof.redact import Redactor
from hookproof.reports.console import Console
from hookproof.reports.terminal import Detail, TerminalReport
from hookproof.run import Setup as Run
from hookproof.run import run
from hookproof.serving import serve
from hookproof.targets.http import HttpTarget
from hookproof_spec import load

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SECRET = "hookproof-demo-secret"
"""Public on purpose: it protects nothing but the demonstration."""
SPEC = "mobility-work"
BUG = ChecksThenSets


def perform(options: Options) -> int:
    """Show both runs; return 0 when the correct receiver passed and the bug was found."""
    console = options.output.console()
    with ended_gently():
        console.line("1. The contract against a correct receiver\n")
        proven = _judge_app(_correct(), console, options.output.detail)
        console.line(f"\n2. The same against one with a bug: {_first_line(BUG.__doc__)}\n")
        found = _judge_app(BUG(SECRET), console, Detail.QUIET)
    right = (proven, found) == (ExitStatus.PROVEN, ExitStatus.BROKEN)
    console.line(f"\n{_conclusion(right)}")
    if not options.once:
        _invite(console)
    return 0 if right else 1


def _correct() -> WSGIApplication:
    return create_receiver(load(SPEC).webhook(), SECRET, nonces=MemoryNonceStore())


def _judge_app(app: WSGIApplication, console: Console, detail: Detail) -> int:
    with serve(app) as server:
        return _judge(server.url, console, detail)


def _judge(url: str, console: Console, detail: Detail) -> int:
    setup = Run(
        webhook=load(SPEC).webhook(),
        spec=SPEC,
        secret=SECRET,
        target=HttpTarget(f"{url}/webhook"),
        probe=UrlProbe(f"{url}/effects"),
        rules=tuple(rule for rule in RULES if not rule.opt_in),
    )
    redactor = Redactor([SECRET], setup.webhook.scheme)
    return told(redactor.events(run(setup)), [TerminalReport(console, detail)])


def _conclusion(right: bool) -> str:
    if right:
        return "The correct receiver passed, and the bug was found. Now yours: hookproof verify URL"
    return "This is not what a demonstration should show: please report it as a bug of hookproof."


def _invite(console: Console) -> None:
    """Leave a correct receiver and a mock sender running, until Ctrl-C."""
    with held_back() as signals, serve(_correct()) as server, _mock_sender(server.url) as dashboard:
        url = server.url
        console.line(
            "\nThe correct receiver and a mock sender for it go on until Ctrl-C. In a browser:\n\n"
            f"  {dashboard}/\n\n"
            "In another terminal:\n\n"
            f"  export HOOKPROOF_SECRET={SECRET}\n"
            f"  hookproof verify {url}/webhook --effects-url {url}/effects\n"
            f"  hookproof send {url}/webhook --forge replay-exact"
        )
        wait_for(signals)


@contextmanager
def _mock_sender(receiver: str) -> Iterator[str]:
    """Run a mock sender in memory for the receiver at an address; yield the sender's own."""
    from hookproof_mockserver.app import create_app
    from hookproof_mockserver.sender import MockSender, Setup
    from hookproof_mockserver.server import serve as serve_site

    setup = Setup(document=load(SPEC), forge=Forgeries())
    with MockSender(setup) as sender:
        sender.register(url=f"{receiver}/webhook", secret=SECRET)
        site = create_app(sender, report=setup.on_error)
        with serve_site(site, report=setup.on_error) as server:
            yield server.url


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
