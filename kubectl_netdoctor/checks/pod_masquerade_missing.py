"""NF-08: see the check's docstring."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kubectl_netdoctor.checks import masquerade, overlay, pod_network
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.checks.packet import network as parse
from kubectl_netdoctor.checks.service_age import SETTLED, time
from kubectl_netdoctor.facts.cluster import ConfigMaps, NodeInfo, Nodes
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.snapshot import RunInfo

TUNNELS = ("vxlan", "wireguard", "udp", "ipip")
"""Backends of flannel whose pod addresses nobody outside the cluster can route to."""


@check("NF-08", Severity.HIGH, since="0.1", explains=("DNS-07", "DNS-21", "API-09", "TGT-01"))
def pod_masquerade_missing(
    iptables: PerNode[Iptables],
    nodes: Nodes,
    run: RunInfo,
    nftables: PerNode[Nftables] | None,
    config_maps: ConfigMaps | None,
) -> Iterator[Finding]:
    """Packets of pods leave the node without masquerading.

    Meaning: no MASQUERADE or SNAT rule takes packets from the node's podCIDR to the outside, in
      either iptables backend or in nftables.
    Impact: pods of this node reach the cluster and nothing outside it: answers to a pod's address
      find no way back. The node itself reaches everything, so DNS of names outside fails in pods
      alone.
    Diagnosis: only nodes of flannel with a tunnel are judged, whose pod addresses are known inside
      only. Other scanned nodes that have the rule make it certain. Clusters with routable pod
      addresses (cloud CNIs, BGP), Calico and Cilium decide it elsewhere and are left alone.
    Mitigation: restart flannel on the node; it needs --ip-masq.
    Source: flannel, configuration; kubernetes/kubernetes#40761.
    """
    judged = [n for n in nodes.items if n.name in iptables and _needs(n) and not _young(n, run)]
    if not judged:
        raise Inconclusive("no scanned node runs flannel with a tunnel and is up for a minute")
    having = {n.name: _has(n, iptables, nftables) for n in judged}
    for machine in judged:
        if having[machine.name] is not False:
            continue
        others = sorted(n for n, has in having.items() if has)
        native = nftables.get(machine.name) if nftables else None
        traces = masquerade.traces(iptables[machine.name], native)
        # Nobody masquerades and nothing shows that flannel was told to: that may be meant so.
        if others or traces:
            yield _finding(machine, others, traces, flannel_network(config_maps))


def _needs(machine: NodeInfo) -> bool:
    return overlay.flannel_backend(machine) in TUNNELS and bool(pod_network.pod_cidrs(machine))


def _young(machine: NodeInfo, run: RunInfo) -> bool:
    ready, now = machine.condition("Ready"), time(run.started)
    since = time(ready.since) if ready else None
    return not machine.ready or bool(now and since and now - since < SETTLED)


def _has(
    machine: NodeInfo, iptables: PerNode[Iptables], nftables: PerNode[Nftables] | None
) -> bool | None:
    native = nftables.get(machine.name) if nftables else None
    cidr = pod_network.pod_cidrs(machine)[0]
    return masquerade.leaves_masqueraded(cidr, iptables[machine.name], native)


def _finding(
    machine: NodeInfo, others: list[str], traces: str | None, network: str | None
) -> Finding:
    cidr = pod_network.pod_cidrs(machine)[0]
    seen = [Evidence(f"no MASQUERADE or SNAT rule takes {cidr} to the outside", machine.name)]
    if others:
        seen.append(Evidence(f"there is one on {', '.join(others)}"))
    if traces:
        seen.append(Evidence(traces, machine.name))
    rule = f"POSTROUTING -s {cidr} ! -d {network} -j MASQUERADE --random-fully"
    pods = f"kubectl get pods -A -o wide --field-selector spec.nodeName={machine.name}"
    return Finding(
        title="Pods cannot reach the outside: their packets are not masqueraded",
        confidence=Confidence.CERTAIN if others else Confidence.LIKELY,
        evidence=tuple(seen),
        subjects=(node(machine.name),),
        scope=f"pods of {machine.name} to everything outside the cluster",
        fix=Fix(
            "Restart flannel on this node (it needs --ip-masq); it writes the rules again"
            + (". Until then, by hand:" if network else "."),
            (
                *((f"iptables -t nat -A {rule}",) if network else ()),
                f"{pods} | grep flannel   # delete that pod",
            ),
            verify="iptables-save -t nat | grep -i masquerade",
            rollback=f"iptables -t nat -D {rule}" if network else None,
        ),
    )


def flannel_network(maps: ConfigMaps | None) -> str | None:
    """The network of all pods, from flannel's own configuration."""
    for namespace in ("kube-flannel", "kube-system"):
        found = maps.named(namespace, "kube-flannel-cfg") if maps else None
        try:
            data = json.loads(found.data.get("net-conf.json", "")) if found else None
        except ValueError:
            continue
        value = data.get("Network") if isinstance(data, dict) else None
        if isinstance(value, str) and parse(value):
            return value
    return None
