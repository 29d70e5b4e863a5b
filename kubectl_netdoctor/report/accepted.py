"""Accepted findings, apart from those that count: what, where, why and until when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, Suppressed
from kubectl_netdoctor.report.document import row


def accepted(diagnosis: Diagnosis) -> Iterator[str]:
    """One line for each finding, the order of ranks kept; the text is as it came."""
    for item in diagnosis.suppressed:
        finding = item.ranked.finding
        where = ", ".join(s.name for s in finding.subjects)
        yield f"{finding.id}  {finding.title} [{where}]: {item.reason} ({until(item)})"


def until(item: Suppressed) -> str:
    """How long a finding is accepted."""
    return f"until {item.expires}" if item.expires else "for ever"


def values(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The same as JSON values."""
    return [
        {**row(s.ranked), "reason": s.reason, "expires": s.expires} for s in diagnosis.suppressed
    ]
