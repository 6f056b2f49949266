"""One source file, read and never run: the applications, routes and names of secrets in it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from hookproof.starting.frameworks import MAKERS, Framework


@final
@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: a path below the project's folder, and a line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An application, or a function that makes one and cannot be called without `needs`."""

    place: Place
    name: str
    framework: Framework
    is_made: bool = False
    is_awaited: bool = False
    needs: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Route:
    """A path that takes POST; `on_app` is False where something may stand before it."""

    place: Place
    path: str
    on_app: bool


@final
@dataclass(frozen=True, slots=True)
class Secret:
    """An environment variable that seems to hold the webhook's secret. Its value is not read."""

    place: Place
    variable: str


@final
@dataclass(frozen=True, slots=True)
class Source:
    """What a file tells. `imports` are the modules that it imports by their whole names."""

    apps: tuple[App, ...] = ()
    routes: tuple[Route, ...] = ()
    settings: str | None = None
    imports: frozenset[str] = frozenset()


_VARIABLE = re.compile(
    r"(?:environ(?:\.get)?\s*[\[(]|getenv\s*\(|\benv\s*[.\[(]|\benv\.fetch\s*\()\s*"
    r"['\"`]?([A-Z][A-Z0-9_]*HOOK[A-Z0-9_]*)",
    re.IGNORECASE,
)
_POST = re.compile(r"\.post\(\s*['\"`](/[^'\"`\s]*)")
_TELLING = re.compile(
    rb"hook|post|" + b"|".join(sorted({maker.partition(".")[0].encode() for maker in MAKERS})),
    re.IGNORECASE,
)
"""What a file holds that tells anything; no other is parsed."""
_ROUTABLE = re.compile(r"/[A-Za-z0-9/_.~!$&()*+,;=@%-]*")
"""A path as it stands in a URL, and so without a part that varies."""
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_POSTING = frozenset({"post", "add_post"})
_WITH_METHODS = frozenset({"route", "add_url_rule", "add_api_route", "api_route", "Route"})


def secrets_in(text: str, file: str) -> Iterator[Secret]:
    """Yield the variables of the environment whose names speak of a webhook's secret."""
    for found in _VARIABLE.finditer(text):
        name = found[1]
        if name.isupper() and any(word in name for word in ("SECRET", "KEY", "TOKEN")):
            yield Secret(Place(file, text.count("\n", 0, found.start()) + 1), name)


def posts_in(text: str, file: str) -> Iterator[Route]:
    """Yield the routes of a file in JavaScript that take POST."""
    for found in _POST.finditer(text):
        if _ROUTABLE.fullmatch(found[1]):
            yield Route(Place(file, text.count("\n", 0, found.start()) + 1), found[1], on_app=False)


def python_source(data: bytes, file: str) -> Source:
    """Return what a Python file tells: nothing where it is no Python that this one can read."""
    if _TELLING.search(data) is None:
        return Source()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a string's backslashes: they are not ours
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Source()
    try:
        return _Reader(tree, file).source()
    except RecursionError:  # an expression that nests deeper than it can be followed
        return Source()


