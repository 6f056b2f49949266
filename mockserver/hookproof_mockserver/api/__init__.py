"""The control API: every operation of its document, checked against it and answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from werkzeug import Request, Response
from werkzeug.routing import Rule

from hookproof_mockserver.api import (
    account,
    deliveries,
    events,
    reference,
    stock,
    streaming,
    webhooks,
)
from hookproof_mockserver.api.answers import check
from hookproof_mockserver.api.calls import Answer, Call, Handler
from hookproof_mockserver.api.contract import Contract, Operation
from hookproof_mockserver.api.document import filled_in, particulars_of

if TYPE_CHECKING:
    from hookproof_mockserver.sender import MockSender
    from hookproof_mockserver.site import Site
    from hookproof_mockserver.stream import Streams

HANDLERS: Mapping[str, Handler] = {
    "getDocument": account.document,
    "getHealth": account.health,
    "streamChanges": streaming.stream,
    "getAccount": account.account,
    "setPlan": account.set_plan,
    "listWebhooks": webhooks.listed,
    "createWebhook": webhooks.register,
    "getWebhook": webhooks.shown,
    "changeWebhook": webhooks.change,
    "removeWebhook": webhooks.remove,
    "rotateSecret": webhooks.rotate,
    "listParts": stock.listed,
    "createPart": stock.add,
    "getPart": stock.shown,
    "removePart": stock.remove,
    "consumePart": stock.consume,
    "setStock": stock.set_quantity,
    "listEvents": events.listed,
    "triggerEvent": events.trigger,
    "getEvent": events.shown,
    "listDeliveries": deliveries.listed,
    "getDelivery": deliveries.shown,
    "resendDelivery": deliveries.resend,
    "forgeDelivery": deliveries.forge,
    "cancelDelivery": deliveries.cancel,
    "retryDelivery": deliveries.retry,
    "resendDeliveries": deliveries.resend_many,
    "listForgeries": deliveries.forgeries,
}
"""The handler of each `operationId`."""


@final
class Api:
    """The operations as routes. Each request is checked against the document first."""

    def __init__(
        self, sender: MockSender, streams: Streams, *, check_answers: bool = False
    ) -> None:
        self.contract = _compiled(json.dumps(filled_in(particulars_of(sender))))
        self.streams = streams
        self._check_answers = check_answers

    def routes(self) -> list[Rule]:
        """Return a rule for each operation, and one for the reference page."""
        operations = [
            Rule(
                re.sub(r"\{(\w+)\}", r"<\1>", operation.path),
                endpoint=_Endpoint(self, operation, HANDLERS[operation.name]),
                methods=[operation.method],
            )
            for operation in self.contract.operations.values()
        ]
        page = Rule("/api", endpoint=self._reference, methods=["GET"])
        return [*operations, page]

    def _reference(self, site: Site, request: Request) -> Response:
        return reference.page(self.contract.document, site, request)

    def respond(
        self, operation: Operation, handler: Handler, asked: tuple[Site, Request, Mapping[str, str]]
    ) -> Response:
        """Check a request, have it handled, and return the answer."""
        site, request, ids = asked
        parameters, body = operation.read(request)
        answer = handler(
            Call(
                site=site,
                streams=self.streams,
                document=self.contract.document,
                ids=ids,
                parameters=parameters,
                body=body,
                path=request.path,
                head=request.method == "HEAD",
            )
        )
        response = answer.response() if isinstance(answer, Answer) else answer
        if self._check_answers:
            check(operation, response)
        return response


@lru_cache(maxsize=8)
def _compiled(document: str) -> Contract:
    """Compile a document once, however many senders in this process have the same."""
    return Contract(json.loads(document))


@final
@dataclass(frozen=True, slots=True, eq=False)  # the router keeps it by its identity
class _Endpoint:
    """What the router calls for one operation."""

    api: Api
    operation: Operation
    handler: Handler

    def __call__(self, site: Site, request: Request, **ids: str) -> Response:
        return self.api.respond(self.operation, self.handler, (site, request, ids))
