"""NIC-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import transport_split
from kubectl_netdoctor.checks.base import (
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Risk,
    Severity,
    check,
)
from kubectl_netdoctor.checks.checksum_damage import damages
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.probe import PathProbes
from kubectl_netdoctor.facts.transport import TransportProbes


@check(
    "NIC-05",
    Severity.HIGH,
    since="0.1",
    explains=("ENC-02", "ENC-03", "DNS-05", "DNS-07", "DNS-12", "API-01", "SVC-02", "RTE-13", "DNS-21", "API-09"),
)  # fmt: skip
def packets_damaged(
    transport: PerNode[TransportProbes],
    probes: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
) -> Iterator[Finding]:
    """UDP or TCP arrives damaged on the underlay, ICMP does not.

    Meaning: packets between node addresses arrive with wrong checksums, and the receiver's kernel
      throws them away: an offload of a NIC or of a virtual NIC (checksum, TSO, GRO, LRO) that does
      not do what it says.
    Impact: connections to the node hang or stall, though ping shows no loss at all.
    Diagnosis: all small ICMP probes are answered and UDP, TCP or a TCP upload of full segments is
      not, at the same time on the same pair, and the receiver counts wrong checksums
      (UdpInCsumErrors, TcpInCsumErrors). Frames larger than the MTU and wrong checksums in a
      capture on the sender are what offload looks like, and no fault.
    Mitigation: switch the offload off and look again, one at a time; replace the driver or the
      firmware. Large receive offload must be off on a node that forwards.
    Source: projectcalico/calico#9433; Linux, networking/checksum-offloads.
    """
    tested, failing = transport_split.splits(probes, transport, nodes, "node")
    if not tested:
        raise Inconclusive("no pair of scanned nodes answers all ICMP while both agents run")
    for one in damages(tested, failing, transport, interfaces, nodes):
        title = f"{one.protocols} arrived damaged: wrong checksums, while ICMP passes"
        yield one.finding(title, _fix(one.nic))


def _fix(nic: str) -> Fix:
    return Fix(
        "Switch the offloads of the NIC off on the nodes that send, one at a time, and look again; "
        "keep the one that helps, and replace the driver, firmware or virtual NIC.",
        (
            f"ethtool -K {nic} tx off",
            f"ethtool -K {nic} tso off gso off",
            f"ethtool -K {nic} lro off",
        ),
        risk=Risk.DISRUPTIVE,
        verify="nstat -az UdpInCsumErrors TcpInCsumErrors",
        rollback=f"ethtool -K {nic} tx on tso on gso on",
    )
