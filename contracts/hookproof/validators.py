"""Judging a request whole: signature, age, media type, payload and replay, in this order.

`RequestValidator` is for receivers and for tests alike. What is accepted takes the fast way; what
was refused can be explained in full by openapi-core and jsonschema, imported only then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, final

from hookproof.nonces import Claim, NonceStore, settling
from hookproof_spec import payloads
from hookproof_spec.documents import load
from hookproof_spec.errors import HookproofError, Problem, SecretError
from hookproof_spec.request import Request
from hookproof_spec.signing import Reason, Verification, Verifier

if TYPE_CHECKING:
    from hookproof.explanations import Explainer
    from hookproof_spec.webhook import Webhook

DEFAULT_TOLERANCE = 300.0
"""The oldest age in seconds that is accepted where neither document nor caller names one.

Without any limit a captured request would be good for ever; five minutes are what Stripe and
Standard Webhooks take.
"""
_UNSIGNED = Verification()


@final
class RequestValidator:
    """Judges the requests of one webhook.

    `check` is all that most need. A receiver that may fail while it acts uses `processing`, so
    that a failed event is not taken for a replay when it is sent again.
    """

    def __init__(
        self,
        webhook: Webhook,
        secrets: str | Iterable[str] | None,
        *,
        nonces: NonceStore | None,
        tolerance: float | None = None,
    ) -> None:
        """Prepare to judge.

        Args:
            webhook: what is expected.
            secrets: the secrets that are valid now, several during a rotation. None, which is
                never the same as an empty one, takes unsigned requests where the document allows
                them; neither age nor replay can be judged then.
            nonces: where nonces are remembered; None leaves replays alone.
            tolerance: the oldest age to accept in seconds, instead of the declared one.

        Raises:
            SecretError: no secret, an empty one, one in another form than declared, or None for a
                webhook that is always signed.
            HookproofError: the tolerance is not positive.
        """
        self.webhook = webhook
        self.nonces = nonces
        self.tolerance = _tolerance(webhook, tolerance)
        self._verifier = _verifier(webhook, secrets)
        self._media_type = _essence(webhook.media_type)

    @classmethod
    def from_document(
        cls,
        document: Path | str,
        secrets: str | Iterable[str] | None,
        webhook: str | None = None,
        *,
        nonces: NonceStore | None,
        tolerance: float | None = None,
    ) -> RequestValidator:
        """Prepare to judge a webhook of a document, given by its path or by the name of ours.

        Raises:
            DocumentError: the document or its webhook cannot be used.
            SecretError, HookproofError: see `RequestValidator`.
        """
        found = load(document).webhook(webhook)
        return cls(found, secrets, nonces=nonces, tolerance=tolerance)

    def __repr__(self) -> str:
        return f"RequestValidator({self.webhook.name!r})"

    @property
    def sees_nonces(self) -> bool:
        """Whether accepted requests carry a nonce."""
        return self._verifier is not None and self.webhook.scheme.nonce is not None

    def judge(self, request: Request, now: float) -> Verification:
        """Judge everything but replay: signature, age, media type, payload. Nothing is remembered.

        A request without a Content-Type, or with two, is of the wrong media type: the document
        declares one. Its parameters do not count, as JSON is UTF-8 whatever they say.
        """
        verdict = _UNSIGNED
        if self._verifier is not None:
            verdict = self._verifier.verify(request, now, tolerance=self.tolerance)
        if verdict.reason is not None:
            return verdict
        wrong = self._media_type_problem(request)
        if wrong:
            return verdict._replace(reason=Reason.WRONG_MEDIA_TYPE, detail=wrong)
        problems = self._problems(request.body)
        return _invalid(verdict, problems) if problems else verdict

    def check(self, request: Request, now: float) -> Verification:
        """Judge a request; when it is accepted, its nonce is spent. `now` is in Unix seconds.

        The nonce is claimed last, so that a refused request burns none.

        Raises:
            NonceStoreError: the store cannot be used.
        """
        verdict = self.judge(request, now)
        claim = self.claim(verdict, now)
        if claim is Claim.GRANTED:
            self._commit(verdict)
        return self.after_claim(verdict, claim)

    @contextmanager
    def processing(self, request: Request, now: float) -> Iterator[Verification]:
        """Judge a request and process it in the block, when the verdict that is given accepts it.

        When the block raises, the nonce is released, and the sender's retry will be accepted.

        Raises:
            NonceStoreError: the store cannot be used.
        """
        verdict = self.judge(request, now)
        verdict = self.after_claim(verdict, self.claim(verdict, now))
        with self.settling(verdict):
            yield verdict

    def claim(self, verdict: Verification, now: float) -> Claim | None:
        """Claim the nonce of an accepted request; None when there is nothing to claim.

        It is kept until the message itself is stale, wherever `now` lies in its life.
        """
        if self.nonces is None or verdict.nonce is None or not verdict.accepted:
            return None
        until = math.inf if verdict.timestamp is None else verdict.timestamp + self.tolerance
        return self.nonces.claim(verdict.nonce, now=now, until=until)

    def after_claim(self, verdict: Verification, claim: Claim | None) -> Verification:
        """Return the verdict that takes a claim into account."""
        if claim is None or claim is Claim.GRANTED:
            return verdict
        detail = "its nonce was used" if claim is Claim.SPENT else "its nonce is being processed"
        return verdict._replace(reason=Reason.REPLAYED, detail=detail)

    def settling(self, verdict: Verification) -> AbstractContextManager[None]:
        """Commit an accepted request's claim when the block succeeds, release it when it raises."""
        if self.nonces is None or verdict.nonce is None or not verdict.accepted:
            return nullcontext()
        return settling(self.nonces, verdict.nonce)

    def explain(self, request: Request) -> tuple[Problem, ...]:
        """Return everything that is wrong with a request's media type and payload.

        openapi-core and jsonschema look at it, which takes some milliseconds. Pointers lead into
        the payload. Values of the payload are not repeated, nor is any header.
        """
        wrong = self._media_type_problem(request)
        found = (Problem("", wrong),) if wrong else ()
        return (*found, *self._explained(request.body))

    def _explained(self, body: bytes) -> tuple[Problem, ...]:
        value = payloads.read(self.webhook, body)
        if isinstance(value, Problem):
            return (value,)
        if payloads.is_form(self.webhook):
            return payloads.validate(self.webhook, body)
        # What only the fast way refuses, half a surrogate pair for one, keeps its words.
        return self._explainer.problems(body) or payloads.validate(self.webhook, body)

    @cached_property
    def _explainer(self) -> Explainer:
        from hookproof.explanations import Explainer

        return Explainer.of(self.webhook)

    @cached_property
    def _problems(self) -> payloads.Judge:
        return payloads.judge_of(self.webhook)

    def _commit(self, verdict: Verification) -> None:
        if self.nonces is not None and verdict.nonce is not None:
            self.nonces.commit(verdict.nonce)

    def _media_type_problem(self, request: Request) -> str:
        given = None
        for name, value in request.headers:
            if len(name) == 12 and name.lower() == "content-type":
                if given is not None:
                    return "two Content-Type headers"
                given = value
        if given is None:
            return "no Content-Type header"
        fits = given == self._media_type or _essence(given) == self._media_type
        return "" if fits else f"the Content-Type is not {self._media_type}"


