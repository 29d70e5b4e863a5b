"""SARIF 2.1.0: checks as rules, findings as results at logical locations, gaps as notifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, Suppressed
from kubectl_netdoctor.analysis.engine import Errored, Skipped
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import SECTIONS, Check, Severity
from kubectl_netdoctor.report.accepted import until
from kubectl_netdoctor.report.document import describe
from kubectl_netdoctor.report.header import header
from kubectl_netdoctor.report.terminal import clean

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "none",  # SARIF: what is no failure has no level
}
Object = dict[str, Any]


def sarif(diagnosis: Diagnosis, *, exit_code: int) -> Object:
    """The whole report."""
    run = diagnosis.snapshot.run
    checks = {cell.check.id: cell.check for cell in diagnosis.coverage}
    index = {check_id: number for number, check_id in enumerate(checks)}
    shown = [*diagnosis.findings, *diagnosis.advice]
    driver = {
        "name": "kubectl-netdoctor",
        "version": clean(run.tool_version),
        "rules": [_rule(check) for check in checks.values()],
    }
    invocation = {
        "executionSuccessful": diagnosis.verdict.complete,
        "exitCode": exit_code,
        "commandLine": clean(" ".join(run.command)),
        "arguments": [clean(word) for word in run.command[1:]],
        **_time("startTimeUtc", run.started),
        **_time("endTimeUtc", run.ended),
        "toolExecutionNotifications": list(_gaps(diagnosis)),
    }
    ticket = {label: clean(value) for label, value in header(diagnosis, exit_code).items()}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": f"netdoctor/{clean(run.id)}"},
                "invocations": [invocation],
                "results": [
                    *(_result(ranked, index) for ranked in shown),
                    *(_accepted(one, index) for one in diagnosis.suppressed),
                ],
                "properties": {"verdict": clean(diagnosis.verdict.text), "header": ticket},
            }
        ],
    }


def _time(name: str, text: str) -> Object:
    """A time as RFC 3339 has it, where it is one and has a zone: a snapshot may say anything."""
    try:
        found = datetime.fromisoformat(text)
        return {name: f"{found.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if found.tzinfo else {}
    except (ValueError, OverflowError):
        return {}


def _rule(check: Check) -> Object:
    page = check.page
    text = "\n\n".join(f"{name}: {page[name]}" for name in SECTIONS if name in page)
    marked = "\n\n".join(f"**{name}**: {page[name]}" for name in SECTIONS if name in page)
    return {
        "id": check.id,
        "name": "".join(word.title() for word in check.slug.split("_")),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": page.get("Meaning") or check.title},
        "help": {"text": text or check.title, "markdown": marked or check.title},
        "defaultConfiguration": {"level": LEVELS[check.severity]},
        "properties": {
            "severity": check.severity.value,
            "since": check.since,
            "tags": ["network", check.id.partition("-")[0].lower()],
        },
    }


def _result(ranked: Ranked, index: dict[str, int]) -> Object:
    finding = ranked.finding
    result: Object = {
        "ruleId": finding.id,
        "kind": "informational" if ranked.severity is Severity.INFO else "fail",
        "level": LEVELS[ranked.severity],
        "message": {"text": "\n".join(_text(ranked))},
        "locations": [
            {
                "logicalLocations": [
                    {
                        "name": clean(s.name),
                        "fullyQualifiedName": clean(f"{s.kind}/{s.name}"),
                        "kind": clean(s.kind.lower()),
                    }
                ]
            }
            for s in finding.subjects
        ],
        "partialFingerprints": {"netdoctorKey/v1": clean(finding.key)},
        "properties": {
            "severity": ranked.severity.value,
            "confidence": finding.confidence.value,
            "scope": clean(finding.scope),
            "causedBy": clean(ranked.caused_by) if ranked.caused_by else None,
            "explains": [clean(key) for key in ranked.explains],
            "fixCommands": [clean(command) for command in finding.fix.commands],
            "fixRisk": finding.fix.risk.value,
        },
    }
    if finding.id in index:
        result["ruleIndex"] = index[finding.id]
    return result


def _accepted(one: Suppressed, index: dict[str, int]) -> Object:
    """A finding that somebody has accepted, in SARIF's own way of saying so."""
    why = {
        "kind": "external",
        "status": "accepted",
        "justification": clean(f"{one.reason} ({until(one)})"),
    }
    return {**_result(one.ranked, index), "suppressions": [why]}


def _text(ranked: Ranked) -> Iterator[str]:
    finding = ranked.finding
    yield clean(f"{finding.title} ({finding.scope})")
    yield from (clean(f"{e.node}: {e.text}" if e.node else e.text) for e in finding.evidence)
    yield clean(f"Fix: {finding.fix.text}")


def _gaps(diagnosis: Diagnosis) -> Iterator[Object]:
    """What was not measured: never to be read as healthy."""
    for report in diagnosis.silent:
        text = f"{report.name} did not answer: {report.reason or 'no reason known'}"
        yield _notification("error", text, [report.name])
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for cell in diagnosis.coverage:
        if isinstance(cell.outcome, Skipped | Errored):
            outcome, reason = describe(cell)
            key = (cell.check.id, outcome, reason or "")
            reasons.setdefault(key, []).extend([cell.node] if cell.node else [])
    for (check_id, outcome, reason), nodes in reasons.items():
        level = "error" if outcome == "errored" else "note"
        found = _notification(level, f"{check_id} {outcome}: {reason}", nodes)
        yield {**found, "associatedRule": {"id": check_id}}


def _notification(level: str, text: str, nodes: Iterable[str]) -> Object:
    found: Object = {"level": level, "message": {"text": clean(text)}}
    places = [
        {"logicalLocations": [{"name": clean(n), "fullyQualifiedName": clean(f"Node/{n}")}]}
        for n in nodes
    ]
    return {**found, "locations": places} if places else found
