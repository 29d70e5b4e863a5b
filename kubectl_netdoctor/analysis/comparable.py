"""Whether two snapshots can be compared at all, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.snapshot import Snapshot

# Where kind, minikube and tunnels listen: the same of any cluster.
LOOPBACK = re.compile(r"https?://(127\.|localhost\b|\[::1\]|0\.0\.0\.0)")


def refusal(before: Snapshot, after: Snapshot) -> str | None:
    """Why nothing can be compared: names of one file mean others, or nothing, in the other one."""
    if before.redacted != after.redacted:
        hidden, plain = ("BEFORE", "AFTER") if before.redacted else ("AFTER", "BEFORE")
        return f"{hidden} is redacted and {plain} is not: no name of one is in the other"
    if before.redaction and after.redaction and before.redaction != after.redaction:
        return "the files were redacted with different keys: equal pseudonyms mean different names"
    return None


def doubts(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """What makes a comparison doubtful, each as one sentence."""
    if before.redacted and after.redacted and not (before.redaction and after.redaction):
        yield (
            "the files do not say whether one map redacted both (an older version wrote them): "
            "if not, equal pseudonyms mean different names"
        )
    if not _one_cluster(before, after):
        servers = sorted({before.run.server or "", after.run.server or ""} - {""})
        where = f", the API server neither ({' and '.join(servers)})" if servers else ""
        yield (
            f"no node of BEFORE is in AFTER (by name and time of creation){where}: these seem to be "
            "two clusters, and what is called fixed was not looked at"
        )
    was, now = _time(before), _time(after)
    if was and now and was > now:
        yield (
            f"BEFORE is the later run (it ended {before.run.ended}, AFTER {after.run.ended}): "
            "what is called fixed may be new"
        )


def _one_cluster(before: Snapshot, after: Snapshot) -> bool:
    """A context's name and a server's URL are each person's own; nodes have a time of birth."""
    old, new = _nodes(before), _nodes(after)
    for name in old.keys() & new.keys():
        if not (old[name] and new[name]) or old[name] == new[name]:
            return True
    server = before.run.server
    return bool(server) and server == after.run.server and not LOOPBACK.match(server or "")


def _nodes(snapshot: Snapshot) -> dict[str, str]:
    """All nodes that a snapshot names, and when the API says that they were created."""
    known = snapshot.cluster.get("nodes")
    told = {n.name: n.created for n in known.items} if isinstance(known, Nodes) else {}
    return {n.name: "" for n in snapshot.nodes} | told


def _time(snapshot: Snapshot) -> datetime | None:
    try:
        moment = datetime.fromisoformat(snapshot.run.ended)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
