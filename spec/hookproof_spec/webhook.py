"""A webhook as a document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from hookproof_spec.errors import DocumentError, Problem, did_you_mean
from hookproof_spec.request import Header, Request

if TYPE_CHECKING:
    from hookproof_spec.scheme import SignatureScheme

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Webhook:
    """One webhook: what is sent, in which form, and how it is signed.

    `headers` are those that every request has beside Content-Type and the signature's.
    `schema` is a JSON Schema 2020-12 that stands alone (every `$ref` points inside it). `marker`
    is the JSON pointer of the free text in the payload that a receiver is sure to keep, in which
    a unique value identifies an event to an effects probe; None where the schema has none.
    `plans` have this webhook, `other_plans` do not. `stock` says which fact of a stock change
    stands where in the payload, by JSON pointer; None where the webhook tells of no stock.
    """

    name: str
    method: str
    summary: str
    description: str
    media_type: str
    schema: Mapping[str, JsonValue]
    example: JsonValue
    responses: tuple[str, ...]
    scheme: SignatureScheme
    unsigned_allowed: bool
    plans: tuple[str, ...]
    marker: str | None
    assumptions: tuple[str, ...] = ()
    stock: Mapping[str, str] | None = None
    other_plans: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()

    def unsigned(self, url: str, body: bytes, headers: tuple[Header, ...] = ()) -> Request:
        """Return a request that is still to be signed.

        `headers` are added; they take the place of those of the same name that the document has.
        """
        given = {name.lower() for name, _ in headers}
        own = (("Content-Type", self.media_type), *self.headers)
        kept = tuple(header for header in own if header[0].lower() not in given)
        return Request(self.method, url, kept + headers, body)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """An OpenAPI document: the webhooks that can be used, and why others cannot."""

    name: str
    path: str
    title: str
    version: str
    openapi: str
    webhooks: Mapping[str, Webhook]
    unusable: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    def webhook(self, name: str | None = None) -> Webhook:
        """Return a webhook by name, or the only one there is.

        Raises:
            DocumentError: there is none of that name, it is unusable, or a name is needed.
        """
        if name is None:
            return self._only()
        if name in self.webhooks:
            return self.webhooks[name]
        if name in self.unusable:
            problems = self.unusable[name]
            raise DocumentError(
                f"webhook {name!r} cannot be used: {problems[0]}",
                where=self.path,
                problems=problems,
            )
        known = (*self.webhooks, *self.unusable)
        raise DocumentError(
            f"no webhook {name!r}",
            where=self.path,
            hint=did_you_mean(name, known) or f"it has: {', '.join(known)}",
        )

    def _only(self) -> Webhook:
        if len(self.webhooks) == 1:
            return next(iter(self.webhooks.values()))
        if not self.webhooks:
            first = next(iter(self.unusable.values()), ())
            raise DocumentError(
                "no webhook of this document can be used" + (f": {first[0]}" if first else ""),
                where=self.path,
                problems=[problem for found in self.unusable.values() for problem in found],
            )
        raise DocumentError(
            "the document has several webhooks",
            where=self.path,
            hint=f"name one with --webhook: {', '.join(self.webhooks)}",
        )
