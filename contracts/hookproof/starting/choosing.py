"""From what was found, and what was asked for, to the one receiver that the contract is for."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final
from urllib.parse import urlsplit

from hookproof.cli.addresses import host_of, is_local
from hookproof.cli.secret import DEFAULT_VARIABLE
from hookproof.starting.frameworks import FRAMEWORKS, PACKAGES, URL, Framework, Kind
from hookproof.starting.sources import App, Place, Route
from hookproof.starting.survey import Module, Survey, module_of
from hookproof_spec.errors import HookproofError

ADDRESS = "http://127.0.0.1:8000"
PATH = "/webhook"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for on the command line; None leaves it to what is found."""

    framework: str | None = None
    app: str | None = None
    path: str | None = None
    url: str | None = None
    spec: str | None = None
    webhook: str | None = None


@final
@dataclass(frozen=True, slots=True)
class Application:
    """How tests get at an application: its module and name, and whether it has to be made."""

    module: Module
    name: str
    place: Place | None = None
    is_made: bool = False
    is_awaited: bool = False
    needs: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The receiver that the contract is for, as far as it is known.

    `secret` is the variable that holds its secret, with the place that told; `route` is where it
    was found that `path` takes the webhook.
    """

    framework: Framework
    application: Application | None = None
    path: str = PATH
    route: Route | None = None
    is_path_known: bool = False
    url: str | None = None
    secret: str = DEFAULT_VARIABLE
    secret_place: Place | None = None
    spec: str | None = None
    webhook: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """How the receiver is reached."""
        return self.framework.kind

    @property
    def address(self) -> str:
        """Where the receiver listens, or what stands there until it is filled in."""
        return self.url or f"{ADDRESS}{self.path}"

    @property
    def effects_address(self) -> str:
        """Where the receiver could tell what it has acted on."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}/effects"

    @property
    def host(self) -> str:
        """The host of its address."""
        return host_of(self.address)

    @property
    def is_local(self) -> bool:
        """Tell whether its address is on this machine."""
        return is_local(self.host)


def choose(found: Survey, wishes: Wishes) -> Choice:
    """Return the receiver that the contract is for.

    Raises:
        HookproofError: several may be meant, or what was asked for cannot be.
    """
    _check(wishes)
    framework, application = _receiver(found, wishes)
    route = None if wishes.path else _route(found, framework, application)
    variable, place = _secret(found)
    return Choice(
        framework=framework,
        application=application,
        path=wishes.path or (route.path if route else PATH),
        route=route,
        is_path_known=bool(wishes.path or route),
        url=wishes.url,
        secret=variable,
        secret_place=place,
        spec=wishes.spec,
        webhook=wishes.webhook,
        notes=tuple(_notes(found, wishes, framework)),
    )


def _notes(found: Survey, wishes: Wishes, framework: Framework) -> Iterator[str]:
    if found.cut:
        yield "there are so many files that not all were looked at"
    if framework is URL and wishes.url is None and wishes.framework is None:
        yield "no application in Python was found; --framework and --app would name one"


def _check(wishes: Wishes) -> None:
    if wishes.url is not None:
        clashing = [name for name in ("app", "path") if getattr(wishes, name) is not None]
        if clashing:
            raise HookproofError(
                f"it excludes --{clashing[0]}", where="init: --url", hint="keep one of them"
            )
        if wishes.framework not in (None, URL.name):
            raise HookproofError(
                f"a receiver by its URL is not one of --framework {wishes.framework}",
                where="init: --url",
                hint="leave --framework out",
            )
    elif wishes.framework == URL.name and wishes.app is not None:
        raise HookproofError(
            "it excludes --framework url", where="init: --app", hint="keep one of them"
        )


def _receiver(found: Survey, wishes: Wishes) -> tuple[Framework, Application | None]:
    if wishes.url is not None or wishes.framework == URL.name:
        return URL, None
    asked = FRAMEWORKS[wishes.framework] if wishes.framework else None
    if wishes.app is not None:
        return _named(found, wishes.app, asked)
    apps = [app for app in found.apps if asked is None or asked in _names_of(app.framework)]
    if apps:
        app = _only(apps, found)
        return app.framework, _application(app, found)
    return asked or _declared(found) or URL, None


