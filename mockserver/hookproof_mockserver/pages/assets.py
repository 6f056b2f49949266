"""The files that pages are made with: styles, scripts, the icon. They lie in the package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, final

from werkzeug import Request, Response

if TYPE_CHECKING:
    from hookproof_mockserver.site import Site

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@final
@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; `version` changes with its bytes."""

    body: bytes
    content_type: str
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file by its name, read once."""
    folder = resources.files("hookproof_mockserver") / "static"
    found = {}
    for file in folder.iterdir():
        kind = _TYPES.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            body = file.read_bytes()
            found[file.name] = Asset(body, kind, hashlib.sha256(body).hexdigest()[:12])
    return MappingProxyType(found)


def address(name: str) -> str:
    """Return where a file is served; another version has another address."""
    return f"/static/{name}?v={assets()[name].version}"


def serve(_site: Site, request: Request, name: str) -> Response:
    """Return a file. Its address names its version, so it may be kept for ever."""
    asset = assets().get(name)
    if asset is None:
        return Response("There is no such file.\n", 404, content_type="text/plain; charset=utf-8")
    response = Response(asset.body, content_type=asset.content_type)
    response.set_etag(asset.version)
    kept = request.args.get("v") == asset.version
    response.headers["Cache-Control"] = "max-age=31536000, immutable" if kept else "no-cache"
    return response.make_conditional(request)
