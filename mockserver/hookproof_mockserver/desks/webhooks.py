"""Subscriptions: made, read, changed, rotated, removed."""

from __future__ import annotations

from hookproof_mockserver.desks import Desk
from hookproof_mockserver.engine import registering
from hookproof_mockserver.engine.registering import Changes, Generate, Registration, Rotation
from hookproof_mockserver.model import DeliveryPolicy, Fault, SignWith, Subscription


class WebhookDesk(Desk):
    """What can be asked about subscriptions."""

    def register(
        self,
        *,
        url: str,
        event: str | None = None,
        secret: str | Generate | None = None,
        policy: DeliveryPolicy | None = None,
        active: bool = True,
        description: str = "",
    ) -> Subscription:
        """Add a subscription; the result alone holds its secret. None is no secret: unsigned.

        Raises:
            Invalid, PlanError: a value cannot be taken, or the plan has not this webhook.
        """
        return registering.register(
            self._context,
            Registration(
                url=url,
                event=event,
                secret=secret,
                policy=policy or DeliveryPolicy(),
                active=active,
                description=description,
            ),
        )

    def subscription(self, id: str) -> Subscription:
        """Return a subscription, without its secrets.

        Raises:
            NotFound: there is none of that id.
        """
        return registering.found(self._context, id)

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions, without their secrets, the oldest first."""
        return registering.every(self._context)

    def change(
        self,
        id: str,
        *,
        url: str | None = None,
        active: bool | None = None,
        policy: DeliveryPolicy | None = None,
        description: str | None = None,
        faults: tuple[Fault, ...] | None = None,
    ) -> Subscription:
        """Change a subscription; None leaves a value. To activate it forgets why it was disabled.

        Raises:
            NotFound, Invalid: there is none of that id, or a value cannot be taken.
        """
        changes = Changes(
            url=url, active=active, policy=policy, description=description, faults=faults
        )
        return registering.change(self._context, id, changes)

    def remove(self, id: str) -> None:
        """Remove a subscription and its secrets; what was not sent yet is cancelled.

        Raises:
            NotFound: there is none of that id.
        """
        registering.remove(self._context, id)

    def rotate(
        self,
        id: str,
        *,
        secret: str | None = None,
        overlap: float,
        sign_with: SignWith = SignWith.NEW,
    ) -> Subscription:
        """Give a subscription a new secret (None has one made), which the result alone holds.

        For `overlap` seconds the old one is valid too, and `sign_with` says which of them signs.

        Raises:
            NotFound, Invalid, Conflict: there is none of that id, a value cannot be taken, or
                there is no room for two signatures.
        """
        rotation = Rotation(secret=secret, overlap=overlap, sign_with=sign_with)
        return registering.rotate(self._context, id, rotation)
