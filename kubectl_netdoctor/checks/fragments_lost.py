"""MTU-07: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

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
from kubectl_netdoctor.checks.blame import Pair, blame
from kubectl_netdoctor.checks.path_size import Judged, Kind, Paths
from kubectl_netdoctor.facts.cluster import Nodes
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.path_mtu import PathMtu, PathMtus, SizeProbe
from kubectl_netdoctor.facts.probe import PathProbes

SHOWN = 6
TRIES = 3
CLEAN = 0.95  # of small probes answered: below, loss explains a lost fragment


@check("MTU-07", Severity.MEDIUM, since="0.1", explains=("DNS-13",))
def fragments_lost(
    paths: PerNode[PathMtus],
    probes: PerNode[PathProbes],
    nodes: Nodes,
    interfaces: PerNode[Interfaces] | None,
) -> Iterator[Finding]:
    """Packets in fragments are lost between nodes.

    Meaning: a packet of the NIC's full MTU passes, one that is a little larger and leaves in two
      fragments does not.
    Impact: large UDP between the nodes is lost: DNS answers beyond 1,400 bytes, syslog, SIP. Pods
      on a tunnel that fits its underlay are spared, since their fragments travel inside whole packets:
      then the severity is low.
    Diagnosis: echo requests without DF, 200 bytes larger than the NIC's MTU, all silent, while those
      of the full MTU with DF pass and small ones are not lost; only between scanned nodes whose NICs
      have the same MTU, because the answer is cut by the other one. Networks that drop fragments on
      purpose look the same, and so do firewalls that drop them for ICMP only.
    Mitigation: let fragments through, or avoid them: a fitting MTU inside tunnels, EDNS 1232.
    Source: RFC 8900; RFC 9715.
    """
    known = Paths(paths, nodes, interfaces)
    tested = {
        pair: cut
        for pair, judged in known.of("node").items()
        if (cut := judged.path.fragmented)
        and _clean(probes, pair)
        and _enough(judged, cut)
        and _same_size(known, pair)
    }
    if not tested:
        raise Inconclusive(
            "needs two scanned nodes with NICs of one MTU, and a clean path that passes it whole"
        )
    failing = {pair for pair, cut in tested.items() if not cut.received}
    for culprit in blame(failing, tested):
        hurt = any(_needed(known, pair) for pair in culprit.pairs)
        first = _path(known, culprit.pairs[0])
        yield Finding(
            title="Packets in fragments are lost between nodes",
            severity=Severity.MEDIUM if hurt else Severity.LOW,
            confidence=Confidence.LIKELY,
            evidence=tuple(
                Evidence(_text(pair, _path(known, pair), tested[pair]), pair[0])
                for pair in culprit.pairs[:SHOWN]
            ),
            subjects=culprit.subjects,
            scope=culprit.words,
            paths=culprit.pairs,
            fix=Fix(
                "Find who drops fragments: a filter on `ip frag-off` or `-f`, a security group, a "
                "router. Where they cannot pass, keep UDP answers small (CoreDNS: bufsize 1232).",
                ("nft list ruleset | grep -n frag-off", "iptables-save | grep -n -- ' -f '"),
                verify=f"ping -M dont -c 3 -s {tested[culprit.pairs[0]].size - 28} {first.address}",
            ),
        )


def _enough(judged: Judged, cut: SizeProbe) -> bool:
    """Whether a whole packet passes, and the one in fragments was answered or silent for good."""
    return judged.kind is Kind.FITS and (cut.received > 0 or cut.silent >= TRIES)


def _same_size(known: Paths, pair: Pair) -> bool:
    """Whether the far end cuts its answer to the same size: a larger piece is lost for another cause."""
    here, there = known.nic(pair[0]), known.nic(pair[1])
    return bool(here and there and here.device_mtu == there.device_mtu)


def _clean(probes: PerNode[PathProbes], pair: Pair) -> bool:
    """Whether small probes to the same node were answered in the same window."""
    fact = probes.get(pair[0])
    small = [
        p
        for p in (fact.items if fact else ())
        if (p.peer, p.role, p.protocol) == (pair[1], "node", "icmp") and p.sent
    ]
    return bool(small) and all(p.received >= CLEAN * p.sent for p in small)


def _path(known: Paths, pair: Pair) -> PathMtu:
    items = known.facts[pair[0]].items
    return next(p for p in items if p.peer == pair[1] and p.role == "node")


def _needed(known: Paths, pair: Pair) -> bool:
    """Whether pods send fragments on this path: they have no tunnel, or one that does not fit."""
    inner = [p for p in known.facts[pair[0]].items if p.peer == pair[1] and p.role == "overlay"]
    if not inner:
        return True
    return any((known.needs(pair[0], p) or 0) > _path(known, pair).device_mtu for p in inner)


def _text(pair: Pair, path: PathMtu, cut: SizeProbe) -> str:
    return (
        f"to {pair[1]} ({path.address}): {path.passes} bytes with DF pass, {cut.size} in fragments "
        f"are lost ({cut.received} of {cut.sent} answered)"
    )
