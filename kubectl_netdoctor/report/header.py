"""What a ticket needs to know of a run beside its result, in one order for every format."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.facts.cluster import ServerVersion
from kubectl_netdoctor.facts.snapshot import NodeStatus, Snapshot

UNKNOWN = "unknown"
NAMED = 8  # nodes that are listed with a digest


def header(diagnosis: Diagnosis, exit_code: int | None) -> dict[str, str]:
    """Labels and values; what this run has not is left out."""
    snapshot = diagnosis.snapshot
    run = snapshot.run
    fields = {
        "tool": f"kubectl-netdoctor {run.tool_version}",
        "agent": agents(snapshot),
        "image": run.image or "",
        "image digest": image_digest(snapshot),
        "context": run.context or "",
        "start": run.started,
        "end": run.ended,
        "nodes": nodes(snapshot).replace(" nodes ", " "),
        "window": f"{run.window_seconds:g} s",
        "exit code": "" if exit_code is None else str(exit_code),
        "run": run.id,
        "server": server(snapshot),
        "command": shlex.join(run.command),
        "redaction": redaction(snapshot),
    }
    return {label: value for label, value in fields.items() if value}


def known(fields: Mapping[str, str]) -> dict[str, str]:
    """The same for formats that have room for what is known only."""
    return {label: value for label, value in fields.items() if value != UNKNOWN}


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


def digests(snapshot: Snapshot) -> dict[str, list[str]]:
    """Nodes by the digest of the image that their agent ran."""
    found: dict[str, list[str]] = {}
    for node in snapshot.nodes:
        if node.image_digest:
            found.setdefault(node.image_digest, []).append(node.name)
    return found


def image_digest(snapshot: Snapshot) -> str:
    """The digest of the agents' image; several with their nodes, as where it is not known."""
    if snapshot.run.image is None:
        return ""
    found = digests(snapshot)
    if dark := [n.name for n in snapshot.nodes if n.envelope and not n.image_digest]:
        found[UNKNOWN] = dark
    if len(found) < 2:
        return next(iter(found), UNKNOWN)
    return ", ".join(f"{digest} on {_some(names)}" for digest, names in found.items())


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return " ".join(names[:NAMED]) + more


def redaction(snapshot: Snapshot) -> str:
    """What was taken out before anybody could read it."""
    if snapshot.redacted:
        return "names and addresses"
    return "secrets" if snapshot.secrets_removed else "none"


def server(snapshot: Snapshot) -> str:
    """Version and address of the API server."""
    version = snapshot.cluster.get("server_version")
    known = version.git_version if isinstance(version, ServerVersion) else ""
    return " at ".join(part for part in (known, snapshot.run.server or "") if part)
