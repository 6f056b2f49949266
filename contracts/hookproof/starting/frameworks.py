"""The frameworks that are known, and what gives each away in a project's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import final


class Kind(StrEnum):
    """How a receiver is reached, which is what the generated files depend on."""

    WSGI = "wsgi"
    ASGI = "asgi"
    DJANGO = "django"
    AIOHTTP = "aiohttp"
    URL = "url"


@final
@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: how its applications are reached, made and installed.

    `makers` are the calls that make an application, by their full names; `packages` are names of
    distributions, in lower case.
    """

    name: str
    title: str
    kind: Kind
    makers: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


_ALL = (
    Framework("flask", "Flask", Kind.WSGI, ("flask.Flask", "flask.app.Flask"), ("flask",)),
    Framework(
        "fastapi",
        "FastAPI",
        Kind.ASGI,
        ("fastapi.FastAPI", "fastapi.applications.FastAPI"),
        ("fastapi",),
    ),
    Framework(
        "starlette", "Starlette", Kind.ASGI, ("starlette.applications.Starlette",), ("starlette",)
    ),
    Framework(
        "django", "Django", Kind.DJANGO, ("django.core.wsgi.get_wsgi_application",), ("django",)
    ),
    Framework("aiohttp", "aiohttp", Kind.AIOHTTP, ("aiohttp.web.Application",), ("aiohttp",)),
    Framework(
        "wsgi",
        "a WSGI application",
        Kind.WSGI,
        ("bottle.Bottle", "falcon.App", "falcon.API"),
        ("bottle", "falcon", "pyramid"),
    ),
    Framework(
        "asgi",
        "an ASGI application",
        Kind.ASGI,
        ("quart.Quart", "litestar.Litestar", "sanic.Sanic", "falcon.asgi.App"),
        ("quart", "litestar", "sanic", "blacksheep"),
    ),
    Framework("url", "a receiver by its URL", Kind.URL),
)
FRAMEWORKS: Mapping[str, Framework] = {framework.name: framework for framework in _ALL}
"""By the words of `--framework`."""
MAKERS: Mapping[str, Framework] = {
    maker: framework for framework in _ALL for maker in framework.makers
}
PACKAGES: Mapping[str, Framework] = {
    package: framework for framework in _ALL for package in framework.packages
}
URL = FRAMEWORKS["url"]
