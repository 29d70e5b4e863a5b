"""Which pods reach which: the directed pairs of nodes whose companions were probed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.checks.blame import Pair
from kubectl_netdoctor.facts.cluster import NetworkPolicies
from kubectl_netdoctor.facts.companion import Companions
from kubectl_netdoctor.facts.pod_probe import PodPathProbe, PodProbes
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes

ENOUGH = 5  # probes; fewer prove nothing


@dataclass(frozen=True, slots=True)
class PodPath:
    """What the pod of one node got from the pod network of another one, by every protocol."""

    pair: Pair
    source: str  # the pod's address
    probes: tuple[PodPathProbe, ...]

    @property
    def reached(self) -> bool:
        """Whether anything at all came back."""
        return any(p.received for p in self.probes)

    @property
    def text(self) -> str:
        """The numbers, for people."""
        first = self.probes[0]
        what = "a pod" if first.role == "companion" else "the tunnel's end"
        return f"pod {self.source} to {what} of {self.pair[1]} ({first.address}): {counts(self.probes)}"


def counts(probes: tuple[PodPathProbe, ...]) -> str:
    """`ICMP 0/8 (8 timeout), TCP 5/5`."""
    return ", ".join(
        f"{p.protocol.upper()} {p.received}/{p.sent}"
        + (f" ({', '.join(f'{n} {e}' for e, n in sorted(p.errors.items()))})" if p.errors else "")
        for p in probes
    )


def paths(
    probes: Mapping[str, PodProbes],
    companions: Companions,
    node_probes: Mapping[str, PathProbes] | None,
) -> Iterator[PodPath]:
    """Every pair that says something, by the peer's pod, else by the end of the peer's tunnel.

    A peer's pod counts only while its own node reaches it: one that has ended is silent to all. The
    end of a tunnel counts only where it answers the node itself.
    """
    alive = {name for name, fact in probes.items() if own_pod_answers(name, fact, companions)}
    for name, fact in probes.items():
        if fact.inside is not None or fact.address is None or name not in alive:
            continue
        for peer in dict.fromkeys(p.peer for p in fact.items if p.peer and p.peer != name):
            to_pod = of(fact, peer, "companion") if peer in alive else ()
            tunnel = of(fact, peer, "overlay") if _tunnel_answers(node_probes, name, peer) else ()
            chosen = to_pod or tunnel
            if sum(p.sent for p in chosen) >= ENOUGH:
                yield PodPath((name, peer), fact.address, chosen)


def of(fact: PodProbes, peer: str | None, role: str) -> tuple[PodPathProbe, ...]:
    """Probes of the pod's vantage to one peer."""
    return tuple(p for p in fact.items if p.vantage == "pod" and p.peer == peer and p.role == role)


def own_pod_answers(name: str, fact: PodProbes, companions: Companions) -> bool:
    """Whether a node's companion was there to the end and answered its own node."""
    companion = companions.of(name)
    if companion is None or companion.status != "running":
        return False
    return any(p.vantage == "node" and p.peer == name and p.received for p in fact.items)


def node_probe(probes: Mapping[str, PathProbes] | None, pair: Pair, role: str) -> PathProbe | None:
    """The ICMP probe of a pair from the node's own vantage."""
    fact = probes.get(pair[0]) if probes else None
    items = fact.items if fact else ()
    return next(
        (p for p in items if p.peer == pair[1] and p.role == role and p.protocol == "icmp"), None
    )


def _tunnel_answers(probes: Mapping[str, PathProbes] | None, name: str, peer: str) -> bool:
    probe = node_probe(probes, (name, peer), "overlay")
    return probe is not None and probe.received > 0


def isolating_policy(policies: NetworkPolicies | None, companions: Companions) -> str | None:
    """Name of a NetworkPolicy that may hold back the companions themselves.

    Its podSelector is not evaluated beyond labels that companions certainly lack.
    """
    ours = {"app.kubernetes.io/managed-by", "app.kubernetes.io/name", "netdoctor/role"}
    for policy in policies.items if policies else ():
        if policy.namespace != companions.namespace:
            continue
        try:
            selector = json.loads(policy.spec).get("podSelector") or {}
            wanted = set(selector.get("matchLabels") or {})
        except (ValueError, AttributeError, TypeError):
            return policy.name
        if wanted <= ours:
            return policy.name
    return None
