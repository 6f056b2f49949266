"""What Locust runs: users that send signed events, and what tells their counts to whoever judges.

    HOOKPROOF_SECRET=… HOOKPROOF_LOAD_URL=http://127.0.0.1:8000/webhook locust -f …/locustfile.py

This is the only module that imports Locust, which replaces sockets and threads of its process by
its own. `hookproof load` starts it and listens on a pipe; started by hand, it judges by itself and
prints what it found. The variables are those of `hookproof.load.plan`.
"""

from __future__ import annotations

import math
import os
import random
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, final

import gevent
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.useragent import CompatResponse
from geventhttpclient.useragent import ConnectionError as NoAnswer
from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.event import EventHook
from locust.rpc.protocol import Message
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, Runner, WorkerRunner

from hookproof.cli.addresses import refuse_foreign
from hookproof.cli.secret import SecretSource
from hookproof.load import parts
from hookproof.load.crew import Crew, Pipe, Sink
from hookproof.load.mix import Kind
from hookproof.load.plan import ALLOW_HOST, PIPE, PREFIX, REPORT, Plan
from hookproof.load.tally import outcome_of
from hookproof.targets.base import Failure
from hookproof.verdicts import Outcome
from hookproof_spec.errors import HookproofError
from hookproof_spec.request import Request

EVERY = 1.0
"""Counts are sent on so often, in seconds."""
REST = 0.05
"""Seconds between two looks of a user that has nothing to send."""
IDLE = 0.5
"""A connection that has rested for so many seconds is left, for its server may close it just when a
request is on its way. Servers close idle ones after a second at the soonest, most after 2 or 5."""
LIMIT = 1024 * 1024
"""How many bytes of an answer are read before its connection is given up."""
STOP, FINAL = "hookproof-stop", "hookproof-final"
"""A master tells its workers to stop before it does; each answers with its last counts."""
KEY = "hookproof"
INTERVAL, SHARE = "hookproof_interval", "hookproof_share"
"""The options in which a master tells its workers the seconds between two requests of a user, and
how many requests each of them sends."""
ANY_STATUS = frozenset(range(100, 600))
"""No status is an error to Locust's client: what a status means is judged by us."""
PATIENCE = 5.0
"""Seconds that workers have beyond the longest request to send their last counts."""
CLOSED = (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError)


@final
class HookproofUser(FastHttpUser):
    """Sends one request after another, at its share of the rate."""

    abstract = False
    connection_timeout = network_timeout = 10.0
    max_redirects = 0
    max_retries = 0
    crew: Crew
    _due = 0.0
    _used = 0.0
    """When the connection was used last."""

    def on_start(self) -> None:
        """Make the client do no more than send: no cookies, no errors by status."""
        agent: Any = self.client.client
        agent.cookiejar = None
        agent.valid_response_codes = ANY_STATUS
        self._due = time.monotonic() + random.random() * (self._interval or 0.0)

    def wait_time(self) -> float:
        """Return the seconds until the next request is due."""
        return max(0.0 if self.crew.at_work else REST, self._due - time.monotonic())

    @property
    def _interval(self) -> float | None:
        return getattr(self.environment.parsed_options, INTERVAL, None)

    @task
    def send(self) -> None:
        """Send what is due."""
        if not self.crew.at_work or time.monotonic() < self._due:
            return
        if self._interval is not None:
            self._due = max(self._due + self._interval, time.monotonic() - self._interval)
        kind, request = self.crew.next()
        begun = time.perf_counter()
        try:
            answer, size = self._answer(request)
        except gevent.GreenletExit:
            self.crew.count_unfinished(kind)
            raise
        seconds = time.perf_counter() - begun
        self.crew.count(kind, request, answer, seconds)
        self.environment.events.request.fire(
            request_type=request.method,
            name=kind.value,
            response_time=seconds * 1000,
            response_length=size,
            exception=wrong(kind, answer),
            context={},
        )

    def _answer(self, request: Request) -> tuple[str, int]:
        """Return the status, or why there is none, and how many bytes its body has."""
        agent = self.client.client
        if time.monotonic() - self._used > IDLE:
            agent.clientpool.close()
        whole = gevent.Timeout(self.crew.plan.timeout)
        whole.start()
        try:
            response = agent.urlopen(
                request.url,
                method=request.method,
                payload=request.body,
                headers=dict(request.headers),
            )
            size = _drained(response)
        except gevent.Timeout as timeout:
            if timeout is not whole:
                raise
            failure = Failure.TIMEOUT
        except (OSError, ValueError, HTTPConnectionClosed, HTTPParseError, NoAnswer) as error:
            failure = _why(error)
        else:
            return str(response.status_code), size
        finally:
            whole.close()
            self._used = time.monotonic()
        agent.clientpool.close()  # nothing half done is left for the next request
        return failure.value, 0


