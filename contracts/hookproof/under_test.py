"""The receiver that is judged, as a test suite describes it: where it is and what is known of it.

Everything is checked when it is given; nothing is loaded, called or connected to before it is used.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, final

from hookproof_spec.errors import HookproofError, did_you_mean, one_of

__tracebackhide__ = True
"""A mistake in the arguments is the caller's: pytest shows the caller's line and not ours."""

App = Callable[..., object]
"""A WSGI or ASGI application. Frameworks type theirs in too many ways to say more."""
Replays = Literal["rejects", "ignores", "either"]
Forgeries = Literal["rejects", "ignores"]


class Interface(StrEnum):
    """How an application in this process is called."""

    WSGI = "wsgi"
    ASGI = "asgi"


class Clock(Protocol):
    """The clock that a receiver in this process reads; the fixture `webhook_clock` is one."""

    def now(self) -> float:
        """Return Unix seconds."""

    def advance(self, seconds: float) -> None:
        """Move it on; back by what is negative."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Receiver:
    """A receiver of signed webhooks: an application in this process, or a URL.

    What is left out here is looked up in the configuration (`[tool.hookproof]`), and else has the
    same default as on the command line.

    Args:
        app: a WSGI or ASGI application; called directly, at `path`.
        url: where a receiver listens; `app` and `url` exclude each other.
        path: where `app` receives the webhook, with its query if there is one.
        secret: as it was issued; by default that of the configuration or of `HOOKPROOF_SECRET`.
        other_secret: that of another webhook of the same receiver, which must not open this one.
        unsigned: the receiver runs without a secret and takes unsigned requests.
        effects: how many events were acted on: a function that returns a number, the list of what
            was stored, or an object with `processed` and `nonces`; or a URL that answers so.
        effect_timeout: seconds in which an effect may appear.
        spec: the OpenAPI document, by name or path.
        webhook: which webhook of the document, where it has several.
        tolerance: the oldest age in seconds that the receiver accepts.
        replay: what it does with an event it has seen: `rejects`, `ignores` or `either`.
        forged: what it does with a forgery: `rejects` or `ignores`.
        headers: sent with every request.
        restart: stops and starts the receiver. It is called with a mapping of more environment
            variables, or with nothing if it takes no argument; an application that it returns
            takes the place of `app`.
        also: another instance of the same receiver, as application or URL.
        clock: what the receiver in this process reads the time from, see `webhook_clock`.
        fail_once: makes the receiver's handler fail at the next event.
        interface: `wsgi` or `asgi`, where it cannot be seen from `app`.
        timeout: seconds that an exchange may take.
        rate: at most so many requests a second.
        ca_file: certificates to trust for https, as PEM.
        insecure: trust any certificate.
        allow_hosts: hosts that may be tested although they are not this machine.

    Raises:
        HookproofError: something of it cannot be so.
    """

    app: App | None = None
    _: KW_ONLY
    url: str | None = None
    path: str = "/webhook"
    secret: str | None = field(default=None, repr=False)
    other_secret: str | None = field(default=None, repr=False)
    unsigned: bool = False
    effects: Callable[[], object] | str | None = None
    effect_timeout: float = 5.0
    spec: str | Path | None = None
    webhook: str | None = None
    tolerance: float | None = None
    replay: Replays | None = None
    forged: Forgeries | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    restart: Callable[..., object] | None = None
    also: App | str | None = None
    clock: Clock | None = None
    fail_once: Callable[[], object] | None = None
    interface: Literal["wsgi", "asgi"] | None = None
    timeout: float | None = None
    rate: float | None = None
    ca_file: str | Path | None = None
    insecure: bool = False
    allow_hosts: Iterable[str] = ()

    def __post_init__(self) -> None:
        """Check what can be checked without loading or calling anything."""
        self._check_words()
        self._check_place()
        for name in ("effect_timeout", "tolerance", "timeout", "rate"):
            _check_positive(name, getattr(self, name))
        for name in ("restart", "fail_once"):
            _check_callable(name, getattr(self, name))
        if not (self.effects is None or isinstance(self.effects, str)):
            _check_callable("effects", self.effects, "a function that counts, or a URL")

    def __repr__(self) -> str:
        return f"Receiver({self.url!r})" if self.url else f"Receiver({self.app!r}, {self.path!r})"

    def _check_place(self) -> None:
        if self.app is None and self.url is None:
            raise _wrong("neither app nor url is given", "write Receiver(app=…) or Receiver(url=…)")
        if self.app is not None and self.url is not None:
            raise _wrong("app and url are both given", "keep the one that is to be judged")
        if self.app is not None:
            interface_of(self.app, self.interface)
        if self.also is not None and not isinstance(self.also, str):
            interface_of(self.also, self.interface)
        if not self.path.startswith("/"):
            raise _wrong(f"the path {self.path!r} does not begin with /")

    def _check_words(self) -> None:
        _check_word("replay", self.replay, ("rejects", "ignores", "either"))
        _check_word("forged", self.forged, ("rejects", "ignores"))
        _check_word("interface", self.interface, tuple(Interface))
        for name in ("secret", "other_secret"):
            _check_secret(name, getattr(self, name))
        if self.unsigned and self.secret is not None:
            raise _wrong("secret and unsigned exclude each other", "keep what is true")


