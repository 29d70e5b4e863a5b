"""RTE-05: see the check's docstring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Risk,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.probe import PathProbes

CALICO_ADDRESS = "projectcalico.org/IPv4Address"  # address/prefix length
_RESTART = "kubectl -n kube-system delete pod -l app=flannel --field-selector spec.nodeName="
ENOUGH = 3  # probes; fewer prove nothing


@check(
    "RTE-05",
    Severity.CRITICAL,
    since="0.1",
    explains=("ENC-01", "ENC-05", "ENC-06", "ENC-08", "NIC-03", "NF-05", "DNS-05", "API-01"),
)
def wrong_node_address(nodes: Nodes, probes: PerNode[PathProbes] | None) -> Iterator[Finding]:
    """A node has the wrong address: one InternalIP twice, or a CNI address that nobody reaches.

    Meaning: two Ready nodes registered one InternalIP, as machines with an equal NAT interface do;
      or the CNI chose another interface than the kubelet, and its tunnel does not answer.
    Impact: logs and exec hit the wrong node; pods of the node are cut off.
    Diagnosis: InternalIPs of Ready nodes, and the CNI's published underlay address against them. An
      address on a second NIC is legal while its tunnel answers.
    Mitigation: kubelet --node-ip, flannel --iface, Calico's nodeAddressAutodetectionV4.
    Source: kubernetes/kubernetes#45583, #60835; k0sproject/k0s#1669; flannel-io/flannel#871.
    """
    owners: dict[str, list[str]] = defaultdict(list)
    for machine in nodes.items:
        for address in machine.internal_ips if machine.ready else ():
            owners[address].append(machine.name)
    for address, names in sorted(owners.items()):
        if len(names) > 1:
            yield _shared(address, sorted(names))
    for machine in nodes.items:
        chosen = _underlay(machine)
        # A NAT address has no meaning on another machine; two of them are ENC-06's.
        if chosen is None or chosen in machine.internal_ips or not machine.ready:
            continue
        silent = list(_silent(machine.name, probes or PerNode()))
        if silent:
            yield _unreached(machine, chosen, silent)


def _underlay(machine: NodeInfo) -> str | None:
    """The address that the CNI told its peers to send to."""
    flannel = overlay.flannel_vxlan(machine)
    if flannel:
        return flannel.public_ip
    calico = machine.annotations.get(CALICO_ADDRESS)
    return calico.partition("/")[0] if calico and overlay.tunnel_address(machine) else None


def _silent(name: str, probes: PerNode[PathProbes]) -> Iterator[str]:
    """Numbers of the peers whose tunnel probes all stayed unanswered; nothing if any got through."""
    asked = {
        asker: p
        for asker, fact in probes.items()
        for p in fact.items
        if p.peer == name and p.role == "overlay" and p.sent >= ENOUGH
    }
    if any(p.received for p in asked.values()):
        return
    for asker, p in sorted(asked.items()):
        yield f"0/{p.sent} of {asker}'s probes through the tunnel ({p.address}) answered"


def _shared(address: str, names: list[str]) -> Finding:
    return Finding(
        title=f"{len(names)} nodes have the same InternalIP {address}",
        evidence=(Evidence(f"InternalIP {address}: {', '.join(names)}"),),
        subjects=tuple(node(name) for name in names),
        scope=f"between {' and '.join(names)}",
        fix=Fix(
            "Tell each kubelet the address of the interface that the nodes share, and restart it.",
            (
                "ip -br -4 address",
                "echo 'KUBELET_EXTRA_ARGS=--node-ip=ADDRESS' > /etc/default/kubelet",
                "systemctl restart kubelet",
            ),
            risk=Risk.DISRUPTIVE,
            verify="kubectl get nodes -o wide",
        ),
    )


def _unreached(machine: NodeInfo, chosen: str, silent: list[str]) -> Finding:
    own = ", ".join(machine.internal_ips)
    return Finding(
        title=f"The CNI uses {chosen}, which is not the node's InternalIP, and is not reached",
        confidence=Confidence.LIKELY,
        evidence=(
            Evidence(f"the CNI published {chosen}, the InternalIP is {own}", machine.name),
            *(Evidence(text) for text in silent[:4]),
        ),
        subjects=(node(machine.name),),
        scope=f"on {machine.name}",
        fix=Fix(
            "Name the right interface to the CNI: flannel --iface=NIC (or --iface-regex), Calico "
            "nodeAddressAutodetectionV4: {kubernetes: NodeInternalIP}. Then restart its agent.",
            (
                "ip -br -4 address",
                f"{_RESTART}{machine.name}",
            ),
            verify=f"kubectl get node {machine.name} -o yaml | grep -E 'public-ip|IPv4Address'",
        ),
    )
