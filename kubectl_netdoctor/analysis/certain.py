"""Findings of one node that stay, whatever other nodes say: they can be told while others run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubectl_netdoctor.analysis.engine import Found, is_per_node, run_check, scope_of
from kubectl_netdoctor.checks.base import Check, Confidence, Finding, Need, Severity
from kubectl_netdoctor.facts.base import KEYS, Scope
from kubectl_netdoctor.facts.snapshot import NodeReport, RunInfo, Snapshot


def lasting(checks: Iterable[Check], cluster: Mapping[str, Any]) -> tuple[Check, ...]:
    """Checks that read one node and what the API has said already, and nothing that comes later."""
    return tuple(
        check
        for check in checks
        if is_per_node(check) and all(_is_final(need, cluster) for need in check.needs.values())
    )


def _is_final(need: Need, cluster: Mapping[str, Any]) -> bool:
    if need.per_node or need.type is RunInfo:
        return False
    return scope_of(need) is Scope.NODE or KEYS[need.type] in cluster


def certain(
    checks: Iterable[Check], report: NodeReport, run: RunInfo, cluster: Mapping[str, Any]
) -> Iterator[Finding]:
    """What these checks find on one node, as far as it is certain and at least of medium severity."""
    snapshot = Snapshot(run, (report,), dict(cluster))
    for check in checks:
        outcome = run_check(check, snapshot, report.name)
        for finding in outcome.findings if isinstance(outcome, Found) else ():
            bad = (finding.severity or check.severity).rank <= Severity.MEDIUM.rank
            if bad and finding.confidence is Confidence.CERTAIN:
                yield finding