def interface_of(app: object, told: str | None = None) -> Interface:
    """Tell how an application is called, from its signature.

    Raises:
        HookproofError: it cannot be called, or as neither of the two.
    """
    if not callable(app):
        raise _wrong(
            f"app is {_kind(app)}, which cannot be called", "give a WSGI or ASGI application"
        )
    if told is not None:
        return Interface(told)
    if isinstance(app, type):
        raise _wrong(f"app is the class {app.__name__}", "give an application made of it")
    wanted = _positional(app)
    if _takes_three(app) if _is_async(app) else wanted == 3:
        return Interface.ASGI
    if wanted in (2, None) and not _is_async(app):
        return Interface.WSGI
    raise _wrong(
        f"app is {_kind(app)}, which is called with neither WSGI's two nor ASGI's three arguments",
        "give what it returns, if it makes the application; else serve it on a port and give its"
        " url, or say interface='wsgi' or 'asgi'",
    )


def _is_async(app: object) -> bool:
    while isinstance(app, partial):
        app = app.func
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(
        getattr(app, "__call__", None)  # noqa: B004 (the method itself is asked about)
    )


def _takes_three(app: App) -> bool:
    """Tell whether it can be called as ASGI does; a coroutine may also be one that makes an app."""
    try:
        inspect.signature(app).bind(None, None, None)
    except TypeError:
        return False
    except ValueError:  # written in C: nothing speaks against it
        return True
    return True


def _positional(app: App) -> int | None:
    """Return how many positional arguments are needed; None where any number will do."""
    try:
        parameters = list(inspect.signature(app).parameters.values())
    except (TypeError, ValueError):  # written in C, or a signature that lies
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in places and p.default is p.empty for p in parameters)


def _check_secret(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise _wrong(f"{name} is {_kind(value)}", "give the text as it was issued")
    if not value:
        raise _wrong(f"{name} is empty", "give the secret that the receiver verifies with")


def _check_word(name: str, value: object, words: tuple[str, ...]) -> None:
    if value is None or value in words:
        return
    near = did_you_mean(value, words) if isinstance(value, str) else ""
    raise _wrong(f"{name} is {value!r}", near or one_of(words))


def _check_positive(name: str, value: object) -> None:
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < float(str(value)) < math.inf:
        raise _wrong(f"{name} is {value!r}", "give a number above 0")


def _check_callable(name: str, value: object, wanted: str = "a function") -> None:
    if value is not None and not callable(value):
        raise _wrong(f"{name} is {_kind(value)}", f"give {wanted}")


def _kind(value: object) -> str:
    """Name what something is, and never what it holds."""
    name = type(value).__name__
    return f"an {name}" if name[:1] in "AEIOUaeio" else f"a {name}"


def _wrong(problem: str, hint: str = "") -> HookproofError:
    return HookproofError(problem, where="hookproof.Receiver", hint=hint)