def _drained(response: CompatResponse) -> int:
    """Read an answer's body to its end, or close its connection where it is too long."""
    size = 0
    while size <= LIMIT and (part := response.read(64 * 1024)):
        size += len(part)
    response.release()
    return size


def _why(error: Exception) -> Failure:
    """Say why there is no answer, as the targets of the contract say it."""
    cause = getattr(error, "original", error)
    if isinstance(cause, TimeoutError | gevent.Timeout):
        return Failure.TIMEOUT
    if isinstance(cause, CLOSED):
        return Failure.CLOSED
    return Failure.UNREACHABLE if isinstance(cause, OSError) else Failure.GARBAGE


@cache
def wrong(kind: Kind, answer: str) -> Exception | None:
    """Return the failure that Locust's own statistics count; only so many can be told apart."""
    outcome = outcome_of(answer)
    if kind is Kind.VALID and outcome is not Outcome.ACCEPTED:
        return HookproofError(f"{kind.one} got {answer}")
    if kind in (Kind.FORGED, Kind.STALE) and outcome is Outcome.ACCEPTED:
        return HookproofError(f"{kind.one} was accepted")
    if outcome in (Outcome.CRASHED, Outcome.DROPPED):
        return HookproofError(f"{kind.one} got {answer}")
    return None


# --- what Locust tells us -----------------------------------------------------------------------


@final
class Conductor:
    """Hears what Locust does in this process, and sees to it that every count gets to the sink."""

    def __init__(self, environment: Environment, runner: Runner, crew: Crew, sink: Sink) -> None:
        self.environment = environment
        self.runner = runner
        self.crew = crew
        self.sink = sink
        self.sent = 0
        """How many requests were told, by all processes."""
        self.last_words: set[str] = set()
        """The workers whose last counts have come."""
        self.workers: set[str] = set()
        """The workers that took part, also those that have gone."""

    def listen(self) -> None:
        """Register with Locust: another part is played by a master, a worker, and one alone."""
        runner, hooks = self.runner, self.environment.events
        if not isinstance(runner, WorkerRunner):
            _on(hooks.test_start, self.start)
        _on(hooks.test_start, self.wake)
        _on(hooks.test_stopping, self.rest)
        if isinstance(runner, WorkerRunner):
            _on(hooks.report_to_master, self.report)
            _on(hooks.test_stop, self.say_last_words)
            runner.register_message(STOP, self.stop, concurrent=True)
            return
        _on(hooks.spawning_complete, self.tell_users)
        _on(hooks.test_stop, self.finish)
        _on(hooks.quitting, self.leave)
        if isinstance(runner, MasterRunner):
            _on(hooks.worker_report, self.hear)
            _on(hooks.test_stopping, self.stop_workers)
            runner.register_message(FINAL, self.hear_last_words)
        gevent.spawn(self.tell)

    def wake(self, **_: object) -> None:
        """Let users send, as many requests as are this process's share."""
        self.crew.begin(getattr(self.environment.parsed_options, SHARE, None))

    def rest(self, **_: object) -> None:
        """Let no user begin another request."""
        self.crew.rest()

    def start(self, **_: object) -> None:
        """Say how often a user sends and what each worker's share is, and get the sink ready."""
        plan, options = self.crew.plan, self.environment.parsed_options
        users = self.runner.target_user_count or getattr(options, "num_users", None) or 1
        setattr(options, INTERVAL, plan.rate and users / plan.rate)
        processes = max(1, len(self._workers()))
        setattr(options, SHARE, plan.requests and math.ceil(plan.requests / processes))
        self.sent = 0
        self.last_words.clear()
        self.workers = self._workers()
        self.sink.begin()

    def tell(self) -> None:
        """Send counts on for as long as the process lives."""
        while True:
            gevent.sleep(EVERY)
            self._tell()

    def _tell(self) -> None:
        self._pass_on(self.crew.counted())

    def _pass_on(self, told: Mapping[str, object]) -> None:
        """Give counts to the sink; end the test once there are as many as it takes."""
        self.sink.take(told, self.runner.user_count)
        wanted, before = self.crew.plan.requests, self.sent
        self.sent += parts.read(told).sent
        if wanted is not None and before < wanted <= self.sent:
            gevent.spawn(self.runner.quit)

    def tell_users(self, **_: object) -> None:
        """Say how many there are, however short the test is."""
        self._tell()

    def finish(self, **_: object) -> None:
        """Send the last counts on."""
        self._tell()
        self.sink.end(len(self.workers - self.last_words))

    def leave(self, **_: object) -> None:
        """End the test before Locust asks for the exit status, also after Ctrl-C."""
        if self.runner.state in (STATE_RUNNING, STATE_SPAWNING):
            self.runner.quit()

    # --- master and workers -----------------------------------------------------------------

    def report(self, data: dict[str, object], **_: object) -> None:
        """Send a worker's counts with Locust's own."""
        data[KEY] = self.crew.counted()

    def hear(self, client_id: str, data: Mapping[str, Any], **_: object) -> None:
        """Take a worker's counts."""
        if KEY in data:
            if data[KEY]["kinds"]:
                self.workers.add(client_id)
            self._pass_on(data[KEY])

    def stop(self, **_: object) -> None:
        """Stop this worker's users, each after its request."""
        self.runner.stop()

    def say_last_words(self, **_: object) -> None:
        """Send what was not reported yet."""
        self.runner.send_message(FINAL, self.crew.counted())

    def hear_last_words(self, msg: Message, **_: object) -> None:
        """Take a worker's last counts."""
        self.last_words.add(msg.node_id)
        self._pass_on(msg.data)

    def stop_workers(self, **_: object) -> None:
        """Wait for the last counts of all: Locust itself waits half a second, and then leaves."""
        self.runner.send_message(STOP)
        left = self.crew.plan.timeout + PATIENCE
        while left > 0 and not self._workers() <= self.last_words:
            gevent.sleep(0.05)
            left -= 0.05

    def _workers(self) -> set[str]:
        clients = self.runner.clients.all if isinstance(self.runner, MasterRunner) else []
        return {client.id for client in clients}


