"""Whether a run has what a rule needs: in the scheme, the payload, the target, the hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookproof.lab import Lab
from hookproof.rule import Need
from hookproof.targets.base import Capability
from hookproof_spec import payloads
from hookproof_spec.scheme import CarriedHeader, OnRetry
from hookproof_spec.templates import ItemsHeader


def met(need: Need, lab: Lab) -> bool:
    """Tell whether a run has it."""
    return _MET[need](lab)


def _can(capability: Capability) -> Callable[[Lab], bool]:
    return lambda lab: capability in lab.courier.target.capabilities


def _keeps_nonces(lab: Lab) -> bool:
    return lab.scheme.nonce is not None and lab.scheme.nonce.on_retry is OnRetry.SAME


def _in_header(lab: Lab) -> bool:
    return isinstance(lab.scheme.signature_place, CarriedHeader)


def _of_items(lab: Lab) -> bool:
    return isinstance(lab.scheme.signature_place.shape, ItemsHeader)


_MET: Mapping[Need, Callable[[Lab], bool]] = {
    Need.TIMESTAMP: lambda lab: lab.scheme.timestamp is not None,
    Need.NONCE: lambda lab: lab.scheme.nonce is not None,
    Need.BODY: lambda lab: lab.scheme.covers("body"),
    Need.SIGNED_TIME: lambda lab: lab.scheme.covers("timestamp"),
    Need.SIGNED_NONCE: lambda lab: lab.scheme.covers("nonce"),
    Need.SHARED_KEY: lambda lab: lab.scheme.algorithm.hash_name is not None,
    Need.UNSIGNED: lambda lab: not lab.signs,
    Need.OTHER_SECRET: lambda lab: lab.other_secret is not None,
    Need.HEADER: _in_header,
    Need.ITEMS: lambda lab: _in_header(lab) and _of_items(lab),
    Need.REPEAT: lambda lab: lab.scheme.repeat is not None,
    Need.SAME_NONCE: _keeps_nonces,
    Need.JSON: lambda lab: not payloads.is_form(lab.webhook),
    Need.MARKER: lambda lab: lab.webhook.marker is not None,
    Need.DATES: lambda lab: bool(payloads.dates(lab.webhook)),
    Need.TOLERANCE: lambda lab: lab.policy.tolerance is not None,
    Need.EFFECTS: lambda lab: lab.watcher.active,
    Need.TOGETHER: _can(Capability.TOGETHER),
    Need.RAW: _can(Capability.RAW),
    Need.RESTART: lambda lab: lab.hooks.restart is not None,
    Need.SECOND_URL: lambda lab: lab.hooks.also is not None,
    Need.CLOCK: lambda lab: lab.hooks.advance is not None,
    Need.FAULT: lambda lab: lab.hooks.fail_once is not None,
}
