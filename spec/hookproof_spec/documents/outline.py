"""Whether a file is a document of OpenAPI 3.1 or 3.2 with webhooks at all."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from hookproof_spec.documents.operations import operations
from hookproof_spec.documents.resolve import Place
from hookproof_spec.errors import DocumentError, Problem, did_you_mean
from hookproof_spec.nodes import shown

_SUPPORTED = re.compile(r"3\.[12]\.[0-9]+(-.+)?")
_CONVERT = "webhooks came with OpenAPI 3.1: convert the document"


def check_outline(root: Place) -> None:
    """Refuse what is no such document.

    Raises:
        DocumentError: another kind of file, another version, or no webhooks.
    """
    where = str(root.file)
    if not isinstance(root.value, dict):
        raise DocumentError(f"no OpenAPI document: {shown(root.value)}", where=where)
    _check_version(root, where)
    webhooks = root.child("webhooks").value
    if webhooks is None or webhooks == {}:
        near = did_you_mean("webhooks", [word for word in root.value if word != "webhooks"])
        raise DocumentError(
            "the document has no webhooks",
            where=where,
            hint=f"{near} rename it" if near else "describe them under 'webhooks'",
        )
    if not isinstance(webhooks, dict):
        raise DocumentError(
            f"webhooks must be a mapping, not {shown(webhooks)}", where=f"{where}#/webhooks"
        )


def _check_version(root: Place, where: str) -> None:
    if root.has("swagger"):
        raise DocumentError(
            "this is Swagger 2.0, which has no webhooks", where=where, hint=_CONVERT
        )
    version = root.child("openapi").value
    if version is None:
        raise DocumentError(
            "no OpenAPI document: 'openapi' is missing", where=where, hint="as in openapi: 3.1.0"
        )
    if isinstance(version, str) and version.startswith("3.0"):
        raise DocumentError(
            f"this is OpenAPI {version}, which has no webhooks", where=where, hint=_CONVERT
        )
    if not isinstance(version, str) or not _SUPPORTED.fullmatch(version):
        raise DocumentError(
            f"OpenAPI {shown(version)} is not supported",
            where=f"{where}#/openapi",
            hint="write the version in full and quotes: '3.1.0' and '3.2.0' are supported",
        )


def duplicate_ids(root: Place) -> dict[str, tuple[Problem, ...]]:
    """Return the problem of each operation whose `operationId` another one has, by its pointer."""
    users: dict[str, list[Place]] = defaultdict(list)
    for operation in _all_operations(root):
        name = operation.child("operationId").value
        if isinstance(name, str):
            users[name].append(operation)
    return {
        place.pointer: (_twice(place, name, places),)
        for name, places in users.items()
        if len(places) > 1
        for place in places
    }


def _twice(place: Place, name: str, places: list[Place]) -> Problem:
    other = next(other for other in places if other.pointer != place.pointer)
    return place.child("operationId").problem(
        f"the operationId {shown(name)} is also that of #{other.pointer}", "give each its own"
    )


def _all_operations(root: Place) -> Iterator[Place]:
    for word in ("paths", "webhooks"):
        items = root.child(word)
        for name in items.value if isinstance(items.value, dict) else {}:
            yield from (operation for _, operation in operations(items.child(name)))