def _on(hook: EventHook, listener: Callable[..., None]) -> None:
    hook.add_listener(listener)  # type: ignore[no-untyped-call]


def prepare(environment: Environment, runner: Runner, **_: object) -> None:
    """Read the plan from the environment."""
    try:
        crew = _crew()
        sink = _sink(environment, runner, crew)
    except HookproofError as error:
        print(f"hookproof: {error}", file=sys.stderr)
        sys.exit(2)
    plan = crew.plan
    HookproofUser.crew = crew
    HookproofUser.host = plan.url
    HookproofUser.connection_timeout = HookproofUser.network_timeout = plan.timeout
    HookproofUser.insecure = plan.insecure
    if not plan.insecure:
        HookproofUser.ssl_context_factory = _trusting(plan.ca_file)
    environment.stop_timeout = environment.stop_timeout or plan.timeout
    Conductor(environment, runner, crew, sink).listen()


def _crew() -> Crew:
    variables = os.environ
    plan = Plan.read(variables)
    allowed = (variables.get(ALLOW_HOST) or "").split(",")
    refuse_foreign(plan.url, allowed, f"{PREFIX}URL")
    source = SecretSource(file=variables.get(f"{PREFIX}SECRET_FILE") or None)
    return Crew(plan, source.read(plan.scheme))


def _sink(environment: Environment, runner: Runner, crew: Crew) -> Sink:
    if PIPE in os.environ:
        return Pipe(int(os.environ[PIPE]), runner.quit)
    from hookproof.load.by_hand import ByHand

    def exit_with(status: int) -> None:
        environment.process_exit_code = max(status, environment.process_exit_code or 0)

    reports = (os.environ.get(REPORT) or "").split(",")
    return ByHand(crew.plan, crew.secret, reports, lambda: gevent.spawn(runner.quit), exit_with)


def _trusting(ca_file: str | None) -> Callable[..., ssl.SSLContext]:
    """Return what gives every user the one context: the system's certificates, or a file's."""
    context = ssl.create_default_context(cafile=ca_file)

    def same(cafile: str | None = None) -> ssl.SSLContext:
        return context

    return staticmethod(same)


_on(events.init, prepare)
