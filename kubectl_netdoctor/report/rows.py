"""From a cell of the coverage ledger to the ranked rows that its findings became."""

from __future__ import annotations

from collections.abc import Mapping

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.engine import Covered, Found
from kubectl_netdoctor.analysis.ranking import Ranked


def by_check(diagnosis: Diagnosis) -> dict[str, list[Ranked]]:
    """Findings and advice by the check that found them."""
    rows: dict[str, list[Ranked]] = {}
    for ranked in (*diagnosis.findings, *diagnosis.advice):
        rows.setdefault(ranked.finding.id, []).append(ranked)
    return rows


def of(cell: Covered, rows: Mapping[str, list[Ranked]]) -> list[Ranked]:
    """The rows of one cell: ranking merged the same finding of several nodes into one."""
    return [ranked for ranked in rows.get(cell.check.id, ()) if belongs(cell, ranked)]


def belongs(cell: Covered, ranked: Ranked) -> bool:
    """Whether the row came, also, from this cell."""
    if not isinstance(cell.outcome, Found) or ranked.finding.id != cell.check.id:
        return False
    subjects = set(ranked.finding.subjects)
    return any(set(finding.subjects) <= subjects for finding in cell.outcome.findings)
