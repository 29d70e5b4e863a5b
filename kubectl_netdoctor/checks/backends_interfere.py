"""NF-03: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubectl_netdoctor.checks import iptables_verdict, needed_traffic, packet_filter
from kubectl_netdoctor.checks.base import (
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Risk,
    Severity,
    check,
)
from kubectl_netdoctor.checks.needed_traffic import Place
from kubectl_netdoctor.checks.packet import Drop
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.cluster import EndpointSlices, NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Addresses, Interfaces, Routes
from kubectl_netdoctor.facts.netfilter import Backend, Iptables, IptablesRuleset


@check(
    "NF-03",
    Severity.MEDIUM,
    since="0.1",
    explains=(
        "NF-01",
        "NF-02",
        "NF-05",
        "ENC-01",
        "DNS-05",
        "DNS-07",
        "API-01",
        "SVC-02",
        "RTE-13",
        "DNS-21",
        "API-09",
    ),
)
def backends_interfere(
    iptables: Iptables,
    node: NodeInfo,
    nodes: Nodes,
    addresses: Addresses,
    interfaces: Interfaces,
    routes: Routes,
    slices: EndpointSlices | None,
) -> Iterator[Finding]:
    """Rules of the other iptables backend take cluster traffic, or Services are in both.

    Meaning: kube-proxy programs one of iptables-legacy and iptables-nft, and the other one holds a
      rule or policy that drops traffic that the cluster needs; or both hold rules for Services.
    Impact: packets must pass both. Whoever lists the rules sees the backend of his own iptables
      command only, and looks for the fault elsewhere.
    Diagnosis: the backend with kube-proxy's rules is the cluster's. In the other one a certain drop
      of needed traffic counts, or Service rules. Rules that only accept, empty tables, canary
      chains and a policy that nothing needed meets are harmless.
    Mitigation: flush the other backend, and let all tools use one (update-alternatives).
    Source: kubernetes/node-problem-detector#844; kubernetes-sigs/iptables-wrappers#2;
      kubernetes/kubernetes#71305.
    """
    if isinstance(iptables.legacy, Missing) or isinstance(iptables.nft, Missing):
        raise Inconclusive("one of the two backends could not be read")
    counts = {r.backend: _services(r) for r in (iptables.legacy, iptables.nft)}
    if not any(counts.values()):
        return  # no Services by iptables here: there is no other backend
    main, other = sorted((iptables.legacy, iptables.nft), key=lambda r: -counts[r.backend])
    taken = dict(_taken(Place(node, nodes, addresses, interfaces, routes), slices, other))
    if taken:
        yield _drops(main, other, taken)
    elif counts[other.backend]:
        yield _both(main, other, counts)


def _services(ruleset: IptablesRuleset) -> int:
    """How many rules lead to a Service."""
    chain = ruleset.chain("nat", "KUBE-SERVICES")
    return sum("-j KUBE-SVC-" in rule.spec for rule in chain.rules) if chain else 0


def _taken(
    place: Place, slices: EndpointSlices | None, other: IptablesRuleset
) -> Iterator[tuple[Drop, str]]:
    """Rules of the other backend with traffic that they take."""
    for flow in needed_traffic.flows(place, slices):
        drop = iptables_verdict.verdict(other, flow.hook, flow.packet).drop
        if drop:
            yield drop, flow.words


def _drops(main: IptablesRuleset, other: IptablesRuleset, taken: dict[Drop, str]) -> Finding:
    return Finding(
        title=f"iptables-{other.backend} drops cluster traffic, beside kube-proxy's "
        f"iptables-{main.backend}",
        evidence=(
            *(Evidence(f"{packet_filter.counted(d)}; it takes {w}") for d, w in taken.items()),
            Evidence(f"kube-proxy's rules are in iptables-{main.backend}: both are in force"),
        ),
        fix=Fix(
            "Remove the rule or policy; better, keep all rules of the node in one backend.",
            (
                *(d.remove for d in taken if d.remove),
                f"update-alternatives --set iptables /usr/sbin/iptables-{main.backend}",
            ),
            verify=f"iptables-{other.backend}-save -c",
        ),
    )


def _both(main: IptablesRuleset, other: IptablesRuleset, counts: Mapping[Backend, int]) -> Finding:
    save = f"iptables-{other.backend}-save"
    return Finding(
        title="Service rules are in both iptables backends",
        evidence=tuple(
            Evidence(f"iptables-{r.backend}: {counts[r.backend]} rules lead to Services")
            for r in (main, other)
        ),
        fix=Fix(
            "kube-proxy keeps one of them up to date; the other one is a leftover and sends "
            "connections to pods that are gone. Take its rules away.",
            (f"{save} | grep -v KUBE | iptables-{other.backend}-restore",),
            risk=Risk.DISRUPTIVE,
            verify=f"{save} | grep -c KUBE-SVC",
        ),
    )
