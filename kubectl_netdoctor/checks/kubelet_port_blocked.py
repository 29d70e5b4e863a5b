"""NF-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import needed_traffic, packet_filter
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.needed_traffic import Place
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.facts.cluster import EndpointSlices, NodeInfo, Nodes, Pods
from kubectl_netdoctor.facts.link import Addresses, Interfaces, Routes
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus

# Where the API server dials kubelets through a tunnel of theirs, its address proves nothing.
TUNNEL_PODS = ("konnectivity", "tunnelfront", "aks-link", "openvpn")
TUNNEL_VERSIONS = ("+k3s", "+rke2")
# What the API server, or our own log request, says when the kubelet took the connection.
TAKEN = ("TLS handshake timeout", "certificate", "no complete log")


@check("NF-05", Severity.HIGH, since="0.1")
def kubelet_port_blocked(
    report: NodeReport,
    node: NodeInfo | None,
    nodes: Nodes | None,
    pods: Pods | None,
    slices: EndpointSlices | None,
    addresses: Addresses | None,
    interfaces: Interfaces | None,
    routes: Routes | None,
    iptables: Iptables | None,
    nftables: Nftables | None,
) -> Iterator[Finding]:
    """The API server cannot fetch logs from the kubelet.

    Meaning: the agent ran and its status arrived, which the kubelet pushes, but its log did not,
      which the API server fetches from the kubelet's port 10250. Or the log came by a connection
      that was open, and a rule on the node takes the API server's next one (medium).
    Impact: kubectl logs, exec, port-forward and metrics fail for this node; workloads are fine.
    Diagnosis: the log request's own error; silence, twice, is a filter, a refusal is a kubelet that is
      down. A TLS handshake or a log that was too slow, and a certificate error, are a connection that
      was there; a user without the right and a damaged log say nothing about the port either: then
      it is not known. Wrong InternalIP gives the same picture. Rules are not
      judged where the API server reaches kubelets through a tunnel (konnectivity, k3s, RKE2).
    Mitigation: open TCP 10250 from the control plane to the node.
    Source: Kubernetes documentation, Ports and Protocols; k0sproject/k0s#5852.
    """
    if report.status is NodeStatus.ANSWERED and node and nodes and slices:
        if addresses and interfaces and routes and not _tunnelled(node, pods):
            place = Place(node, nodes, addresses, interfaces, routes)
            yield from _waiting(place, slices, iptables, nftables)
        return
    if report.status is not NodeStatus.SUMMARY:
        return
    _must_be_the_port(report.reason or "")
    address = node.internal_ips[0] if node and node.internal_ips else report.name
    yield Finding(
        title="The API server cannot reach the kubelet (port 10250): no logs, no exec",
        confidence=Confidence.LIKELY,
        evidence=(
            *evidence(report.reason or "the log could not be read"),
            Evidence("the agent ran to its end: its short summary arrived through the API"),
        ),
        fix=Fix(
            "Open TCP 10250 from the control plane to this node: host firewall, security group.",
            (
                "ss -ltnp 'sport = :10250'",
                "iptables -S | grep -n 10250; nft list ruleset | grep -n 10250",
                f"nc -vz -w 3 {address} 10250   # on a control plane node",
            ),
            verify=f"kubectl get --raw /api/v1/nodes/{report.name}/proxy/healthz",
        ),
    )


def _must_be_the_port(reason: str) -> None:
    """Raise Inconclusive where the log is missing for another reason, or for one not known."""
    if str(needed_traffic.KUBELET_PORT) not in reason or any(said in reason for said in TAKEN):
        raise Inconclusive(f"the log did not come, the port may be open: {reason or 'no reason'}")


def _tunnelled(node: NodeInfo, pods: Pods | None) -> bool:
    """Whether the API server may reach the kubelet another way; so it is when that is not known."""
    if pods is None or any(mark in node.kubelet_version for mark in TUNNEL_VERSIONS):
        return True
    return any(pod.name.startswith(TUNNEL_PODS) for pod in pods.items)


def _waiting(
    place: Place, slices: EndpointSlices, iptables: Iptables | None, nftables: Nftables | None
) -> Iterator[Finding]:
    """A rule for the next connection, while an open one still works."""
    taken: dict[Drop, str] = {}
    for address, _ in needed_traffic.api_servers(slices):
        flow = needed_traffic.kubelet(place, address)
        drop = packet_filter.verdict(iptables, nftables, flow.hook, flow.packet).drop
        if drop and address != place.own:
            taken.setdefault(drop, flow.words)
    if not taken:
        return
    verb = "rejects" if all(drop.rejects for drop in taken) else "drops"
    yield Finding(
        title=f"The host firewall {verb} the API server's requests to the kubelet (port 10250)",
        severity=Severity.MEDIUM,
        confidence=Confidence.LIKELY,
        evidence=(
            *(Evidence(f"{packet_filter.counted(d)}; it takes {w}") for d, w in taken.items()),
            Evidence("this log came by a connection that was open, or from another API server"),
        ),
        fix=Fix(
            "Open TCP 10250 from the control plane to this node in the firewall's own "
            "configuration, or by hand take away what blocks:",
            (
                *(d.remove for d in taken if d.remove),
                "firewall-cmd --permanent --add-port=10250/tcp && firewall-cmd --reload",
            ),
            verify=f"kubectl get --raw /api/v1/nodes/{place.node.name}/proxy/healthz",
        ),
    )
