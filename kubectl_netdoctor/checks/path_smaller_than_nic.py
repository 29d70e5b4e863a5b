"""MTU-02: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

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
from kubectl_netdoctor.checks.blame import Blame, Pair, blame
from kubectl_netdoctor.checks.path_size import Judged, Kind, Paths
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.path_mtu import PathMtus

SHOWN = 6


@check("MTU-02", Severity.HIGH, since="0.1", explains=("DNS-12", "DNS-13", "API-05"))
def path_smaller_than_nic(
    paths: PerNode[PathMtus], nodes: Nodes, interfaces: PerNode[Interfaces]
) -> Iterator[Finding]:
    """The path between nodes is too small for the overlay.

    Meaning: a router between nodes says that it passes less than the NIC's MTU, and the overlay's
      packets with their encapsulation are larger than that.
    Impact: Linux sends VXLAN without DF, so the router cuts each large packet in two: slow, and lost
      altogether where fragments are dropped. Then large transfers between pods hang.
    Diagnosis: echo requests with DF on the underlay are refused with ICMP 3/4, whose next-hop MTU is
      tried to the byte. That alone is no fault: path MTU discovery works, for nodes and for routed
      pods. It is one where the tunnel device's MTU plus its overhead is more than what passes. A NIC
      of 1450 or 1460 bytes, as clouds have it, is right.
    Mitigation: set the NIC's MTU to what the path really passes, and the CNI's to that minus the
      overhead; or raise the small hop.
    Source: RFC 1191; RFC 7348 section 4.3; hcloud-k8s/terraform-hcloud-kubernetes#450.
    """
    known = Paths(paths, nodes, interfaces)
    under, over = known.of("node"), known.of("overlay")
    if not under:
        raise Inconclusive("no other Ready node answers echo requests of any size")
    failing: dict[Pair, int] = {}
    for pair, judged in under.items():
        need = _need(known, pair)
        if judged.kind is Kind.TOLD and need and need > judged.limit:
            failing[pair] = need
    for culprit in blame(failing, under):
        lost = [p for p in culprit.pairs if p in over and over[p].kind is Kind.SILENT]
        limit = min(under[p].limit for p in culprit.pairs)
        yield Finding(
            title=f"The path passes {limit} bytes, the overlay needs more"
            + (": large packets are lost" if lost else ": large packets are cut in two"),
            severity=Severity.HIGH if lost else Severity.MEDIUM,
            confidence=Confidence.CERTAIN if lost or len(culprit.pairs) > 1 else Confidence.LIKELY,
            evidence=tuple(_evidence(culprit, known, under, over)),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=_fix(culprit, known, under, limit),
        )


def _need(known: Paths, pair: Pair) -> int | None:
    """The overlay's largest outer packet on this pair, whether or not its own path was judged."""
    for path in known.facts[pair[0]].items:
        if path.peer == pair[1] and path.role == "overlay":
            return known.needs(pair[0], path)
    return None


def _evidence(
    culprit: Blame, known: Paths, under: dict[Pair, Judged], over: dict[Pair, Judged]
) -> Iterator[Evidence]:
    for pair in culprit.pairs[:SHOWN]:
        judged = under[pair]
        text = known.sums(pair[0], judged)
        yield Evidence(f"to {pair[1]} ({judged.path.address}): {text}", pair[0])
    for pair in culprit.pairs[:SHOWN]:
        if pair in over:
            room = under[pair].limit - _overhead(known, pair)
            text = known.sums(pair[0], over[pair])
            yield Evidence(f"to {pair[1]} through the tunnel, room for {room}: {text}", pair[0])


def _overhead(known: Paths, pair: Pair) -> int:
    inner = next(p for p in known.facts[pair[0]].items if p.peer == pair[1] and p.role == "overlay")
    return (known.needs(pair[0], inner) or inner.device_mtu) - inner.device_mtu


def _fix(culprit: Blame, known: Paths, under: dict[Pair, Judged], limit: int) -> Fix:
    first = culprit.pairs[0]
    path = under[first].path
    room = limit - _overhead(known, first)
    return Fix(
        f"Raise the MTU of the small hop; or set {path.device} to {limit} on all nodes in the "
        f"machines' own configuration (netplan, DHCP option 26), the CNI's MTU to {room}, and make "
        "the pods again.",
        (f"ip link set {path.device} mtu {limit}",),
        risk=Risk.DISRUPTIVE,
        verify=f"tracepath -n {path.address}",
        rollback=f"ip link set {path.device} mtu {path.device_mtu}",
    )