def _names_of(framework: Framework) -> tuple[Framework, Framework]:
    """Return a framework, and what `--framework` has for all that are reached as it is."""
    return framework, FRAMEWORKS[framework.kind.value]


def _named(found: Survey, text: str, asked: Framework | None) -> tuple[Framework, Application]:
    """Return the application that `--app` names, with what its source tells of it."""
    module, _, name = text.removesuffix("()").partition(":")
    if not all(map(_is_name, (*module.split("."), name))):
        raise HookproofError(
            f"{text!r} names nothing", where="init: --app", hint="write package.module:name"
        )
    for app in found.apps:
        known = _application(app, found)
        if known is not None and (known.module.name, known.name) == (module, name):
            return asked or app.framework, known
    framework = asked or _declared(found)
    if framework is None:
        raise HookproofError(
            f"it was not found out which framework {text} is of",
            where="init: --app",
            hint="say so: --framework flask, fastapi, django, …, or wsgi or asgi",
        )
    return framework, Application(Module(module, "."), name, is_made=text.endswith("()"))


def _is_name(word: str) -> bool:
    return word.isidentifier() and not keyword.iskeyword(word)


def _application(app: App, found: Survey) -> Application | None:
    module = module_of(app.place, found)
    if module is None:
        return None
    return Application(module, app.name, app.place, app.is_made, app.is_awaited, app.needs)


def _only(apps: list[App], found: Survey) -> App:
    """Return the one application that is meant: of each file the best, then where the webhook is.

    Raises:
        HookproofError: there are several.
    """
    best = list({app.place.file: app for app in sorted(apps, key=_rank, reverse=True)}.values())
    hooks = {route.place.file for route in found.routes if "hook" in route.path.lower()}
    meant = best if len(best) == 1 else [app for app in best if app.place.file in hooks] or best
    if len(meant) == 1:
        return meant[0]
    raise HookproofError(
        f"there are several applications: {', '.join(_shown(app, found) for app in meant[:5])}",
        where=f"init: {found.folder}",
        hint="choose one with --app",
    )


def _rank(app: App) -> tuple[bool, int, int]:
    """Order what a file offers: what is there, then what can be made with the least."""
    return app.is_made, len(app.needs), app.place.line


def _shown(app: App, found: Survey) -> str:
    module = module_of(app.place, found)
    return f"{module.name}:{app.name}" if module is not None else str(app.place)


def _declared(found: Survey) -> Framework | None:
    """Return the framework that the project depends on, if it is one."""
    if found.manifests.has("manage.py"):
        return FRAMEWORKS["django"]
    packages = found.manifests.packages
    known = {PACKAGES[name].name for name in PACKAGES if name in packages}
    if "fastapi" in known:
        known -= {"starlette"}  # which it stands on
    return FRAMEWORKS[known.pop()] if len(known) == 1 else None


def _route(found: Survey, framework: Framework, application: Application | None) -> Route | None:
    """Return the one route that takes the webhook; None where it is not one."""
    python = framework.kind is not Kind.URL
    routes = [route for route in found.routes if route.place.file.endswith(".py") is python]
    hooks = [route for route in routes if "hook" in route.path.lower()]
    if application is not None and application.place is not None:
        file = application.place.file
        hooks = [route for route in hooks if route.place.file == file] or hooks
    return _single(hooks or routes)


def _single(routes: Iterable[Route]) -> Route | None:
    paths = {route.path: route for route in routes}
    return next(iter(paths.values())) if len(paths) == 1 else None


def _secret(found: Survey) -> tuple[str, Place | None]:
    """Return the variable that holds the secret: what the configuration says goes first.

    A name of another form may be the secret itself, and is not repeated.
    """
    told = str(found.config.values.get("secret-env", ""))
    if _VARIABLE.fullmatch(told):
        return told, None
    variables = {secret.variable: secret.place for secret in found.secrets}
    return next(iter(variables.items())) if len(variables) == 1 else (DEFAULT_VARIABLE, None)
