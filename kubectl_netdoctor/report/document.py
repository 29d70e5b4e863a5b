"""The diagnosis as plain JSON values: the versioned form that other programs read.

Described in docs/report.md. Fields are added, never renamed or removed, within one schemaVersion.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubectl_netdoctor.analysis.case import Case, cases
from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Covered, Errored, Found, Passed, Skipped
from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.facts.cluster import ServerVersion
from kubectl_netdoctor.facts.snapshot import NodeReport, Snapshot
from kubectl_netdoctor.report.fleet import values as majorities
from kubectl_netdoctor.report.header import digests, redaction

SCHEMA_VERSION = "1.0"
TOOL = "kubectl-netdoctor"


def document(diagnosis: Diagnosis, *, exit_code: int) -> dict[str, Any]:
    """The whole report."""
    run = diagnosis.snapshot.run
    worst = diagnosis.verdict.worst
    version = diagnosis.snapshot.cluster.get("server_version")
    return {
        "schemaVersion": SCHEMA_VERSION,
        "tool": {"name": TOOL, "version": run.tool_version},
        "run": {
            "id": run.id,
            "start": run.started,
            "end": run.ended,
            "command": list(run.command),
            "nodes": list(run.nodes),
            "local": run.local,
            "context": run.context,
            "server": run.server,
            "serverVersion": version.git_version if isinstance(version, ServerVersion) else None,
            "image": run.image,
            "imageDigests": image_digests(diagnosis.snapshot),
            "redaction": redaction(diagnosis.snapshot),
            "windowSeconds": run.window_seconds,
            "exitCode": exit_code,
        },
        "verdict": {
            "text": diagnosis.verdict.text,
            "severity": worst.value if worst else None,
            "complete": diagnosis.verdict.complete,
        },
        "findings": [argued(case) for case in cases(diagnosis)],
        "advice": [row(r) for r in diagnosis.advice],
        "coverage": [cell(c) for c in diagnosis.coverage],
        "fleet": majorities(fleet(diagnosis.snapshot)),
        "nodes": [node(n) for n in diagnosis.snapshot.nodes],
    }


def image_digests(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Which image the agents ran, and where; empty where no kubelet has said it."""
    return [{"digest": digest, "nodes": on} for digest, on in digests(snapshot).items()]


def node(report: NodeReport) -> dict[str, Any]:
    """One node that was asked."""
    return {
        "name": report.name,
        "status": report.status.value,
        "reason": report.reason,
        "agentVersion": report.envelope.agent_version if report.envelope else None,
    }


def row(ranked: Ranked) -> dict[str, Any]:
    """One finding."""
    finding = ranked.finding
    return {
        "key": finding.key,
        "id": finding.id,
        "severity": ranked.severity.value,
        "confidence": finding.confidence.value,
        "title": finding.title,
        "subjects": [{"kind": s.kind, "name": s.name} for s in finding.subjects],
        "scope": finding.scope,
        "evidence": seen(finding.evidence),
        "causedBy": ranked.caused_by,
        "explains": list(ranked.explains),
        "fix": {
            "text": finding.fix.text,
            "commands": list(finding.fix.commands),
            "runOn": finding.fix.run_on,
            "risk": finding.fix.risk.value,
            "verify": finding.fix.verify,
            "rollback": finding.fix.rollback,
        },
    }


def argued(case: Case) -> dict[str, Any]:
    """One finding with its case: why it ranks there, what speaks for it and what against."""
    return {
        **row(case.ranked),
        "why": list(case.why),
        "for": seen(case.pro),
        "against": seen(case.contra),
    }


def seen(evidence: Iterable[Evidence]) -> list[dict[str, str | None]]:
    """Observations, each with the node where it was made."""
    return [{"node": e.node, "text": e.text} for e in evidence]


def cell(covered: Covered) -> dict[str, Any]:
    """One cell of the coverage ledger."""
    outcome, reason = describe(covered)
    return {
        "node": covered.node,
        "check": covered.check.id,
        "outcome": outcome,
        "reason": reason,
    }


def describe(covered: Covered) -> tuple[str, str | None]:
    """Outcome word and, where it did not run, why."""
    match covered.outcome:
        case Passed():
            return "passed", None
        case Found():
            return "found", None
        case Skipped(need, missing):
            return "skipped", f"{need}: {missing.detail}"
        case Errored(error):
            return "errored", error
