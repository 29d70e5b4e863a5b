"""MTU-03: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.checks import transport_stall
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
from kubectl_netdoctor.checks.path_size import ETHERNET, Judged, Kind, Paths
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.path_mtu import PathMtus
from kubectl_netdoctor.facts.transport import TransportProbes

SHOWN = 6


@check("MTU-03", Severity.HIGH, since="0.1", explains=("DNS-12", "DNS-13", "API-05"))
def mtu_black_hole(
    paths: PerNode[PathMtus],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
    transport: PerNode[TransportProbes] | None,
) -> Iterator[Finding]:
    """Large packets between nodes vanish without a word.

    Meaning: packets that the node's device lets out, larger than some size, are lost on the way, and
      no ICMP "fragmentation needed" comes back: senders never learn that they must send less.
    Impact: connections open and small requests work; the first full segment stalls until a time-out:
      TLS handshakes, image pulls, large answers, kubectl exec.
    Diagnosis: echo requests with DF, of the device's own MTU first, then narrowed to the byte. Each
      size is tried at least three times, smaller ones pass in the same second, and loss that spares
      no size is ruled out. A packet that the node itself refuses (EMSGSIZE) and one that a router
      refuses (ICMP 3/4) are no black hole; nor is a peer whose NIC says less, where nothing larger
      is sent to it. Where a peer answers no echo, a TCP upload of full segments that stalls beside
      small packets that pass says the same with less certainty.
    Mitigation: raise the MTU of what lies between, or let ICMP 3/4 through, or lower the NICs and the
      CNI to what passes.
    Source: RFC 1191; RFC 2923; RFC 4821; aws/amazon-vpc-cni-k8s#356.
    """
    known = Paths(paths, nodes, interfaces)
    under, over = known.of("node"), known.of("overlay")
    stalls = transport_stall.unjudged(transport, nodes, {"node": set(under), "overlay": set(over)})
    yield from transport_stall.findings(stalls)
    if not under and not over and not stalls:
        raise Inconclusive(
            "no path could be measured: no other Ready node answers echo requests of any size, or "
            "too many are lost"
        )
    yield from _findings(
        _Place("on the underlay", under, _underlay(known, under, over)), known, over, transport
    )
    inside = {
        p: Severity.HIGH
        for p, j in over.items()
        if j.kind is Kind.SILENT
        and (p not in under or under[p].kind is Kind.FITS)
        and not _differ(known, p)
    }
    yield from _findings(_Place("inside the tunnel", over, inside), known, {}, transport)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where packets vanish: all paths that were measured there, and those that fail, how bad."""

    words: str
    tested: dict[Pair, Judged]
    failing: dict[Pair, Severity]


def _underlay(
    known: Paths, under: dict[Pair, Judged], over: dict[Pair, Judged]
) -> dict[Pair, Severity]:
    """Pairs whose underlay swallows packets that somebody sends."""
    found: dict[Pair, Severity] = {}
    for pair, judged in under.items():
        severity = _severity(known, pair, judged, over.get(pair))
        if judged.kind is Kind.SILENT and severity:
            found[pair] = severity
    return found


def _severity(known: Paths, pair: Pair, judged: Judged, inner: Judged | None) -> Severity | None:
    """How bad a silent path is; None where nothing that is sent there needs more."""
    peer = known.nic(pair[1])
    need = known.needs(pair[0], inner.path) if inner else None
    # TCP between the hosts follows the smaller of the two NICs; only a tunnel does not.
    hurt = inner is None or inner.kind is Kind.SILENT or (need or 0) > judged.limit
    if peer is None:
        if judged.limit >= ETHERNET and (inner is None or not hurt):
            return None  # a node with jumbo frames, and a peer that probably has none
        return Severity.HIGH if hurt else Severity.LOW
    if judged.limit >= peer.device_mtu:
        return None  # the nodes disagree, which is MTU-04 where it hurts
    return Severity.HIGH if hurt else Severity.MEDIUM


