"""What a provider's own verification code says of a request, in three words."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from hookproof_spec.request import Request

if TYPE_CHECKING:
    from providers.npm import Node

ACCEPTED, REFUSED = "accepted", "refused"

MORE = Path(__file__).parent / "more"
"""Documents of further providers, in the words of the guide."""

Verify = Callable[[Request, str], bool]
"""Tell whether a request is genuine under a secret; what it raises beside is undocumented."""


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """A package of PyPI with which a provider, or its community, verifies webhooks.

    `document` is the name, or the path, of the document that it judges, and `webhook` the only one
    of it, where a package is called in two ways. `package` is its name and `modules` are what has
    to be there to be imported.
    """

    document: str
    package: str
    modules: tuple[str, ...]
    verify: Verify
    webhook: str | None = None

    def __str__(self) -> str:
        return self.package if self.webhook is None else f"{self.package}:{self.webhook}"

    @property
    def version(self) -> str:
        """The installed version."""
        return metadata.version(self.package)

    def require(self) -> None:
        """Skip the test where the package is not installed."""
        for module in self.modules:
            pytest.importorskip(module, reason=f"{self.package} is not installed: group providers")

    def verdict(self, _: Node, request: Request, secret: str) -> str:
        """Return `accepted`, `refused`, or the name of what the package raised undocumented."""
        try:
            return ACCEPTED if self.verify(request, secret) else REFUSED
        except Exception as error:
            return type(error).__name__


def module(name: str) -> ModuleType:
    """Import what may not be installed, when it is asked for."""
    return importlib.import_module(name)


def header(request: Request, name: str) -> str | None:
    """Return a header as a framework gives it: lines of one name joined by a comma."""
    lines = request.header_values(name)
    return ",".join(lines) if lines else None


def headers(request: Request) -> dict[str, str]:
    """Return all headers under lower-case names."""
    return {name.lower(): header(request, name) or "" for name, _ in request.headers}


def text(request: Request) -> str | None:
    """Return the body as the text that a package asks for; None where it is no UTF-8."""
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


def more(name: str) -> str:
    """Return the path of a document of `more`."""
    return str(MORE / f"{name}.yaml")
