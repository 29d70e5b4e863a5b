"""Everything that one run saw: saved by `scan --save`, read by `analyze`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from kubectl_netdoctor.facts import (
    cilium,
    cluster,
    codec,
    companion,
    conntrack_flows,
    dns_cpu,
    dns_matrix,
    dns_records,
    envelope,
    hops,
    kube_proxy,
    link,
    netfilter,
    own_service,
    path_mtu,
    pod_namespaces,
    pod_probe,
    policy_pods,
    probe,
    promiscuity,
    resolver,
    service_changes,
    system,
    target,
    transport,
)
from kubectl_netdoctor.facts.base import FACTS, SCHEMA_VERSION, Missing, Reason, Scope
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.envelope import Envelope

# Importing a facts module registers its facts: reading a snapshot needs all of them.
FACT_MODULES = (
    system,
    link,
    netfilter,
    resolver,
    probe,
    cluster,
    dns_matrix,
    service_changes,
    path_mtu,
    promiscuity,
    companion,
    pod_probe,
    pod_namespaces,
    conntrack_flows,
    hops,
    cilium,
    policy_pods,
    transport,
    target,
    dns_cpu,
    dns_records,
    kube_proxy,
    own_service,
)
KIND = "netdoctor-snapshot"
MAX_SNAPSHOT_BYTES = 256 << 20  # a scan of 1,000 nodes has 132 MiB


class NodeStatus(StrEnum):
    """How a node answered."""

    ANSWERED = "answered"
    SUMMARY = "summary"  # the log could not be read, the termination message could
    NOT_REACHED = "not-reached"  # no agent ran there
    FAILED = "failed"  # an agent ran, its report did not arrive whole


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node that was asked: its status, why, and what it said."""

    name: str
    status: NodeStatus
    reason: str | None
    envelope: Envelope | None
    image_digest: str | None = None  # of the agent's image, as the kubelet says


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The run itself, for the ticket."""

    id: str
    started: str  # RFC 3339, UTC
    ended: str
    command: tuple[str, ...]
    tool_version: str
    nodes: tuple[str, ...]  # asked, in order
    local: bool  # this machine, no cluster
    context: str | None
    server: str | None
    image: str | None
    window_seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Facts of nodes and cluster. `cluster` holds fact objects or Missing by key."""

    run: RunInfo
    nodes: tuple[NodeReport, ...]
    cluster: dict[str, Any]
    # Facts that the saving tool knew; None: it was too old to say.
    known_facts: tuple[str, ...] | None = field(default_factory=lambda: tuple(sorted(FACTS)))
    redacted: bool = False  # names and addresses are pseudonyms
    secrets_removed: bool = False  # tokens, keys and passwords, by this tool
    # Of the key: files that share it share their pseudonyms; None: not redacted, or an older file.
    redaction: str | None = None

    def knew(self, key: str) -> bool:
        """Whether the tool that made this could have collected a fact.

        One that did not say so asked for every fact it knew, unless checks were chosen by hand.
        """
        if self.known_facts is not None:
            return key in self.known_facts
        if any(word.startswith(("--select", "--ignore")) for word in self.run.command):
            return True
        got = [n.envelope.facts for n in self.nodes if n.envelope] + [self.cluster]
        return not self.nodes or any(key in facts for facts in got)

    def node_fact(self, node: str, key: str) -> object:
        """One node's fact, or Missing with the reason that the node gave."""
        report = next((n for n in self.nodes if n.name == node), None)
        if report is None or report.envelope is None:
            why = report.reason if report and report.reason else "the node was not asked"
            return Missing(Reason.NOT_REPORTED, why)
        if key not in report.envelope.facts and not self.knew(key):
            return self._too_new()
        return report.envelope.get(key)

    def cluster_fact(self, key: str) -> object:
        """One fact of the cluster, or Missing."""
        why = "no cluster was asked" if self.run.local else "it was not read from the API"
        if key not in self.cluster and not self.run.local and not self.knew(key):
            return self._too_new()
        return self.cluster.get(key, Missing(Reason.NOT_ASKED, why))

    def _too_new(self) -> Missing:
        """Why a new check does not run on an old snapshot: nothing failed there."""
        who = f"the tool that saved this ({self.run.tool_version:.20})"
        return Missing(Reason.NOT_ASKED, f"new since then: {who} did not collect it yet")


@dataclass(frozen=True, slots=True)
class _Known:
    keys: tuple[str, ...] | None


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """JSON object of a snapshot."""
    body: dict[str, Any] = codec.encode(snapshot)
    return {"kind": KIND, "schemaVersion": SCHEMA_VERSION, **body}


def from_json(data: object) -> Snapshot:
    """Read to_json()'s form. Raises DecodeError; another schema version is refused by name."""
    if not isinstance(data, dict) or data.get("kind") != KIND:
        msg = "this is no netdoctor snapshot"
        raise DecodeError(msg)
    if data.get("schemaVersion") != SCHEMA_VERSION:
        msg = (
            f"the snapshot has schema version {data.get('schemaVersion')!r:.20}, "
            f"this tool reads {SCHEMA_VERSION}"
        )
        raise DecodeError(msg)
    codec.refuse_unknown(data, {"kind", "schemaVersion", *_names(Snapshot)}, "$")
    nodes = data.get("nodes")
    if not isinstance(nodes, list):
        msg = "$.nodes: expected a list"
        raise DecodeError(msg)
    key = data.get("redaction")
    return Snapshot(
        run=codec.decode(RunInfo, data.get("run"), "$.run"),
        nodes=tuple(_node(n, f"$.nodes[{i}]") for i, n in enumerate(nodes)),
        cluster=envelope.decode_facts(data.get("cluster"), Scope.CLUSTER, "$.cluster"),
        known_facts=codec.decode(_Known, {"keys": data.get("known_facts")}, "$.known_facts").keys,
        redacted=codec.decode(bool, data.get("redacted", False), "$.redacted"),
        secrets_removed=codec.decode(bool, data.get("secrets_removed", False), "$.secrets_removed"),
        redaction=None if key is None else codec.decode(str, key, "$.redaction"),
    )


def _names(cls: type[Snapshot | NodeReport]) -> set[str]:
    return {f.name for f in fields(cls)}


def _node(data: object, path: str) -> NodeReport:
    if not isinstance(data, dict):
        msg = f"{path}: expected an object"
        raise DecodeError(msg)
    codec.refuse_unknown(data, _names(NodeReport), path)
    inner = data.get("envelope")
    reason, digest = data.get("reason"), data.get("image_digest")
    return NodeReport(
        name=codec.decode(str, data.get("name"), f"{path}.name"),
        status=codec.decode(NodeStatus, data.get("status"), f"{path}.status"),
        reason=None if reason is None else codec.decode(str, reason, f"{path}.reason"),
        envelope=None if inner is None else envelope.from_json(inner, f"{path}.envelope"),
        image_digest=None if digest is None else codec.decode(str, digest, f"{path}.image_digest"),
    )
