"""JUnit XML: a suite for each area of checks, a case for each check and node, one for each node.

Elements and attributes are those that Jenkins and GitLab read.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, Suppressed
from kubectl_netdoctor.analysis.engine import Covered, Errored, Skipped
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.snapshot import NodeStatus
from kubectl_netdoctor.report import rows
from kubectl_netdoctor.report.accepted import until
from kubectl_netdoctor.report.document import describe
from kubectl_netdoctor.report.header import header
from kubectl_netdoctor.report.terminal import clean

NODES = "nodes"  # the suite that says which nodes answered
CLUSTER = "cluster"


def junit(diagnosis: Diagnosis, *, exit_code: int) -> str:
    """The whole report; the first suite's properties are the run's header."""
    run = diagnosis.snapshot.run
    root = ET.Element("testsuites", name=clean(f"netdoctor {run.id}"))
    known = rows.by_check(diagnosis)
    suites = {NODES: _nodes(diagnosis)}
    for cell in diagnosis.coverage:
        area = cell.check.id.partition("-")[0]
        case = _case(area, cell, known, diagnosis.suppressed)
        suites.setdefault(area, []).append(case)
    for name, cases in suites.items():
        suite = ET.SubElement(
            root, "testsuite", name=name, hostname=clean(run.context or CLUSTER),
            timestamp=clean(run.started.removesuffix("Z")), time="0",
        )  # fmt: skip
        _count(suite, cases)
        if name == NODES:
            suite.append(_properties(diagnosis, exit_code))
        suite.extend(cases)
    _count(root, [case for cases in suites.values() for case in cases])
    root.set("time", _seconds(run.started, run.ended))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _properties(diagnosis: Diagnosis, exit_code: int) -> ET.Element:
    found = ET.Element("properties")
    fields = {"verdict": diagnosis.verdict.text, **header(diagnosis, exit_code)}
    for label, value in fields.items():
        ET.SubElement(found, "property", name=label, value=clean(value))
    return found


def _nodes(diagnosis: Diagnosis) -> list[ET.Element]:
    cases = []
    for report in diagnosis.snapshot.nodes:
        case = _element(NODES, f"{report.name} answers")
        reason = clean(report.reason or "no reason known")
        if report.status is NodeStatus.SUMMARY:
            ET.SubElement(case, "system-out").text = f"only its summary arrived: {reason}"
        elif report.status is not NodeStatus.ANSWERED:
            ET.SubElement(case, "error", message=reason, type=report.status.value).text = reason
        cases.append(case)
    return cases


def _case(
    area: str,
    cell: Covered,
    known: Mapping[str, list[Ranked]],
    accepted: Sequence[Suppressed],
) -> ET.Element:
    case = _element(area, f"{cell.check.id} {cell.check.title} [{cell.node or CLUSTER}]")
    _, reason = describe(cell)
    text = clean(reason or "")
    match cell.outcome:
        case Skipped():
            ET.SubElement(case, "skipped", message=text)
        case Errored():
            ET.SubElement(case, "error", message=text, type="errored").text = text
    found = rows.of(cell, known)
    faults = [r for r in found if r.severity is not Severity.INFO]
    if faults:
        failure = ET.SubElement(
            case, "failure", message=clean(faults[0].finding.title), type=faults[0].severity.value
        )
        failure.text = "\n".join(line for ranked in faults for line in _told(ranked))
    elif given_up := [s for s in accepted if rows.belongs(cell, s.ranked)]:
        why = "; ".join(f"accepted: {s.reason} ({until(s)})" for s in given_up)
        ET.SubElement(case, "skipped", message=clean(why))
    elif found:
        out = ET.SubElement(case, "system-out")
        out.text = "\n".join(line for ranked in found for line in _told(ranked))
    return case


def _told(ranked: Ranked) -> list[str]:
    finding = ranked.finding
    lines = [f"{ranked.severity.value} {finding.id}: {finding.title} ({finding.scope})"]
    if ranked.caused_by:
        lines.append(f"caused by {ranked.caused_by}")
    lines += [f"{e.node}: {e.text}" if e.node else e.text for e in finding.evidence]
    lines += [f"fix ({finding.fix.risk.value}): {finding.fix.text}", *finding.fix.commands]
    return [clean(line) for line in lines]


def _element(area: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=f"netdoctor.{area}", name=clean(name), time="0")


def _count(element: ET.Element, cases: Iterable[ET.Element]) -> None:
    listed = list(cases)
    element.set("tests", str(len(listed)))
    for word, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(word, str(sum(case.find(child) is not None for case in listed)))


def _seconds(start: str, end: str) -> str:
    try:
        whole = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except (ValueError, TypeError):
        return "0"
    return f"{max(0.0, whole.total_seconds()):.0f}"
