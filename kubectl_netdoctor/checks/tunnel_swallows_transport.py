"""ENC-03: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import overlay, transport_paths, transport_split
from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Risk,
    Severity,
    check,
)
from kubectl_netdoctor.checks.blame import Pair, blame
from kubectl_netdoctor.checks.packet import Packet, network
from kubectl_netdoctor.checks.packet_filter import Firewalls
from kubectl_netdoctor.checks.transport_split import SHOWN, Split
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.transport import HOST_PORT, TransportProbes

VMWARE = "vmxnet3"


@check(
    "ENC-03",
    Severity.HIGH,
    since="0.1",
    explains=("DNS-05", "DNS-07", "DNS-12", "API-01", "SVC-02", "RTE-13", "DNS-21", "API-09"),
)
def tunnel_swallows_transport(
    transport: PerNode[TransportProbes],
    probes: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces],
    iptables: PerNode[Iptables] | None,
    nftables: PerNode[Nftables] | None,
) -> Iterator[Finding]:
    """UDP or TCP vanishes in the tunnel, ICMP does not.

    Meaning: what lies between two nodes takes tunnel packets that carry UDP or TCP, and lets those
      that carry ICMP pass: a hypervisor, a virtual switch or a NIC that looks into VXLAN.
    Impact: ping works between pods of different nodes, DNS and connections do not.
    Diagnosis: through the tunnel all small ICMP probes are answered and no UDP or TCP, while both
      pass between the same agents on the underlay; the receiver counts no wrong checksum (that is
      ENC-02), and no rule of either node's firewall takes these packets. VMware is named only where
      the driver is its own.
    Mitigation: another tunnel port (flannel Port, Calico vxlanPort, Cilium tunnelPort); switch the
      NIC's tunnel offloads off; ESXi 7.0U3 or later; or routes instead of a tunnel.
    Source: projectcalico/calico#9433; flannel-io/flannel#2388; rancher/rancher#33399.
    """
    tested, failing = transport_split.splits(probes, transport, nodes, "overlay")
    if not tested:
        raise Inconclusive("no pair of scanned nodes answers all ICMP there while both agents run")
    harmed = transport_split.damage(failing, transport)
    known_below, below = transport_split.splits(probes, transport, nodes, "node")
    taken: dict[Pair, Split] = {}
    firewalls = Firewalls(iptables, nftables)
    unread = False
    for pair, split in failing.items():
        if harmed.keys() & {pair, pair[::-1]} or not _only_inside(split, below.get(pair)):
            continue
        if pair not in known_below:
            continue
        known = all(_readable(n, iptables, nftables) for n in pair)
        if known and not _filtered(pair, split, nodes, interfaces, firewalls):
            taken[pair] = split
        unread = unread or not known
    if unread and not taken:
        raise Inconclusive("the firewall rules of both nodes could not be read")
    views = _directed(taken, transport, nodes)
    for culprit in blame(views, tested):
        ends = (culprit.node,) if culprit.node else culprit.members
        nics = [transport_split.devices(n, interfaces, nodes)[1] for n in culprit.members]
        kinds = [
            k
            for k in ("UDP", "TCP", "large TCP")
            if all(k in views[p].protocols for p in culprit.pairs)
        ]
        yield Finding(
            title=f"{' and '.join(kinds) or 'Transport'} vanished in the tunnel, while ICMP passes",
            confidence=Confidence.LIKELY,
            evidence=(
                *(
                    Evidence(f"to {p[1]} ({taken[p].text})", p[0])
                    for p in sorted(taken)[:SHOWN]
                    if {p, p[::-1]} & set(culprit.pairs)
                ),
                Evidence("both pass on the underlay, no checksum is wrong, no rule takes them"),
                *_arrivals(culprit.pairs, transport, nodes),
                *transport_split.offloads(ends, interfaces, nodes),
            ),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=_fix(
                transport_split.names_of(culprit.members, interfaces, nodes)[1],
                vmware=any(n and n.driver == VMWARE for n in nics),
            ),
        )


def _directed(
    taken: dict[Pair, Split], transport: PerNode[TransportProbes], nodes: Nodes
) -> dict[Pair, Split]:
    """The directions that lose, where the receivers' counts of UDP questions tell; else all."""
    silent = {
        way: split
        for pair, split in taken.items()
        for way in (pair, pair[::-1])
        if "UDP" in split.protocols
        and transport_paths.heard_from(transport, nodes, way, "overlay") == 0
    }
    known = {p for p in taken if p in silent or p[::-1] in silent}
    return {**silent, **{p: s for p, s in taken.items() if p not in known}}


def _arrivals(
    pairs: tuple[Pair, ...], transport: PerNode[TransportProbes], nodes: Nodes
) -> Iterator[Evidence]:
    """What came in from the other side meanwhile."""
    for pair in pairs[:SHOWN]:
        back = transport_paths.heard_from(transport, nodes, pair[::-1], "overlay")
        if transport_paths.heard_from(transport, nodes, pair, "overlay") == 0 and back:
            text = f"nothing of {pair[0]} came in; {back} UDP packets came the other way"
            yield Evidence(text, pair[1])


def _only_inside(split: Split, below: Split | None) -> bool:
    """Whether the same protocols pass on the underlay, and this is no question of size alone."""
    under = below.protocols if below else ()
    small = set(split.protocols) - {"large TCP"}
    return split.path.answered and bool(small) and not small & set(under)


def _readable(
    name: str, iptables: PerNode[Iptables] | None, nftables: PerNode[Nftables] | None
) -> bool:
    return bool((iptables and name in iptables) or (nftables and name in nftables))


def _filtered(
    pair: Pair, split: Split, nodes: Nodes, interfaces: PerNode[Interfaces], firewalls: Firewalls
) -> bool:
    """Whether a rule at either end takes such packets, or may."""
    for here, there in (pair, pair[::-1]):
        device, _ = transport_split.devices(here, interfaces, nodes)
        name = device.name if device else None
        machine = nodes.named(there)
        address = network(overlay.tunnel_address(machine) or "") if machine else None
        for protocol in {p.rpartition(" ")[2].lower() for p in split.protocols}:
            arrives = Packet(
                address, input=name, protocol=protocol, destination_port=HOST_PORT
            )  # fmt: skip
            leaves = Packet(
                None, address, output=name, protocol=protocol, destination_port=HOST_PORT
            )
            if firewalls.first_drop(here, ("input", arrives), ("output", leaves)):
                return True
    return False


def _fix(nic: str, *, vmware: bool) -> Fix:
    who = (
        "ESXi before 7.0U3, NSX or its vmxnet3 driver" if vmware else "What lies between the nodes"
    )
    return Fix(
        f"{who} drops these packets by what is inside them: give the tunnel another port in the "
        "CNI's configuration (VXLAN's own 4789 is what such devices look into), or switch the NIC's "
        "tunnel offloads off and see whether that helps:",
        (
            f"ethtool -K {nic} tx-udp_tnl-segmentation off",
            f"ethtool -K {nic} tx-udp_tnl-csum-segmentation off",
        ),
        risk=Risk.DISRUPTIVE,
        verify=f"tcpdump -ni {nic} udp",
        rollback=f"ethtool -K {nic} tx-udp_tnl-segmentation on",
    )
