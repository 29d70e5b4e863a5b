"""One line per finding in plain ASCII: it survives chat and ticket fields."""

from __future__ import annotations

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.report.accepted import accepted
from kubectl_netdoctor.report.header import header
from kubectl_netdoctor.report.terminal import clean

TICKET = ("run", "agent", "server", "start", "nodes", "exit code", "command")


def short(diagnosis: Diagnosis, *, exit_code: int | None = None) -> str:
    """Verdict, causes with their first evidence, nodes without an answer, and the run."""
    run = diagnosis.snapshot.run
    lines = [
        f"netdoctor {run.tool_version} {run.ended} {run.context or '-'}: {diagnosis.verdict.text}"
    ]
    for ranked in diagnosis.causes:
        finding = ranked.finding
        where = ", ".join(s.name for s in finding.subjects)
        seen = f" ({finding.evidence[0].text})" if finding.evidence else ""
        lines.append(f"[{ranked.severity.value}] {finding.id} {where}: {finding.title}{seen}")
    lines += [f"[accepted] {line}" for line in accepted(diagnosis)]
    lines += [f"[no answer] {n.name}: {n.reason or 'no reason known'}" for n in diagnosis.silent]
    fields = {k: v for k, v in header(diagnosis, exit_code).items() if k in TICKET}
    lines.append(", ".join(f"{label} {value}" for label, value in fields.items()))
    return "\n".join(clean(line, ascii_only=True) for line in lines) + "\n"
