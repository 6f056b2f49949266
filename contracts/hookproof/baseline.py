"""The baseline: findings that a team accepts for a time, each with its reason.

A TOML file with an `[[accepted]]` table for each: `rule`, `target`, `reason` and `expires`, a date.
What is accepted fails no run until then. What no longer holds, because the rule passes or the date
is over, is told and fails the run, so that the file never grows old.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import final

from hookproof.catalogue import BY_ID
from hookproof.events import Event, ExitStatus, RuleFinished, RuleResult, RunFinished, RunStarted
from hookproof.reports.files import ReportFile
from hookproof.rule import CURRENT, Rule
from hookproof.run import exit_status
from hookproof.verdicts import Verdict
from hookproof_spec.errors import HookproofError, did_you_mean, one_of

LASTS = timedelta(days=90)
"""How long a finding is accepted when it is added by an update; the file may be edited."""
TABLE = "accepted"
_MEMBERS = ("rule", "target", "reason", "expires")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One accepted finding. `target` is the receiver's URL; it is accepted on `expires` too."""

    rule: str
    target: str
    reason: str
    expires: date

    @property
    def key(self) -> tuple[str, str]:
        """What it is about."""
        return self.rule, self.target


@final
@dataclass(frozen=True, slots=True)
class Baseline:
    """The accepted findings of a file, in its order."""

    path: Path
    accepted: tuple[Accepted, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a file.

        Raises:
            HookproofError: it cannot be read, or something in it is wrong.
        """
        table = _read(path)
        for name in table:
            if name != TABLE:
                raise _wrong(path, name, "unknown table", f"write [[{TABLE}]]")
        items = table.get(TABLE, [])
        if not isinstance(items, list):
            raise _wrong(path, TABLE, "it is no list of tables", f"write [[{TABLE}]] for each")
        found = tuple(_accepted(item, path, number) for number, item in enumerate(items, 1))
        twice = [key for key, times in Counter(one.key for one in found).items() if times > 1]
        if twice:
            rule, target = twice[0]
            raise _wrong(path, rule, f"it is accepted twice for {target}", "keep one of them")
        return cls(path, found)

    def of(self, rule: str, target: str) -> Accepted | None:
        """Return what is accepted of a rule at a target."""
        return next((one for one in self.accepted if one.key == (rule, target)), None)

    def applied(
        self, rule: Rule, result: RuleResult, target: str, today: date
    ) -> tuple[RuleResult, str]:
        """Return how a rule ended in the light of the baseline, and what no longer holds of it."""
        entry = self.of(rule.id, target)
        if entry is None:
            return result, ""
        if result.verdict is Verdict.PASS:
            return result, f"{rule.id} passes now; take it out of {self.path}"
        if result.verdict not in (Verdict.FAIL, Verdict.WARN):
            return result, ""
        if entry.expires < today:
            return result, f"{rule.id} was accepted until {entry.expires}"
        why = f"accepted until {entry.expires}: {entry.reason}"
        message = f"{result.message} ({why})"
        return replace(result, verdict=Verdict.ACCEPTED, message=message), ""

    def write(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            HookproofError: it cannot be written.
        """
        text = "\n".join(_written(one) for one in self.accepted)
        self.file().write(text.encode())

    def file(self) -> ReportFile:
        """Return the file to write to.

        Raises:
            HookproofError: it cannot be written.
        """
        return ReportFile(self.path, "the baseline")


@final
@dataclass(slots=True)
class Keeper:
    """Applies a baseline to the events of one run, and remembers what they say of it."""

    baseline: Baseline
    today: date
    ruleset: int = CURRENT
    _target: str = field(default="", init=False)
    _rules: tuple[Rule, ...] = field(default=(), init=False)
    _results: dict[str, RuleResult] = field(default_factory=dict, init=False)
    _outdated: list[str] = field(default_factory=list, init=False)
    finished: bool = field(default=False, init=False)
    """Whether the run has come to its end: only then does it say what to accept."""

    def events(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield the events, with accepted findings accepted."""
        for event in events:
            match event:
                case RunStarted():
                    self._target, self._rules = event.target, event.rules
                    yield event
                case RuleFinished(rule, result):
                    judged, outdated = self.baseline.applied(rule, result, self._target, self.today)
                    self._results[rule.id] = judged
                    self._outdated += [outdated] if outdated else []
                    yield RuleFinished(rule, judged)
                case RunFinished():
                    yield self._finished(event)
                case _:
                    yield event

    def _finished(self, event: RunFinished) -> RunFinished:
        self.finished = event.complete
        summary = Counter(result.verdict for result in self._results.values())
        broken_too = summary[Verdict.FAIL] > 0
        notes = event.notes + tuple(self._outdated if broken_too else ())
        return replace(
            event,
            exit=event.exit if event.reason else self._exit(),
            summary={verdict: summary[verdict] for verdict in Verdict},
            notes=notes,
            outdated=() if broken_too else tuple(self._outdated),
        )

    def _exit(self) -> ExitStatus:
        status = exit_status(self._scored(), self._results)
        outweighs = status in (ExitStatus.PROVEN, ExitStatus.UNPROVEN)
        return ExitStatus.BROKEN if self._outdated and outweighs else status

    def _scored(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self._rules if rule.since <= self.ruleset)

    def status_when_accepted(self) -> ExitStatus:
        """Return the exit status of this run, were everything accepted that it found."""
        results = {
            rule: replace(result, verdict=Verdict.ACCEPTED)
            if result.verdict is Verdict.FAIL
            else result
            for rule, result in self._results.items()
        }
        return exit_status(self._scored(), results)

    def updated(self, reason: str | None) -> Baseline:
        """Return the baseline that accepts what this run found, and nothing that it disproved.

        What is about other targets, or about rules that did not run, stays. What has expired is
        new again.

        Raises:
            HookproofError: there are new findings, and no reason to accept them.
        """
        kept = [one for one in self.baseline.accepted if not self._is_over(one)]
        known = {one.key for one in kept}
        new = [
            rule
            for rule, result in self._results.items()
            if result.verdict is Verdict.FAIL and (rule, self._target) not in known
        ]
        if new and not (reason or "").strip():
            raise HookproofError(
                f"{len(new)} findings are new: {', '.join(new)}",
                where="--baseline-update",
                hint="say why they are accepted, with --baseline-reason",
            )
        added = (
            Accepted(
                rule=rule,
                target=self._target,
                reason=(reason or "").strip(),
                expires=self.today + LASTS,
            )
            for rule in new
        )
        return replace(self.baseline, accepted=(*kept, *added))

    def _is_over(self, entry: Accepted) -> bool:
        result = self._results.get(entry.rule)
        if entry.target != self._target or result is None:
            return False
        return result.verdict is Verdict.PASS or entry.expires < self.today


# --- the file -----------------------------------------------------------------------------------


def _read(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise HookproofError(
            f"cannot be read: {(error.strerror or str(error)).lower()}",
            where=f"baseline {path}",
            hint="--baseline-update makes one",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HookproofError(f"it is not TOML: {error}", where=f"baseline {path}") from error


def _accepted(item: object, path: Path, number: int) -> Accepted:
    place = f"{TABLE} {number}"
    if not isinstance(item, dict):
        raise _wrong(path, place, "it is no table", f"write [[{TABLE}]]")
    for name in item:
        if name not in _MEMBERS:
            hint = did_you_mean(name, _MEMBERS) or one_of(_MEMBERS)
            raise _wrong(path, f"{place}: {name}", "unknown key", hint)
    texts = [item.get(name) for name in ("rule", "target", "reason")]
    for name, value in zip(("rule", "target", "reason"), texts, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise _wrong(path, f"{place}: {name}", "it must be a text", _WHAT[name])
    rule, target, reason = map(str, texts)
    if rule not in BY_ID:
        hint = did_you_mean(rule, BY_ID) or "`hookproof rules` lists them"
        raise _wrong(path, place, f"no rule {rule!r}", hint)
    expires = item.get("expires")
    if type(expires) is not date:
        raise _wrong(path, f"{place}: expires", "it must be a date", "write it as 2030-12-31")
    return Accepted(rule=rule, target=target, reason=reason, expires=expires)


_WHAT = {
    "rule": "name the rule, such as replay-race",
    "target": "give the receiver's URL, as a run shows it",
    "reason": "say why the finding is accepted",
}


def _wrong(path: Path, place: str, what: str, hint: str) -> HookproofError:
    return HookproofError(what, where=f"baseline {path}: {place}", hint=hint)


def _written(entry: Accepted) -> str:
    return (
        f"[[{TABLE}]]\n"
        f"rule = {_quoted(entry.rule)}\n"
        f"target = {_quoted(entry.target)}\n"
        f"reason = {_quoted(entry.reason)}\n"
        f"expires = {entry.expires.isoformat()}\n"
    )


def _quoted(text: str) -> str:
    """Write a text as TOML's basic string: JSON's, but for one character that TOML escapes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
