"""The pytest plugin: the contract, and fixtures for tests of one's own.

Every test run of everybody who has hookproof installed loads this module. It imports nothing but
pytest; what does the work lies in `pytest_support`, and is loaded when a contract or a fixture is
used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from hookproof.lab import Lab
    from hookproof.pytest_support.clock import WebhookClock
    from hookproof.pytest_support.mock import RunningSender
    from hookproof.pytest_support.webhook import WebhookSender
    from hookproof_spec.webhook import JsonValue

RECEIVER = "webhook_receiver"
FIXTURES = frozenset({RECEIVER, "webhook", "webhook_clock", "hookproof_lab"})
CONTRACT = "_hookproof_choice"
"""The attribute that `@hookproof.contract` gives a function."""
SUFFIX = ".hookproof.yaml"
MARKER = (
    "hookproof(rule, category, level): a rule of the webhook contract; select with"
    " -m hookproof, or -m \"hookproof(rule='replay-race')\"."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and ini values; all of them begin with `hookproof`."""
    group = parser.getgroup("hookproof", "contract of signed webhooks (hookproof)")
    group.addoption(
        "--hookproof-report",
        action="append",
        metavar="FORMAT=PATH",
        help="Write a report on the contract as `hookproof verify` does, such as json=PATH."
        " Repeatable.",
    )
    group.addoption(
        "--hookproof-seed",
        type=int,
        metavar="N",
        help="Repeat the choices of an earlier run (default: --hypothesis-seed, or random ones).",
    )
    parser.addini(
        "hookproof_strict",
        "Fail a test where its rule is a broken SHOULD, is unproven or is blocked.",
        type="bool",
        default=False,
    )
    parser.addini(
        "hookproof_examples",
        "How many examples a property rule is tried with (default: max_examples of Hypothesis'"
        " profile where that is not 100, else 30).",
        type="int",
        default=0,
    )
    parser.addini(
        "hookproof_search_seconds",
        "How long a property rule looks for a case at most (default: 5).",
        type="float",
        default=5.0,
    )
    parser.addini(
        "hookproof_only", "Limit contracts to these rules, categories or `core`.", type="args"
    )
    parser.addini("hookproof_skip", "Leave these rules or categories out.", type="args")
    parser.addini("hookproof_report", "Reports to write, a line each: FORMAT=PATH.", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and open the reports that are asked for."""
    config.addinivalue_line("markers", MARKER)
    # Workers of pytest-xdist cannot be stopped cleanly once they are starting, so that a report
    # named in the ini file is opened here as well where there will be any.
    spread = bool(config.getoption("tx", None)) and bool(config.getini("hookproof_report"))
    if config.getoption("hookproof_report") or spread:
        from hookproof.pytest_support.merging import await_results_or_stop

        await_results_or_stop(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect `NAME.hookproof.yaml` as a module with a test for each rule."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from hookproof.pytest_support.contract_file import ContractFile

    collected: pytest.Collector = ContractFile.from_parent(parent, path=file_path)
    return collected


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of a contract's function for each rule."""
    contract = hasattr(metafunc.function, CONTRACT)
    if not contract and FIXTURES.isdisjoint(metafunc.fixturenames):
        return
    _engage(metafunc.config)
    if contract:
        from hookproof.pytest_support.generating import generate

        generate(metafunc)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist what all have in common, and await its results."""
    from hookproof.pytest_support.workers import prepare

    prepare(node)


def _engage(config: pytest.Config) -> None:
    """Load what does the work, once in a process."""
    from hookproof.pytest_support.session import engage_while_collecting

    engage_while_collecting(config)


@pytest.fixture(scope="session")
def webhook_receiver() -> object:
    """The receiver under test. Define this fixture yourself, in conftest.py:

    return hookproof.Receiver(app=my_app, path="/webhook", secret="…", effects=lambda: len(db))
    """
    from hookproof.pytest_support.missing import NO_RECEIVER

    return NO_RECEIVER


@pytest.fixture
def webhook(request: pytest.FixtureRequest, webhook_receiver: object) -> WebhookSender:
    """Sends events to `webhook_receiver`, or signs them for a test client of your own.

    webhook.send(), .send(payload=…), .forge("forged-no-header"), .replay(delivery), .stale(age=…)
    return the answer and the effects; client.post("/webhook", **webhook.sign(payload).flask) signs.
    """
    from hookproof.pytest_support.webhook import sender

    return sender(request.config, webhook_receiver)


@pytest.fixture
def webhook_payloads(webhook: WebhookSender) -> SearchStrategy[JsonValue]:
    """A Hypothesis strategy of payloads that the webhook's schema allows.

    In a test: @given(data=st.data()), then payload = data.draw(webhook_payloads).
    """
    from hookproof.pytest_support.payloads import strategy

    return strategy(webhook.webhook)


@pytest.fixture
def hookproof_lab(request: pytest.FixtureRequest, webhook_receiver: object) -> Lab:
    """The bench at which the rules judge `webhook_receiver`.

    The tests that findings of the model print, to be pasted, play their steps at it.
    """
    from hookproof.pytest_support.webhook import lab

    return lab(request.config, webhook_receiver)


@pytest.fixture
def mock_sender(request: pytest.FixtureRequest) -> Iterator[RunningSender]:
    """A mock sender of its own for this test: the one of `hookproof serve`, on a free port.

    mock_sender.register(url, secret=…), .trigger(), .wait() deliver an event to a receiver and
    return the deliveries; .url is its dashboard and API, .sender everything else that it can do.
    """
    from hookproof.pytest_support.mock import running_sender

    yield from running_sender(request.config)


@pytest.fixture(scope="session")
def webhook_clock(request: pytest.FixtureRequest) -> Iterator[WebhookClock]:
    """Moves the time of this process: webhook_clock.advance(3600). Needs time-machine.

    It goes back when the test ends. Give it to Receiver(clock=webhook_clock), and the rules that
    need a clock apply.
    """
    from hookproof.pytest_support.clock import webhook_clock as made

    yield from made(request.config)
