"""SVC-06: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import datapath, pod_network
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.link import Addresses, Interfaces
from kubectl_netdoctor.facts.promiscuity import Promiscuous
from kubectl_netdoctor.facts.system import Components


@check("SVC-06", Severity.LOW, since="0.1", explains=("SVC-13",))
def hairpin_off(
    interfaces: Interfaces,
    addresses: Addresses,
    node: NodeInfo,
    promiscuous: Promiscuous | None,
    components: Components | None,
) -> Iterator[Finding]:
    """A pod cannot reach itself through its own Service.

    Meaning: the bridge that the node's pods share does not send a frame back out of the port that it
      came from: the ports' hairpin mode is off, and the bridge is not promiscuous.
    Impact: a pod that connects to a Service whose chosen backend is itself gets no answer: always
      with one replica, once in N with N. Clustered applications fail to join; all else works.
    Diagnosis: IFLA_BRPORT_MODE of each pod's port. Ports with and without it on one bridge say that
      the CNI wants it on. Routed CNIs (Calico, Cilium, cloud CNIs) have no such bridge.
    Mitigation: hairpinMode in the CNI configuration, then new pods; the ports that are there can be
      switched at once.
    Source: kubernetes/kubernetes#13375; k3s-io/k3s#582; CNI plugins, bridge.
    """
    bridge = pod_network.pod_bridge(node, addresses, interfaces)
    if bridge is None and datapath.carries(interfaces):
        raise Inconclusive("Cilium leads pods to their own Service by BPF programs, not read here")
    if bridge is None:
        return
    off = [p for p in bridge.ports if p.hairpin is False]
    if (
        not off
        or datapath.carries(interfaces)
        or (components and "cilium-agent" in components.processes)
    ):
        return  # Cilium translates at the socket and loops back by itself
    on = [p for p in bridge.ports if p.hairpin]
    name = bridge.link.name
    if promiscuous is None and not on:
        raise Inconclusive(f"hairpin is off, and whether {name} is promiscuous is not known")
    if promiscuous and name in promiscuous.interfaces:
        return
    shown = ", ".join(p.name for p in off[:4])
    more = f" and {len(off) - 4} more" if len(off) > 4 else ""
    yield Finding(
        title="Pods cannot reach themselves through their own Service: hairpin mode is off",
        confidence=Confidence.CERTAIN if on and promiscuous else Confidence.LIKELY,
        evidence=evidence(
            f"hairpin is off on {len(off)} of {len(bridge.ports)} pod ports of {name}: {shown}{more}",
            f"bridge {name} is not promiscuous" if promiscuous else "other ports have it on",
        ),
        fix=Fix(
            'Set "hairpinMode": true in the CNI configuration; pods made from then on have it. For '
            "those that run:",
            tuple(f"bridge link set dev {p.name} hairpin on" for p in off[:20]),
            verify="bridge -d link show | grep -c 'hairpin off'",
            rollback=f"bridge link set dev {off[0].name} hairpin off",
        ),
    )