class _Reader:
    """Reads a module: imports first, then what is made at its top, then routes anywhere."""

    def __init__(self, tree: ast.Module, file: str) -> None:
        self._file = file
        self._nodes = list(ast.walk(tree))
        self._statements = list(_top(tree.body))
        self._names = dict(_imported(self._nodes))
        self._factories: dict[str, App] = {}  # for a function that calls another, which comes first
        self._factories = {app.name: app for app in self._made_by_functions()}
        self._held = dict(self._assigned())

    def source(self) -> Source:
        """Return what the module tells."""
        objects = [app for node in self._statements if (app := self._app(node)) is not None]
        return Source(
            (*objects, *self._factories.values()),
            tuple(self._routes()),
            self._settings(),
            frozenset(name.partition(".")[0] for name in self._names.values()),
        )

    def _dotted(self, node: ast.expr) -> str:
        """Return the whole name that an expression stands for, "" where it is no name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join((self._names.get(node.id, node.id), *reversed(parts)))

    def _framework(self, node: ast.expr | None) -> Framework | None:
        """Return the framework of which an expression makes an application."""
        if not isinstance(node, ast.Call):
            return None
        name = self._dotted(node.func)
        known = self._factories.get(name)
        return known.framework if known is not None else MAKERS.get(name)

    def _app(self, node: ast.stmt) -> App | None:
        name, value = _assignment(node)
        framework = self._framework(value)
        if name is None or framework is None:
            return None
        return App(place=Place(self._file, node.lineno), name=name, framework=framework)

    def _made_by_functions(self) -> Iterator[App]:
        for node in self._statements:
            if not isinstance(node, _FUNCTION) or node.name.startswith("_"):
                continue
            framework = self._returned(node)
            if framework is not None:
                yield App(
                    place=Place(self._file, node.lineno),
                    name=node.name,
                    framework=framework,
                    is_made=True,
                    is_awaited=isinstance(node, ast.AsyncFunctionDef),
                    needs=tuple(_required(node.args)),
                )

    def _returned(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Framework | None:
        """Return the framework of which a function makes an application and returns it."""
        inside = list(ast.walk(function))
        made: dict[str, Framework] = {}
        for node in inside:
            name, value = _assignment(node)
            framework = self._framework(value)
            if name is not None and framework is not None:
                made[name] = framework
        for node in inside:
            if isinstance(node, ast.Return):
                named = made.get(node.value.id) if isinstance(node.value, ast.Name) else None
                if found := named or self._framework(node.value):
                    return found
        return None

    def _assigned(self) -> Iterator[tuple[str, str | None]]:
        """Yield the prefix of each name that holds a router; None of one that holds an app."""
        for node in self._nodes:
            name, value = _assignment(node)
            if name is not None and isinstance(value, ast.Call):
                if self._framework(value) is not None:
                    yield name, None
                else:
                    yield name, _text(_keyword(value, "prefix", "url_prefix")) or ""

    def _routes(self) -> Iterator[Route]:
        for node in self._nodes:
            if isinstance(node, ast.Call):
                path, prefix = self._path(node)
                if path is not None and _ROUTABLE.fullmatch(full := f"{prefix or ''}{path}"):
                    place = Place(self._file, node.lineno)
                    yield Route(place, full, on_app=prefix is None)

    def _path(self, node: ast.Call) -> tuple[str | None, str | None]:
        """Return the path that a call routes POST to, and its router's prefix; None for an app's.

        An application of aiohttp has a router under its own name: `app.router.add_post`.
        """
        whole = self._dotted(node.func)
        if whole in ("django.urls.path", "django.urls.conf.path"):
            text = _text(node.args[0]) if node.args else None
            return (f"/{text}" if text and "hook" in text else None), ""
        owner, _, verb = whole.rpartition(".")
        text = _text(node.args[0]) if node.args else None
        takes_post = verb in _POSTING or (verb in _WITH_METHODS and _takes_post(node))
        if text is None or not text.startswith("/") or not takes_post:
            return None, ""
        return text, self._held.get(owner.removesuffix(".router"), "")

    def _settings(self) -> str | None:
        """Return what `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` says."""
        for node in self._nodes:
            if isinstance(node, ast.Call) and len(node.args) == 2:
                name, value = map(_text, node.args)
                if name == "DJANGO_SETTINGS_MODULE" and value and _is_module(value):
                    return value
        return None


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, those under `if` and `try` too."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _top(node.body)
            yield from _top(node.orelse)


def _imported(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield each name that is imported, with the whole name that it stands for."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _assignment(node: ast.AST) -> tuple[str | None, ast.expr | None]:
    """Return the one name that a statement assigns to, and the value."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
    return None, None


def _required(arguments: ast.arguments) -> Iterator[str]:
    placed = [*arguments.posonlyargs, *arguments.args]
    yield from (one.arg for one in placed[: len(placed) - len(arguments.defaults)])
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is None:
            yield one.arg


def _keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg in names), None)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _takes_post(call: ast.Call) -> bool:
    methods = _keyword(call, "methods")
    return isinstance(methods, ast.List | ast.Tuple | ast.Set) and any(
        _text(item) == "POST" for item in methods.elts
    )


def _is_module(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
