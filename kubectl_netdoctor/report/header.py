"""What a ticket needs to know of a run beside its result, in one order for every format."""

from __future__ import annotations

import shlex

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.facts.cluster import ServerVersion
from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot


def header(diagnosis: Diagnosis, exit_code: int | None) -> dict[str, str]:
    """Labels and values; what is not known is left out."""
    snapshot = diagnosis.snapshot
    run = snapshot.run
    fields = {
        "tool": f"kubectl-netdoctor {run.tool_version}",
        "agent": agents(snapshot),
        "image": run.image or "",
        "context": run.context or "",
        "start": run.started,
        "end": run.ended,
        "nodes": nodes(snapshot).replace(" nodes ", " "),
        "window": f"{run.window_seconds:g} s",
        "exit code": "" if exit_code is None else str(exit_code),
        "run": run.id,
        "server": server(snapshot),
        "command": shlex.join(run.command),
        "redaction": "names and addresses" if snapshot.redacted else "",
    }
    return {label: value for label, value in fields.items() if value}


def answered(snapshot: Snapshot) -> int:
    """Nodes of which anything arrived."""
    said = (NodeStatus.ANSWERED, NodeStatus.SUMMARY)
    return sum(n.status in said for n in snapshot.nodes)


def nodes(snapshot: Snapshot) -> str:
    """How many answered of those that were asked."""
    if snapshot.run.local:
        return "this machine"
    return f"{answered(snapshot)} of {len(snapshot.run.nodes)} nodes answered"


def agents(snapshot: Snapshot) -> str:
    """Versions of the agents that answered."""
    found = {n.envelope.agent_version for n in snapshot.nodes if n.envelope}
    return ", ".join(sorted(found))


def server(snapshot: Snapshot) -> str:
    """Version and address of the API server."""
    version = snapshot.cluster.get("server_version")
    known = version.git_version if isinstance(version, ServerVersion) else ""
    return " at ".join(part for part in (known, snapshot.run.server or "") if part)
