"""Services, EndpointSlices and kube-proxy's rules for them, in kube-proxy's own words."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubectl_netdoctor.analysis.engine import Skipped, evaluate
from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cluster import (
    EndpointInfo,
    EndpointSliceInfo,
    EndpointSlices,
    Nodes,
    Pods,
    ServiceInfo,
    ServicePort,
    Services,
)
from kubectl_netdoctor.facts.netfilter import (
    Iptables,
    IptablesChain,
    IptablesRule,
    IptablesRuleset,
)
from kubectl_netdoctor.facts.service_changes import ServiceChange, ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_cluster, change_items, change_node, findings, healthy

OLD = "2020-01-01T00:00:00Z"
SHOP = "shop/web"
CLUSTER_IP = "10.96.7.7"
A, B, C = "10.244.1.4", "10.244.2.5", "10.244.3.6"


def endpoint(address: str, node: str = "n1", *, ready: bool = True, **more: Any) -> EndpointInfo:
    """One endpoint; `terminating` and `serving` may be given."""
    serving, terminating = more.get("serving", ready), more.get("terminating", False)
    return EndpointInfo((address,), ready, serving, terminating, node, f"pod-{address}")


def piece(
    *endpoints: EndpointInfo, name: str = "web-1", ports: dict[str, str] | None = None
) -> EndpointSliceInfo:
    """One EndpointSlice of the shop."""
    return EndpointSliceInfo(
        "shop", name, "web", "IPv4", ports or {"http": "TCP/8080"}, tuple(endpoints)
    )


def service(**changes: Any) -> ServiceInfo:
    """The shop's Service."""
    base = ServiceInfo(
        namespace="shop", name="web", type="ClusterIP", cluster_ips=(CLUSTER_IP,),
        selector={"app": "web"}, labels={}, ports=(ServicePort("http", "TCP", 80, "8080", None),),
        session_affinity="None", internal_traffic_policy="Cluster", external_traffic_policy=None,
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def rules(*backends: str, affinity: bool = False, port_name: str = "shop/web:http") -> list[str]:
    """iptables-save lines of one Service with these backends; none of them: it is refused."""
    entry = f"-d {CLUSTER_IP}/32 -p tcp -m comment --comment"
    if not backends:
        return [
            (
                f'filter KUBE-SERVICES {entry} "{port_name} has no endpoints" -m tcp --dport 80 '
                "-j REJECT --reject-with icmp-port-unreachable"
            )
        ]
    lines = [
        f'nat KUBE-SERVICES {entry} "{port_name} cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEB',
        (
            f'nat KUBE-SVC-WEB ! -s 10.244.0.0/16 {entry} "{port_name} cluster IP" -m tcp --dport 80 '
            "-j KUBE-MARK-MASQ"
        ),
    ]
    for number, backend in enumerate(backends):
        chain = f"KUBE-SEP-{number}"
        comment = f'-m comment --comment "{port_name} -> {backend}"'
        if affinity:
            lines.append(
                f"nat KUBE-SVC-WEB {comment} -m recent --rcheck --seconds 10800 --reap "
                f"--name {chain} --mask 255.255.255.255 --rsource -j {chain}"
            )
        chance = "-m statistic --mode random --probability 0.50000000000 " if number else ""
        recent = f"-m recent --set --name {chain} --mask 255.255.255.255 --rsource " * affinity
        address = backend.partition(":")[0]
        lines += [
            f"nat KUBE-SVC-WEB {comment} {chance}-j {chain}",
            f'nat {chain} -s {address}/32 -m comment --comment "{port_name}" -j KUBE-MARK-MASQ',
            (
                f'nat {chain} -p tcp -m comment --comment "{port_name}" {recent}-m tcp -j DNAT '
                f"--to-destination {backend}"
            ),
        ]
    return lines


def ruleset(lines: list[str], *, moved: int | None = 0) -> tuple[IptablesChain, ...]:
    """Chains of lines such as `nat CHAIN spec`."""
    chains: dict[tuple[str, str], list[IptablesRule]] = {}
    for line in lines:
        table, chain, spec = line.split(" ", 2)
        chains.setdefault((table, chain), []).append(IptablesRule(spec, 0, moved))
    return tuple(IptablesChain(t, c, None, 0, None, tuple(r)) for (t, c), r in chains.items())


def merged(
    have: tuple[IptablesChain, ...], more: tuple[IptablesChain, ...]
) -> tuple[IptablesChain, ...]:
    """Both, rules of chains of one name joined."""
    extra = {(c.table, c.name): c for c in more}
    out = []
    for chain in have:
        added = extra.pop((chain.table, chain.name), None)
        out.append(dataclasses.replace(chain, rules=chain.rules + added.rules) if added else chain)
    return (*out, *extra.values())


def with_rules(
    snapshot: Snapshot, lines: list[str], *, node: str = "n3", moved: int | None = 0
) -> Snapshot:
    """The snapshot with more rules on one node."""

    def change(fact: Iptables) -> Iptables:
        nft = fact.nft
        assert isinstance(nft, IptablesRuleset)
        chains = merged(nft.chains, ruleset(lines, moved=moved))
        return dataclasses.replace(fact, nft=dataclasses.replace(nft, chains=chains))

    return change_node(snapshot, node, Iptables, change)


def without_rules(snapshot: Snapshot, text: str, node: str = "n3") -> Snapshot:
    """The snapshot without the rules of one node that contain the text."""

    def change(fact: Iptables) -> Iptables:
        nft = fact.nft
        assert isinstance(nft, IptablesRuleset)
        chains = tuple(
            dataclasses.replace(c, rules=tuple(r for r in c.rules if text not in r.spec))
            for c in nft.chains
        )
        return dataclasses.replace(fact, nft=dataclasses.replace(nft, chains=chains))

    return change_node(snapshot, node, Iptables, change)


def settled(snapshot: Snapshot, written: str | None = OLD, **shop: Any) -> Snapshot:
    """The snapshot of an old cluster, with the times of its Services; the shop's as given."""

    def aged(item: Any) -> Any:
        since = tuple(dataclasses.replace(c, since=OLD) for c in item.conditions)
        return dataclasses.replace(item, created=OLD, conditions=since)

    old = change_cluster(snapshot, Nodes, change_items(Nodes, aged))
    old = change_cluster(
        old, Pods, change_items(Pods, lambda p: dataclasses.replace(p, created=OLD))
    )
    services = old.cluster[KEYS[Services]].items
    items = tuple(
        ServiceChange(s.namespace, s.name, OLD, None, hints=False)
        for s in services
        if f"{s.namespace}/{s.name}" != SHOP
    )
    if any(f"{s.namespace}/{s.name}" == SHOP for s in services) or shop.get("there"):
        hints, proxy = shop.get("hints", False), shop.get("proxy")
        items += (ServiceChange("shop", "web", written, proxy, hints=hints),)
    changes = ServiceChanges(old.run.ended, old.run.ended, items)
    return dataclasses.replace(old, cluster={**old.cluster, KEYS[ServiceChanges]: changes})


def shop(*pieces: EndpointSliceInfo, snapshot: Snapshot | None = None, **changes: Any) -> Snapshot:
    """The healthy lab with the shop in its API; its rules are added apart, on n3 alone."""
    one = service(**changes)
    base = change_cluster(snapshot or healthy(), Services, lambda s: Services((*s.items, one)))
    return change_cluster(base, EndpointSlices, lambda s: EndpointSlices((*s.items, *pieces)))


PORT = 8080
READY = piece(endpoint(A), endpoint(B, "n3"))
RIGHT = rules(f"{A}:{PORT}", f"{B}:{PORT}")
STALE = rules(f"{A}:{PORT}", f"{C}:{PORT}")


def on_n3(snapshot: Snapshot) -> list[Finding]:
    """Findings about n3; the other nodes have no rules of the shop and are not looked at."""
    return [f for f in findings("SVC-02", snapshot) if f.nodes == {"n3"}]


def why_skipped(snapshot: Snapshot) -> str:
    """Why nothing was said about n3."""
    (cell,) = [c for c in evaluate([catalogue()["SVC-02"]], snapshot) if c.node == "n3"]
    assert isinstance(cell.outcome, Skipped), cell.outcome
    return cell.outcome.missing.detail
