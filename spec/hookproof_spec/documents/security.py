"""Which signature an operation declares, by its `security` and the schemes it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookproof_spec.documents.resolve import Library, Place
from hookproof_spec.errors import Problem
from hookproof_spec.nodes import nearest, shown
from hookproof_spec.scheme_reader import read_scheme

if TYPE_CHECKING:
    from hookproof_spec.scheme import SignatureScheme

EXTENSION = "x-webhook-signature"


def signature_of(
    operation: Place, library: Library, found: list[Problem]
) -> tuple[SignatureScheme | None, bool]:
    """Return the scheme of an operation, and whether requests without signature are allowed too."""
    before = len(found)
    stated = operation if operation.has("security") else library.root
    requirements = _requirements(stated.child("security"), found)
    signed = _signed_names(requirements, library, found)
    unsigned = any(requirement.value == {} for requirement in requirements)
    if len(signed) == 1:
        return _read(next(iter(signed.values())), found), unsigned
    if len(signed) > 1:
        operation.child("security").node(found).error(
            f"several signatures are declared: {', '.join(signed)}", "keep one per webhook"
        )
    elif len(found) == before:
        operation.node(found).error(
            "no signature is declared",
            f"name under 'security' a security scheme that has {EXTENSION}",
        )
    return None, unsigned


def _requirements(place: Place, found: list[Problem]) -> list[Place]:
    if place.value is None:
        return []
    if not isinstance(place.value, list):
        place.node(found).error(f"security must be a list, not {shown(place.value)}")
        return []
    items = [place.child(number) for number in range(len(place.value))]
    for item in items:
        item.node(found).mapping("a security requirement")
    return [item for item in items if isinstance(item.value, dict)]


def _signed_names(
    requirements: list[Place], library: Library, found: list[Problem]
) -> dict[str, Place]:
    """Return the named schemes that have the extension; note names that nothing declares."""
    declared = library.root.child("components", "securitySchemes")
    known = list(declared.value) if isinstance(declared.value, dict) else []
    signed: dict[str, Place] = {}
    for requirement in requirements:
        names = requirement.value if isinstance(requirement.value, dict) else {}
        for name in names:
            if name not in known:
                requirement.child(name).node(found).error(
                    f"unknown security scheme {shown(name)}", nearest(name, known)
                )
                continue
            scheme = library.settle(declared.child(name), found)
            if scheme is not None and scheme.has(EXTENSION):
                signed[name] = scheme
                _warn_of_company(requirement, name, names, found)
    return signed


def _warn_of_company(
    requirement: Place, name: str, names: dict[str, object], found: list[Problem]
) -> None:
    others = ", ".join(other for other in names if other != name)
    if others:
        requirement.node(found).warning(
            f"{name} is asked for together with {others}, which is not sent by itself",
            "send it with --header",
        )


def _read(scheme: Place, found: list[Problem]) -> SignatureScheme | None:
    extension = scheme.child(EXTENSION)
    security_scheme = scheme.value if isinstance(scheme.value, dict) else {}
    read, problems = read_scheme(
        extension.value,
        pointer=extension.node(found).pointer,
        security_scheme=security_scheme,
    )
    found.extend(problems)
    return read