def _tolerance(webhook: Webhook, given: float | None) -> float:
    rule = webhook.scheme.timestamp
    declared = rule.tolerance if rule is not None else None
    tolerance = next((value for value in (given, declared) if value is not None), DEFAULT_TOLERANCE)
    if not 0 < tolerance < math.inf:
        raise HookproofError(
            f"a tolerance of {tolerance} s is none", hint="give seconds, such as 300"
        )
    return tolerance


def _verifier(webhook: Webhook, secrets: str | Iterable[str] | None) -> Verifier | None:
    if secrets is None:
        if webhook.unsigned_allowed:
            return None
        raise SecretError(
            f"no secret is given, and {webhook.name!r} is always signed",
            hint="set it to the webhook's secret key",
        )
    # A text is iterable too: each of its letters would become a key.
    given = (secrets,) if isinstance(secrets, str) else tuple(secrets)
    if not given:
        raise SecretError("no secret is given", hint="set it to the webhook's secret key")
    return Verifier(webhook.scheme, given)


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip(" \t").lower()


def _invalid(verdict: Verification, problems: tuple[Problem, ...]) -> Verification:
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    return verdict._replace(
        reason=Reason.INVALID_PAYLOAD,
        detail=f"{problems[0].message} at {problems[0].pointer or 'its root'}{more}",
        problems=problems,
    )