def _differ(known: Paths, pair: Pair) -> bool:
    here, there = known.nic(pair[0]), known.nic(pair[1])
    return bool(here and there and here.device_mtu != there.device_mtu)


def _findings(
    place: _Place,
    known: Paths,
    inner: dict[Pair, Judged],
    transport: PerNode[TransportProbes] | None,
) -> Iterator[Finding]:
    seen: dict[Pair, list[Pair]] = {}
    for pair in place.failing:
        seen.setdefault(known.lost_way(pair, place.tested[pair]), []).append(pair)
    for culprit in blame(seen, {*place.tested, *seen}):
        pairs = [p for way in culprit.pairs for p in seen[way]]
        worst = min((place.failing[p] for p in pairs), key=lambda s: s.rank)
        sure = len(pairs) > 1 and worst is not Severity.LOW
        yield Finding(
            title=f"Packets larger than {_limit(place, pairs)} bytes vanish {place.words}",
            severity=worst,
            confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
            evidence=(
                *_evidence(place, known, inner, pairs),
                *transport_stall.beside(transport, pairs[:SHOWN]),
            ),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=_fix(place, culprit, pairs),
        )


def _limit(place: _Place, pairs: list[Pair]) -> int:
    return min(place.tested[p].limit for p in pairs)


def _evidence(
    place: _Place, known: Paths, inner: dict[Pair, Judged], pairs: list[Pair]
) -> Iterator[Evidence]:
    for pair in pairs[:SHOWN]:
        judged = place.tested[pair]
        yield Evidence(
            f"to {pair[1]} ({judged.path.address}): {known.sums(pair[0], judged)}", pair[0]
        )
        size = known.heard(pair, judged)
        if size is not None and size > judged.limit:
            yield Evidence(f"{size} bytes from {pair[0]} came in: the answers are lost", pair[1])
    for pair in [p for p in pairs if p in inner and inner[p].kind is not Kind.FITS][:SHOWN]:
        text = known.sums(pair[0], inner[pair])
        yield Evidence(f"to {pair[1]} through the tunnel: {text}", pair[0])
    gateways = {place.tested[p].path.gateway for p in pairs} - {None}
    if place.words == "on the underlay":
        yield Evidence(
            f"the way leads over {', '.join(sorted(str(g) for g in gateways))}: no ICMP 3/4 came back"
            if gateways
            else "no router is between: a switch, a virtual switch or a NIC drops them"
        )


def _fix(place: _Place, culprit: Blame, pairs: list[Pair]) -> Fix:
    path = place.tested[pairs[0]].path
    limit = _limit(place, pairs)
    verify = f"ping -M do -c 3 -s {path.device_mtu - 28} {path.address}"
    if path.role == "node" and path.gateway:
        return Fix(
            f"Let ICMP type 3 code 4 pass on {path.gateway}, on every router and firewall behind it "
            "and on the nodes, or raise the MTU of the small hop. Until then TCP can find the size by "
            "itself (each network namespace has this setting):",
            ("sysctl -w net.ipv4.tcp_mtu_probing=1",),
            verify=verify,
            rollback="sysctl -w net.ipv4.tcp_mtu_probing=0",
        )
    if path.role == "overlay":
        room = f"Set {path.device} to {limit} in the CNI's configuration, and make the pods again"
        text = f"{room}; find what lies between {culprit.words} and takes large packets of this tunnel."
    else:
        text = (
            f"Raise the MTU of what lies between {culprit.words}: switch port, virtual switch, VPN. If "
            f"it has to stay, set {path.device} to {limit} on every node and the CNI's MTU to that "
            "minus its overhead, and make the pods again."
        )
    return Fix(
        text,
        (f"ip link set {path.device} mtu {limit}",),
        risk=Risk.DISRUPTIVE,
        verify=verify,
        rollback=f"ip link set {path.device} mtu {path.device_mtu}",
    )
