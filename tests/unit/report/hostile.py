"""A diagnosis whose every text from outside is hostile: findings, names, facts, reasons."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Skipped
from kubectl_netdoctor.analysis.ranking import Ranked
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from tests.unit.recorded import judged, recorded

HOSTILE = (
    "n3\x1b[2J\x07|<script>alert(1)</script>`\r\nSEV\u202e"
    "\"'><img src=x onerror=alert(2)></style></title><!--]]>&lt;javascript:alert(3)"
)


def spoiled(value: Any) -> Any:
    """The same value with every text in it replaced or lengthened by a hostile one."""
    if isinstance(value, str):
        return value if type(value) is not str else f"{HOSTILE}{value}"
    if isinstance(value, tuple):
        return tuple(spoiled(one) for one in value)
    if isinstance(value, dict):
        return {spoiled(key): spoiled(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: spoiled(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **{**fields, **_kept(value)})
    return value


def _kept(value: Any) -> dict[str, Any]:
    """Words with a meaning of their own: without them nothing would be drawn at all."""
    words = ("role", "protocol", "transport", "kind", "way", "wrap", "sequences")
    return {name: getattr(value, name) for name in words if hasattr(value, name)}


def hostile(name: str = "fdb_entry_deleted") -> Diagnosis:
    """The diagnosis of a recorded fault, spoiled through and through."""
    diagnosis = judged(recorded(name))
    snapshot = diagnosis.snapshot
    dead = NodeReport(HOSTILE, NodeStatus.NOT_REACHED, HOSTILE, None)
    nodes = tuple(_node(report) for report in snapshot.nodes)
    cluster = {key: spoiled(fact) for key, fact in snapshot.cluster.items()}
    skipped = Skipped(HOSTILE, Missing(Reason.FAILED, HOSTILE))
    return dataclasses.replace(
        diagnosis,
        findings=tuple(_row(r) for r in diagnosis.findings),
        advice=tuple(_row(r) for r in diagnosis.advice),
        verdict=dataclasses.replace(diagnosis.verdict, text=HOSTILE),
        coverage=tuple(
            dataclasses.replace(
                cell,
                node=spoiled(cell.node),
                outcome=skipped if isinstance(cell.outcome, Skipped) else cell.outcome,
            )
            for cell in diagnosis.coverage
        ),
        snapshot=dataclasses.replace(
            snapshot, run=spoiled(snapshot.run), nodes=(*nodes, dead), cluster=cluster
        ),
    )


def _node(report: NodeReport) -> NodeReport:
    assert report.envelope
    facts = {key: spoiled(fact) for key, fact in report.envelope.facts.items()}
    envelope = dataclasses.replace(
        report.envelope, facts=facts, agent_version=HOSTILE, log=(HOSTILE,)
    )
    return dataclasses.replace(report, name=spoiled(report.name), envelope=envelope)


def _row(ranked: Ranked) -> Ranked:
    finding = dataclasses.replace(spoiled(ranked.finding), id=ranked.finding.id)
    fix = dataclasses.replace(finding.fix, run_on=ranked.finding.fix.run_on)
    return dataclasses.replace(ranked, finding=dataclasses.replace(finding, fix=fix))
