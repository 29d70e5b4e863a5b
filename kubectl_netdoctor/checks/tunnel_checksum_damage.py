"""ENC-02: see the check's docstring."""

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

UNKNOWN = "no pair of scanned nodes answers all ICMP there while both agents run"


@check(
    "ENC-02",
    Severity.HIGH,
    since="0.1",
    explains=("ENC-03", "DNS-05", "DNS-07", "DNS-12", "API-01", "SVC-02", "RTE-13", "DNS-21", "API-09"),
)  # fmt: skip
def tunnel_checksum_damage(
    transport: PerNode[TransportProbes],
    probes: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
) -> Iterator[Finding]:
    """UDP and TCP arrive damaged through the tunnel, ICMP does not.

    Meaning: packets in the tunnel reach the other node with wrong checksums, and its kernel throws
      them away. Something that computes checksums gets those of encapsulated packets wrong: the
      tunnel device's or the NIC's offload, a virtual switch, a driver.
    Impact: ping works between pods and nothing else does: DNS time-outs, connections that take 63 s
      or fail, mostly of what is translated on its way (Services, masquerading).
    Diagnosis: through the tunnel all small ICMP probes are answered and UDP or TCP is not, at the
      same time on the same pair, and the receiver counts packets with wrong checksums
      (UdpInCsumErrors, TcpInCsumErrors) meanwhile. Offload alone is no fault: it is on everywhere.
    Mitigation: switch the tunnel device's checksum offload off, for good with a udev rule; Calico:
      featureDetectOverride ChecksumOffloadBroken=true; or update the kernel or the hypervisor.
    Source: flannel-io/flannel#1279; projectcalico/calico#3145; kubernetes/kops#9074; Linux
      ea64d8d6c675.
    """
    tested, failing = transport_split.splits(probes, transport, nodes, "overlay")
    if not tested:
        raise Inconclusive(UNKNOWN)
    for one in damages(tested, failing, transport, interfaces, nodes):
        title = f"The tunnel damages {one.protocols}: wrong checksums, while ICMP passes"
        yield one.finding(title, _fix(one.tunnel))


def _fix(device: str) -> Fix:
    return Fix(
        f"Let the kernel compute the checksums of {device} before the NIC sees them, on the nodes that "
        "send, and keep it so with a udev rule. If the damage stays, it is done on the way: update the "
        "hypervisor or its driver, or use another tunnel port.",
        (f"ethtool -K {device} tx-checksum-ip-generic off",),
        risk=Risk.SAFE,
        verify="nstat -az UdpInCsumErrors TcpInCsumErrors",
        rollback=f"ethtool -K {device} tx-checksum-ip-generic on",
    )
