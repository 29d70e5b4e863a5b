"""RTE-13: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import packet_filter, pod_paths
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Severity,
    check,
)
from kubectl_netdoctor.checks.blame import Blame, Pair, blame
from kubectl_netdoctor.checks.packet import Drop, Packet, network
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.checks.pod_paths import PodPath
from kubectl_netdoctor.facts.cluster import NetworkPolicies
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.pod_probe import PodProbes
from kubectl_netdoctor.facts.probe import PathProbes


@check("RTE-13", Severity.CRITICAL, since="0.1", explains=("DNS-05", "DNS-21", "API-09", "TGT-01"))
def pods_cut_off(
    probes: PerNode[PodProbes],
    companions: Companions,
    node_probes: PerNode[PathProbes] | None,
    policies: NetworkPolicies | None,
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """Pods of two nodes do not reach each other.

    Meaning: a pod on one node got no answer at all, by ICMP, UDP and TCP, from a pod of another
      node (or from the end of that node's tunnel), though that pod answers its own node.
    Impact: DNS, Services and webhooks fail for pods whose backends run on the other node.
    Diagnosis: mostly the symptom of a cause that has a finding of its own: forwarding off, a FORWARD
      chain that drops, a blocked tunnel port, a wrong route or tunnel entry. It stands alone when
      none of them was found: then packets die where only pods' packets pass, for instance in a raw
      or bridge table, in rp_filter, in an eBPF program or in a policy that is no NetworkPolicy.
    Mitigation: remove the cause; tcpdump on the pod's veth, the bridge, the tunnel device and the
      NIC of both nodes shows where the packets end.
    Source: flannel, troubleshooting; kubernetes/kubernetes#39823.
    """
    if (policy := pod_paths.isolating_policy(policies, companions)) is not None:
        raise Inconclusive(
            f"NetworkPolicy {companions.namespace}/{policy} may hold back the probes themselves"
        )
    found = {path.pair: path for path in pod_paths.paths(probes, companions, node_probes)}
    if not found:
        raise Inconclusive("no pod of another node could be probed from a pod")
    failing = [pair for pair, path in found.items() if not path.reached]
    firewalls = Firewalls(iptables, nftables)
    for culprit in blame(failing, found):
        drops = list(_drops(culprit, found, firewalls))
        yield Finding(
            title="Pods of different nodes do not reach each other",
            confidence=Confidence.CERTAIN if drops else Confidence.LIKELY,
            evidence=(
                *(Evidence(found[p].text, p[0]) for p in culprit.pairs[:6]),
                *_below(culprit, node_probes),
                *(Evidence(packet_filter.counted(d), n) for n, d in drops),
            ),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=_fix(drops, found[culprit.pairs[0]]),
        )


def _below(culprit: Blame, probes: PerNode[PathProbes] | None) -> Iterator[Evidence]:
    """What the nodes themselves reach of the same peers: where the fault is not."""
    for pair in culprit.pairs[:2]:
        for role, what in (("node", "the node"), ("overlay", "the end of its tunnel")):
            probe = pod_paths.node_probe(probes, pair, role)
            if probe and probe.sent:
                text = f"the node itself to {what} of {pair[1]}: {probe.received}/{probe.sent} ICMP"
                yield Evidence(text, pair[0])


def _drops(
    culprit: Blame, found: dict[Pair, PodPath], firewalls: Firewalls
) -> Iterator[tuple[str, Drop]]:
    """Forwarding rules on both nodes that take these very packets or their answers."""
    seen: set[tuple[str, str]] = set()
    for pair in culprit.pairs:
        path = found[pair]
        here, there = network(path.source), network(path.probes[0].address)
        for name in pair:
            drop = firewalls.first_drop(
                name,
                ("forward", Packet(here, there, protocol="icmp")),
                ("forward", Packet(there, here, protocol="icmp")),
            )
            if drop and (name, drop.text) not in seen:
                seen.add((name, drop.text))
                yield name, drop


def _fix(drops: list[tuple[str, Drop]], path: PodPath) -> Fix:
    peer = path.probes[0].address
    removals = tuple(dict.fromkeys(d.remove for _, d in drops if d.remove))
    if removals:
        return Fix(
            "A firewall rule drops forwarded packets of pods: remove it where the firewall's own "
            "configuration has it, or now by hand:",
            removals,
            verify=f"from a pod: ping -c 3 {peer}",
        )
    return Fix(
        "Find the hop where the packets end: run this on both nodes while a pod pings a pod of the "
        "other node, then look at what stands at that hop (tables raw, mangle and bridge, rp_filter, "
        "eBPF programs, the CNI's own policies).",
        (
            f"tcpdump -nei any host {peer}",
            "iptables-save -c | grep -E 'DROP|REJECT'",
            "nft list ruleset | grep -nE 'drop|reject'",
            "nstat -az TcpExtIPReversePathFilter IpForwDatagrams IpInAddrErrors",
        ),
        verify=f"from a pod: ping -c 3 {peer}",
    )
