"""One line per finding in plain ASCII: it survives chat and ticket fields."""

from __future__ import annotations

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.report.terminal import clean


def short(diagnosis: Diagnosis) -> str:
    """Verdict, causes with their first evidence, and nodes without an answer."""
    run = diagnosis.snapshot.run
    lines = [
        f"netdoctor {run.tool_version} {run.ended} {run.context or '-'}: {diagnosis.verdict.text}"
    ]
    for ranked in diagnosis.causes:
        finding = ranked.finding
        where = ", ".join(s.name for s in finding.subjects)
        seen = f" ({finding.evidence[0].text})" if finding.evidence else ""
        lines.append(f"[{ranked.severity.value}] {finding.id} {where}: {finding.title}{seen}")
    lines += [f"[no answer] {n.name}: {n.reason or 'no reason known'}" for n in diagnosis.silent]
    return "\n".join(clean(line, ascii_only=True) for line in lines) + "\n"
