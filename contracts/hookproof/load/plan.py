"""What a load test sends, where, and how it is judged; written into an environment and read back.

The environment is how the command line tells Locust's process, and how people tell it who call
`locust -f` themselves: what stands there is in no process list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import final

from hookproof.load.mix import Mix
from hookproof.verdicts import ForgedPolicy, ReplayPolicy
from hookproof_spec import load
from hookproof_spec.errors import HookproofError, did_you_mean, one_of
from hookproof_spec.request import Header
from hookproof_spec.scheme import SignatureScheme
from hookproof_spec.webhook import Document, Webhook

PREFIX = "HOOKPROOF_LOAD_"
PIPE = f"{PREFIX}PIPE"
"""The file descriptor that counts are written to, where the command line listens."""
REPORT = f"{PREFIX}REPORT"
ALLOW_HOST = f"{PREFIX}ALLOW_HOST"
TIMEOUT = 10.0
EFFECT_TIMEOUT = 5.0
SPEC = "mobility-work"
NAMES = (
    "URL",
    "SPEC",
    "WEBHOOK",
    "MIX",
    "HEADERS",
    "TIMEOUT",
    "TOLERANCE",
    "RATE",
    "REQUESTS",
    "EFFECTS_URL",
    "EFFECT_TIMEOUT",
    "REPLAY",
    "FORGED",
    "CA_FILE",
    "INSECURE",
)
BESIDE = ("PIPE", "REPORT", "ALLOW_HOST", "SECRET_FILE")
"""Variables of the same prefix that are no part of a plan."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A load test; times in seconds, `rate` in requests a second of all users together.

    After `requests`, of all users together, it ends; None leaves it to the time. `headers` go with
    every request and may hold what nobody else should read: they are shown nowhere.
    """

    document: Document
    webhook: Webhook
    url: str
    spec: str
    mix: Mix
    headers: tuple[Header, ...] = ()
    timeout: float = TIMEOUT
    tolerance: float | None = None
    rate: float | None = None
    requests: int | None = None
    effects_url: str | None = None
    effect_timeout: float = EFFECT_TIMEOUT
    replay: ReplayPolicy = ReplayPolicy.EITHER
    forged: ForgedPolicy = ForgedPolicy.REJECTS
    ca_file: str | None = None
    insecure: bool = False

    def __repr__(self) -> str:
        return f"Plan({self.url}, {self.mix.written()})"

    @property
    def scheme(self) -> SignatureScheme:
        """The webhook's signature scheme."""
        return self.webhook.scheme

    def variables(self) -> dict[str, str]:
        """Return the plan as variables of an environment."""
        values: dict[str, object] = {
            "URL": self.url,
            "SPEC": self.spec,
            "WEBHOOK": self.webhook.name,
            "MIX": self.mix.written(),
            "HEADERS": "\n".join(f"{name}: {value}" for name, value in self.headers),
            "TIMEOUT": self.timeout,
            "TOLERANCE": self.tolerance,
            "RATE": self.rate,
            "REQUESTS": self.requests,
            "EFFECTS_URL": self.effects_url,
            "EFFECT_TIMEOUT": self.effect_timeout,
            "REPLAY": self.replay.value,
            "FORGED": self.forged.value,
            "CA_FILE": self.ca_file,
            "INSECURE": "1" if self.insecure else "",
        }
        return {PREFIX + name: str(value) for name, value in values.items() if value is not None}

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Plan:
        """Read a plan from the variables of an environment; an empty one counts as not set.

        Raises:
            HookproofError: one is unknown, missing, or says what cannot be.
        """
        from hookproof.cli.addresses import checked_headers, checked_url

        _known(variables)
        given = {name: variables.get(PREFIX + name) or None for name in NAMES}
        spec = given["SPEC"] or SPEC
        document = load(spec)
        webhook = document.webhook(given["WEBHOOK"])
        effects_url = given["EFFECTS_URL"]
        url = checked_url(given["URL"] or _missing("URL"), PREFIX + "URL")
        return cls(
            document=document,
            webhook=webhook,
            url=url,
            spec=spec,
            mix=_mix(given["MIX"], webhook.scheme),
            headers=no_name_twice(
                checked_headers((given["HEADERS"] or "").splitlines(), webhook.scheme),
                PREFIX + "HEADERS",
            ),
            timeout=_number(given, "TIMEOUT") or TIMEOUT,
            tolerance=_number(given, "TOLERANCE"),
            rate=_number(given, "RATE"),
            requests=_whole(given, "REQUESTS"),
            effects_url=effects_url and checked_url(effects_url, PREFIX + "EFFECTS_URL"),
            effect_timeout=_number(given, "EFFECT_TIMEOUT") or EFFECT_TIMEOUT,
            replay=ReplayPolicy(_word(given, "REPLAY", ReplayPolicy) or "either"),
            forged=ForgedPolicy(_word(given, "FORGED", ForgedPolicy) or "rejects"),
            ca_file=readable(given["CA_FILE"], PREFIX + "CA_FILE"),
            insecure=given["INSECURE"] is not None,
        )


def readable(path: str | None, where: str) -> str | None:
    """Return the path of a file of certificates.

    Raises:
        HookproofError: there is none.
    """
    if path is not None and not Path(path).is_file():
        raise HookproofError(
            f"there is no file {path}", where=where, hint="name a file of PEM certificates"
        )
    return path


def no_name_twice(headers: tuple[Header, ...], where: str) -> tuple[Header, ...]:
    """Return headers of which each name stands once: Locust's client sends no more.

    Raises:
        HookproofError: one stands twice.
    """
    seen: set[str] = {"user-agent", "content-type"}
    for name, _ in headers:
        if name.lower() in seen:
            raise HookproofError(
                f"{name} would stand twice, and Locust's client sends each header once",
                where=where,
                hint="keep one",
            )
        seen.add(name.lower())
    return headers


def _known(variables: Mapping[str, str]) -> None:
    names = [PREFIX + name for name in (*NAMES, *BESIDE)]
    for name in variables:
        if name.startswith(PREFIX) and name not in names:
            hint = did_you_mean(name, names) or one_of(names)
            raise HookproofError("unknown variable", where=name, hint=hint)


def _missing(name: str) -> str:
    raise HookproofError("it is not set", where=PREFIX + name, hint="name the receiver's URL")


def _mix(text: str | None, scheme: SignatureScheme) -> Mix:
    return Mix.usual(scheme) if text is None else Mix.read(text, scheme, PREFIX + "MIX")


def _number(given: Mapping[str, str | None], name: str) -> float | None:
    text = given[name]
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise HookproofError(f"{text[:40]!r} is not a number above 0", where=PREFIX + name)
    return number


def _whole(given: Mapping[str, str | None], name: str) -> int | None:
    number = _number(given, name)
    if number is not None and not number.is_integer():
        raise HookproofError(f"{number:g} is not a whole number", where=PREFIX + name)
    return None if number is None else int(number)


def _word(given: Mapping[str, str | None], name: str, kind: type[StrEnum]) -> str | None:
    text = given[name]
    known = [policy.value for policy in kind]
    if text is not None and text not in known:
        hint = did_you_mean(text, known) or one_of(known)
        raise HookproofError(f"unknown value {text[:40]!r}", where=PREFIX + name, hint=hint)
    return text


def lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """Say what is tested, as pairs of a label and a text."""
    yield "target", plan.url
    yield "webhook", f"{plan.webhook.name} of {plan.document.name}"
    yield "mix", ", ".join(f"{kind.value} {weight}" for kind, weight in plan.mix.weights.items())
    yield "effects", plan.effects_url or "not counted: --effects-url is missing"
