"""MTU-04: see the check's docstring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    PerNode,
    Risk,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.checks.path_size import Judged, Kind, Paths
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.path_mtu import PathMtus

SHOWN = 6


@check("MTU-04", Severity.MEDIUM, since="0.1", explains=("MTU-01", "MTU-03", "DNS-13"))
def mtu_differs(
    paths: PerNode[PathMtus], nodes: Nodes, interfaces: PerNode[Interfaces] | None
) -> Iterator[Finding]:
    """The nodes' NICs have different MTUs, and tunnel packets are lost between them.

    Meaning: one node's NIC takes in less than another one's overlay sends: half-done jumbo frames, or
      a node that was set up differently.
    Impact: large packets to the smaller node are lost. TCP between pods follows the smaller side
      where both tunnel devices fit their own NIC; UDP does not, and neither does TCP where the small
      node's tunnel device kept the larger size.
    Diagnosis: MTUs of the NICs that lead to the other nodes, and echo requests with DF through the
      tunnel between nodes that differ. Different NICs whose overlays fit are normal: nothing is said
      where nothing is lost. Jumbo frames are optional.
    Mitigation: give all nodes of one network the same MTU, then let the CNI follow.
    Source: kubeovn/kube-ovn#4254; flannel-io/flannel#1614.
    """
    known = Paths(paths, nodes, interfaces)
    nics = {n: nic.device_mtu for n in paths if (nic := known.nic(n))}
    if len(nics) < 2:
        raise Inconclusive("needs the MTU of at least two nodes that have a path to each other")
    failing = {
        pair: judged
        for pair, judged in known.of("overlay").items()
        if judged.kind is Kind.SILENT and set(pair) <= set(nics) and nics[pair[0]] != nics[pair[1]]
    }
    if not failing:
        return
    usual = Counter(nics.values()).most_common(1)[0][0]
    touched = sorted({n for pair in failing for n in pair})
    odd = [n for n in touched if nics[n] != usual] or touched
    device = next(nic.device for n in odd if (nic := known.nic(n)))
    yield Finding(
        title="The nodes' NICs have different MTUs, and tunnel packets are lost between them",
        severity=Severity.MEDIUM
        if all(_agreed(known, *f) for f in failing.items())
        else Severity.HIGH,
        evidence=(
            Evidence(f"{device}: {_listed(nics)}"),
            *(
                Evidence(f"to {p[1]} through the tunnel: {known.sums(p[0], j)}", p[0])
                for p, j in list(failing.items())[:SHOWN]
            ),
        ),
        subjects=tuple(node(n) for n in odd),
        scope=f"{', '.join(odd)} against the others",
        paths=tuple(sorted(failing)),
        fix=Fix(
            f"Set {device} to {usual}, the MTU of most nodes, where the machine's own configuration "
            "has it (netplan, DHCP option 26) and on its switch port, or bring the others to this "
            "one's. Then restart the CNI's agent and make the pods again.",
            (f"ip link set {device} mtu {usual}",),
            risk=Risk.DISRUPTIVE,
            verify=f"ping -M do -c 3 -s {usual - 28} PEER",
            rollback=f"ip link set {device} mtu {nics[odd[0]]}",
        ),
    )


def _agreed(known: Paths, pair: Pair, judged: Judged) -> bool:
    """Whether what two pods agree on as TCP's segment size passes: the smaller of both devices."""
    sizes = [m for n in pair if (m := known.overlay_mtu(n))]
    return judged.limit >= min(sizes)


def _listed(nics: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {mtu}" for name, mtu in sorted(nics.items()))
