"""A line per finding and one for its fix, in plain ASCII: it survives chat and ticket fields."""

from __future__ import annotations

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.report.accepted import accepted
from kubectl_netdoctor.report.header import header, known
from kubectl_netdoctor.report.terminal import clean

TICKET = (
    "run", "agent", "image digest", "server", "start", "nodes", "exit code", "redaction", "command",
)  # fmt: skip


def short(diagnosis: Diagnosis, *, exit_code: int | None = None) -> str:
    """Verdict, causes with their first evidence and step, nodes without an answer, and the run."""
    run = diagnosis.snapshot.run
    lines = [
        f"netdoctor {run.tool_version} {run.ended} {run.context or '-'}: {diagnosis.verdict.text}"
    ]
    for number, ranked in enumerate(diagnosis.causes, 1):
        finding = ranked.finding
        where = ", ".join(s.name for s in finding.subjects)
        seen = f" ({finding.evidence[0].text})" if finding.evidence else ""
        severity = ranked.severity.value
        lines.append(f"{number} [{severity}] {finding.id} {where}: {finding.title}{seen}")
        lines.append(f"  fix ({finding.fix.risk.value}): {first_step(finding)}")
    lines += [f"[accepted] {line}" for line in accepted(diagnosis)]
    lines += [f"[no answer] {n.name}: {n.reason or 'no reason known'}" for n in diagnosis.silent]
    fields = known(header(diagnosis, exit_code))
    lines.append(
        ", ".join(f"{label} {value}" for label, value in fields.items() if label in TICKET)
    )
    return "\n".join(clean(line, ascii_only=True) for line in lines) + "\n"


def first_step(finding: Finding) -> str:
    """The first command of the fix, with where it belongs; its text where there is none."""
    if not finding.fix.commands:
        return finding.fix.text
    nodes = ", ".join(sorted(finding.nodes))
    on_node = finding.fix.run_on == "node" and nodes
    return f"on {nodes}: {finding.fix.commands[0]}" if on_node else finding.fix.commands[0]
