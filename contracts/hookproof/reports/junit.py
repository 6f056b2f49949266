"""JUnit's XML, as GitHub, GitLab and Jenkins show it: a suite a run, a test case a rule."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hookproof.reports.finding import told_lines
from hookproof.reports.json_report import moment
from hookproof.reports.model import RuleReport, RunReport
from hookproof.reports.terminal import policy_words
from hookproof.verdicts import Verdict

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""
_LEFT_OPEN = (
    Verdict.ACCEPTED,
    Verdict.UNPROVEN,
    Verdict.BLOCKED,
    Verdict.SKIPPED,
    Verdict.NOT_APPLICABLE,
)


def rendered(run: RunReport) -> bytes:
    """Write a run as an XML file."""
    suite = _suite(run)
    root = ElementTree.Element("testsuites", dict(suite.attrib, name="hookproof"))
    for name in ("timestamp", "hostname", "file"):
        root.attrib.pop(name, None)
    root.append(suite)
    ElementTree.indent(root, " ")
    written: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(run: RunReport) -> ElementTree.Element:
    cases = [_case(run, rule) for rule in run.rules]
    if run.unexplained:
        cases.append(_run_itself(run))
    suite = ElementTree.Element("testsuite", name=_clean(f"hookproof {run.webhook}"))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", f"{run.seconds:.3f}")
    suite.set("timestamp", moment(run.started).removesuffix("Z"))
    _properties(
        suite,
        {
            "target": run.target,
            "spec": run.spec,
            "webhook": run.webhook,
            "scheme": run.scheme,
            "policy": policy_words(run.policy),
            "effects": run.effects,
            "seed": str(run.seed),
            "exit": f"{run.exit}: {run.exit_words}",
        },
    )
    suite.extend(cases)
    return suite


def _case(run: RunReport, rule: RuleReport) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_clean(f"hookproof.{run.webhook}.{rule.category}"),
        name=_clean(rule.id),
        time=f"{rule.seconds:.3f}",
    )
    place = run.subject.place
    if place is not None and not place.shipped:
        case.set("file", _clean(place.file))
        case.set("line", str(place.line))
    _properties(
        case,
        {
            "title": rule.title,
            "rule": rule.id,
            "level": rule.level.value,
            "category": rule.category,
            "verdict": rule.verdict.value,
            "seed": str(run.seed),
            "requests": str(rule.requests),
        },
    )
    _outcome(case, run, rule)
    return case


def _outcome(case: ElementTree.Element, run: RunReport, rule: RuleReport) -> None:
    said = f"{rule.verdict.value}: {rule.message}"
    if rule.verdict is Verdict.FAIL:
        failure = ElementTree.SubElement(case, "failure", message=_clean(rule.message))
        failure.set("type", rule.level.value)
        failure.text = _told(run, rule)
    elif rule.verdict in _LEFT_OPEN:
        settle = f"; to settle: {rule.settle}" if rule.settle else ""
        ElementTree.SubElement(case, "skipped", message=_clean(said + settle))
    elif rule.found:
        ElementTree.SubElement(case, "system-out").text = _told(run, rule)


def _told(run: RunReport, rule: RuleReport) -> str:
    return _clean("\n".join(told_lines(rule, run.saved)))


def _run_itself(run: RunReport) -> ElementTree.Element:
    """Return a case that is red where the rules alone would look green."""
    case = ElementTree.Element(
        "testcase", classname=_clean(f"hookproof.{run.webhook}"), name="run", time="0"
    )
    error = ElementTree.SubElement(case, "error", message=_clean(run.exit_words), type="run")
    error.text = _clean("\n".join((run.exit_words, *run.notes)))
    return case


def _properties(element: ElementTree.Element, values: dict[str, str]) -> None:
    properties = ElementTree.SubElement(element, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", name=name, value=_clean(value))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
