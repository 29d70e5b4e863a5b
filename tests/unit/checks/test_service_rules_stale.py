"""SVC-02."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_netdoctor.analysis.engine import Skipped, evaluate
from kubectl_netdoctor.checks.base import Confidence, Finding, Severity
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.cluster import Nodes, Pods, ServicePort, Services, Workloads
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables, NftChain, NftRule
from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.checks.service_samples import (
    CLUSTER_IP,
    A,
    B,
    C,
    endpoint,
    piece,
    rules,
    settled,
    shop,
    with_rules,
    without_rules,
)
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    findings,
    healthy,
    judged,
    recorded,
)

PORT = 8080
READY = piece(endpoint(A), endpoint(B, "n3"))
RIGHT = rules(f"{A}:{PORT}", f"{B}:{PORT}")


def on_n3(snapshot: Snapshot) -> list[Finding]:
    """Findings about n3; the other nodes have no rules of the shop and are not looked at."""
    return [f for f in findings("SVC-02", snapshot) if f.nodes == {"n3"}]


def why_skipped(snapshot: Snapshot) -> str:
    """Why nothing was said about n3."""
    (cell,) = [c for c in evaluate([catalogue()["SVC-02"]], snapshot) if c.node == "n3"]
    assert isinstance(cell.outcome, Skipped), cell.outcome
    return cell.outcome.missing.detail


@pytest.mark.parametrize("name", ["healthy", "kube_proxy_gone", "coredns_scaled_to_zero"])
def test_recorded_nodes_have_the_rules_that_they_should(name: str) -> None:
    """Also where the rules are refusals, and where kube-proxy has just gone."""
    assert findings("SVC-02", settled(recorded(name))) == []


def test_a_dead_backend_fires() -> None:
    """No EndpointSlice lists the third address: certain, with the share of lost connections."""
    stale = with_rules(settled(shop(READY)), rules(f"{A}:{PORT}", f"{B}:{PORT}", f"{C}:{PORT}"))
    (found,) = on_n3(stale)
    assert found.title.endswith("1 dead backend")
    assert found.severity is Severity.CRITICAL
    assert found.confidence is Confidence.CERTAIN
    assert f"sends 1 of 3 connections to {C}:{PORT}" in found.evidence[0].text
    assert "delete pod kube-proxy-" in " ".join(found.fix.commands)


def test_a_service_without_rules_fires() -> None:
    """It has endpoints and nothing translates its address; cluster DNS is one as good as any."""
    (found,) = on_n3(without_rules(settled(healthy()), "kube-system/kube-dns:dns cluster IP"))
    assert "1 Service port without any rule" in found.title
    assert "kube-system/kube-dns:dns" in found.evidence[0].text


def test_a_flushed_chain_fires() -> None:
    """The address still leads to the Service's chain, and that is empty."""
    flushed = [line for line in RIGHT if " KUBE-SVC-WEB -m" not in line]
    (found,) = on_n3(with_rules(settled(shop(READY)), flushed))
    assert "1 Service port refused although ready" in found.title
    assert "leads nowhere" in found.evidence[0].text


def test_an_address_that_is_refused_although_ready_fires() -> None:
    """kube-proxy has not seen that the Service has endpoints again."""
    (found,) = on_n3(with_rules(settled(shop(READY)), rules()))
    assert "is refused, the API lists" in found.evidence[0].text


def test_a_backend_that_is_another_services_is_likely_stale() -> None:
    """Its address is a live one: a pod's address was given to another pod."""
    foreign = piece(endpoint(C), name="api-1")
    other = dataclasses.replace(foreign, service="api")
    (found,) = on_n3(
        with_rules(settled(shop(READY, other)), [*rules(f"{A}:{PORT}", f"{C}:{PORT}")])
    )
    assert "foreign backend" in found.title
    assert found.confidence is Confidence.LIKELY


def test_a_missing_backend_alone_is_less_severe() -> None:
    """Requests work, on fewer backends than there are."""
    (found,) = on_n3(with_rules(settled(shop(READY)), rules(f"{A}:{PORT}")))
    assert found.title.endswith("1 missing backend")
    assert found.severity is Severity.HIGH
    assert found.confidence is Confidence.LIKELY


def test_a_backend_that_is_not_ready_fires() -> None:
    """The API lists it and says that it is not ready, while another one is."""
    unready = piece(endpoint(A), endpoint(B, ready=False))
    (found,) = on_n3(with_rules(settled(shop(unready)), RIGHT))
    assert "1 backend that is not ready" in found.title


def test_a_missing_node_port_fires() -> None:
    """The ClusterIP is right, the node port has no rule."""
    ports = (ServicePort("http", "TCP", 80, "8080", 30080),)
    exposed = settled(shop(READY, type="NodePort", ports=ports))
    (found,) = on_n3(with_rules(exposed, RIGHT))
    assert "1 missing node port" in found.title
    there = (
        "nat KUBE-NODEPORTS -p tcp -m comment --comment shop/web:http -m tcp --dport 30080 "
        "-j KUBE-EXT-WEB"
    )
    assert on_n3(with_rules(exposed, [*RIGHT, there])) == []


def test_rules_of_a_deleted_service_are_a_low_finding() -> None:
    """They do no harm until the address is given to another Service."""
    (found,) = on_n3(with_rules(settled(healthy()), RIGHT))
    assert found.severity is Severity.LOW
    assert "shop/web:http" in found.evidence[0].text


def test_hostile_comments_stay_quoted() -> None:
    """What a rule's comment says goes into a command to paste as one word."""
    hostile = rules(f"{A}:{PORT}", port_name="x';reboot;'")
    (found,) = on_n3(with_rules(settled(healthy()), hostile))
    assert "'x'\"'\"';reboot;'\"'\"''" in (found.fix.verify or "")


# -- silence ----------------------------------------------------------------------------------------


def quiet(snapshot: Snapshot, lines: list[str]) -> None:
    """No finding about n3, and the check ran to its end."""
    cells = evaluate([catalogue()["SVC-02"]], with_rules(snapshot, lines))
    assert [type(c.outcome).__name__ for c in cells if c.node == "n3"] == ["Passed"]


def test_rules_as_wanted_are_silent() -> None:
    """With and without session affinity, which adds a rule per backend."""
    quiet(settled(shop(READY)), RIGHT)
    sticky = rules(f"{A}:{PORT}", f"{B}:{PORT}", affinity=True)
    quiet(settled(shop(READY, session_affinity="ClientIP")), sticky)


def test_draining_endpoints_are_used_where_none_is_ready() -> None:
    """KEP-1669: better a backend that ends than none."""
    draining = endpoint(B, ready=False, serving=True, terminating=True)
    quiet(settled(shop(piece(endpoint(A, ready=False), draining))), rules(f"{B}:{PORT}"))


def test_conditions_that_are_left_out_mean_ready() -> None:
    """KEP-1672."""
    bare = dataclasses.replace(endpoint(A), ready=None, serving=None, terminating=None)
    quiet(settled(shop(piece(bare))), rules(f"{A}:{PORT}"))


def test_a_local_policy_keeps_this_nodes_backends_only() -> None:
    """n3 has B; where a node has none its packets are dropped, and that is right too."""
    local = settled(shop(READY, internal_traffic_policy="Local"))
    quiet(local, [line.replace("KUBE-SVC-WEB", "KUBE-SVL-WEB") for line in rules(f"{B}:{PORT}")])
    elsewhere = settled(shop(piece(endpoint(A)), internal_traffic_policy="Local"))
    dropped = rules()[0].replace("has no endpoints", "has no local endpoints")
    quiet(elsewhere, [dropped.replace("REJECT --reject-with icmp-port-unreachable", "DROP")])


def test_topology_hints_allow_a_part_of_the_backends_and_no_others() -> None:
    """A zone's own backends suffice; a dead one is a fault all the same."""
    hinted = settled(shop(READY), hints=True)
    quiet(hinted, rules(f"{B}:{PORT}"))
    (found,) = on_n3(with_rules(hinted, rules(f"{B}:{PORT}", f"{C}:{PORT}")))
    assert found.title.endswith("1 dead backend")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "ExternalName", "cluster_ips": ()},
        {"cluster_ips": ("None",)},
        {"cluster_ips": ("fd00::7",)},
        {"ports": ()},
    ],
    ids=["external name", "headless", "IPv6", "no ports"],
)
def test_services_that_have_no_rule_here(changes: dict[str, Any]) -> None:
    """kube-proxy programs nothing for them, or not in the IPv4 rules."""
    assert on_n3(settled(shop(READY, **changes))) == []


def test_a_service_of_another_proxy_is_left_alone() -> None:
    """Its label service-proxy-name takes it out of kube-proxy's hands."""
    assert on_n3(settled(shop(READY), proxy="mesh")) == []


def test_a_service_without_selector_and_endpoints_is_refused() -> None:
    """Slices made by hand, or none at all."""
    quiet(settled(shop(selector={})), rules())


def test_protocols_of_one_port_are_two_services() -> None:
    """UDP and TCP 80 have their own backends, by the names of their ports."""
    ports = (
        ServicePort("http", "TCP", 80, "8080", None),
        ServicePort("quic", "UDP", 80, "q", None),
    )
    both = piece(endpoint(A), ports={"http": "TCP/8080", "quic": "UDP/8443"})
    udp = [
        line.replace("-p tcp", "-p udp").replace("-m tcp", "-m udp").replace("WEB", "QUIC")
        .replace("KUBE-SEP-0", "KUBE-SEP-Q").replace("web:http", "web:quic")
        for line in rules(f"{A}:8443")
    ]  # fmt: skip
    quiet(settled(shop(both, ports=ports)), [*rules(f"{A}:8080"), *udp])


# -- races ------------------------------------------------------------------------------------------


def seconds_before(snapshot: Snapshot, seconds: int) -> str:
    """A time so long before the run."""
    started = datetime.fromisoformat(snapshot.run.started)
    return (started - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


STALE = rules(f"{A}:{PORT}", f"{C}:{PORT}")


@pytest.mark.parametrize(("seconds", "fires"), [(-2, False), (5, False), (59, False), (61, True)])
def test_a_rollout_is_silent_for_a_minute(seconds: int, fires: bool) -> None:
    """What was written just before the run, or during it, may not be programmed yet."""
    base = shop(READY)
    rolling = with_rules(settled(base, seconds_before(base, seconds)), STALE)
    assert bool(on_n3(rolling)) is fires
    if not fires:
        assert "less than a minute ago" in why_skipped(rolling)


def test_unknown_times_prove_nothing() -> None:
    """Behind a proxy that drops managedFields, or in a snapshot of an older version."""
    assert on_n3(with_rules(settled(shop(READY), None), STALE)) == []
    older = shop(READY)
    rest = {k: v for k, v in older.cluster.items() if k != KEYS[ServiceChanges]}
    assert "not known" in why_skipped(
        with_rules(dataclasses.replace(settled(older), cluster=rest), STALE)
    )


def test_rules_that_came_inside_the_window_are_silent() -> None:
    """kube-proxy is at work on this Service."""
    quiet_now = with_rules(settled(shop(READY)), STALE, moved=None)
    assert on_n3(quiet_now) == []


def test_a_service_made_meanwhile_is_no_deleted_one() -> None:
    """It came after the inventory was read: the second reading knows it."""
    assert on_n3(with_rules(settled(healthy(), there=True), RIGHT)) == []


def test_one_rollout_does_not_hide_another_services_fault() -> None:
    """Only the Service that changes is left out."""
    base = shop(READY)
    both = with_rules(settled(base, seconds_before(base, 1)), STALE)
    (found,) = on_n3(without_rules(both, "kube-system/kube-dns:dns cluster IP"))
    assert "shop/web" not in " ".join(e.text for e in found.evidence)


def test_a_node_or_a_kube_proxy_that_just_started_is_silent() -> None:
    """The first full sync takes its time."""
    stale = with_rules(settled(shop(READY)), STALE)
    young = change_cluster(
        stale, Pods,
        change_items(Pods, lambda p: dataclasses.replace(p, created=stale.run.started)),
    )  # fmt: skip
    assert "started less than a minute ago" in why_skipped(young)

    def back(machine: Any) -> Any:
        since = tuple(dataclasses.replace(c, since=stale.run.started) for c in machine.conditions)
        return dataclasses.replace(machine, conditions=since)

    booted = change_cluster(stale, Nodes, change_items(Nodes, back))
    assert "started less than a minute ago" in why_skipped(booted)


# -- other proxies ----------------------------------------------------------------------------------


def processes(snapshot: Snapshot, *names: str) -> Snapshot:
    """n3 with these processes."""
    return change_node(
        snapshot, "n3", Components, lambda _: Components(names, kube_proxy_healthz=None)
    )


def bare(snapshot: Snapshot) -> Snapshot:
    """n3 without any rule of kube-proxy."""
    return without_rules(without_rules(snapshot, "cluster IP"), "has no endpoints")


@pytest.mark.parametrize(
    ("name", "words"),
    [("cilium-agent", "Cilium"), ("kube-router", "kube-router"), ("ovnkube", "OVN-Kubernetes")],
)
def test_other_proxies_are_named_and_not_judged(name: str, words: str) -> None:
    """No rule anywhere is right there."""
    assert words in why_skipped(processes(bare(settled(healthy())), name, "kubelet"))


def test_no_rules_and_nothing_known_is_unknown() -> None:
    """Neither healthy nor broken."""
    assert "no known proxy" in why_skipped(processes(bare(settled(healthy())), "kubelet"))
    unseen = change_node(
        bare(settled(healthy())), "n3", Components,
        lambda _: Missing(Reason.NOT_PRESENT, "no hostPID"),
    )  # fmt: skip
    assert "not known which proxy runs" in why_skipped(unseen)


def test_a_kube_proxy_that_programmed_nothing_fires() -> None:
    """It runs, and no Service has a rule."""
    (found,) = on_n3(bare(settled(healthy())))
    assert "4 Service ports without any rule" in found.title


def test_ipvs_and_nftables_mode_cannot_be_compared() -> None:
    """What they keep in tables of their own is not recorded."""

    def dummy(fact: Interfaces) -> Interfaces:
        device: Interface = dataclasses.replace(fact.items[0], name="kube-ipvs0", kind="dummy")
        return Interfaces((*fact.items, device))

    ipvs = change_node(bare(settled(healthy())), "n3", Interfaces, dummy)
    assert "IPVS" in why_skipped(ipvs)
    rule = NftRule(1, '[{"jump":{"target":"services"}}]', None, None)
    chain = NftChain("ip", "kube-proxy", "services", None, None, None, None, (rule,))
    nft = change_node(bare(settled(healthy())), "n3", Nftables, lambda _: Nftables(1.0, (chain,)))
    assert "maps are not recorded" in why_skipped(nft)


def test_rules_that_nobody_keeps_are_not_compared() -> None:
    """Without a process and without a DaemonSet that wants one, SVC-01 says what there is to say."""
    stale = processes(with_rules(settled(shop(READY)), STALE), "kubelet", "calico-felix")
    unwanted = change_cluster(
        stale, Workloads, change_items(Workloads, lambda w: None if w.name == "kube-proxy" else w)
    )
    assert "no DaemonSet wants it" in why_skipped(unwanted)
    assert len(on_n3(stale)) == 1  # a DaemonSet that lost its pod: the rules are stale indeed


def test_destinations_that_cannot_be_printed_are_unknown() -> None:
    """An iptables older than the one that wrote the rules prints them in part."""
    cut = [line.replace(f"--to-destination {A}:{PORT}", "[unsupported revision]") for line in RIGHT]
    assert "cannot print" in why_skipped(with_rules(settled(shop(READY)), cut))


def test_a_backend_that_could_not_be_read_is_unknown() -> None:
    """No rules in one backend prove nothing while the other one was not read."""

    def denied(fact: Iptables) -> Iptables:
        return dataclasses.replace(fact, nft=Missing(Reason.TIMED_OUT, "too slow"))

    assert "too slow" in why_skipped(change_node(settled(healthy()), "n3", Iptables, denied))


def test_leftovers_in_the_other_backend_do_not_count() -> None:
    """The ruleset that fits is the one that is kept."""
    base = with_rules(settled(shop(READY)), RIGHT)

    def both(fact: Iptables) -> Iptables:
        old = with_rules(settled(shop(READY)), STALE).node_fact("n3", "iptables")
        assert isinstance(old, Iptables)
        assert not isinstance(old.nft, Missing)
        return dataclasses.replace(fact, legacy=dataclasses.replace(old.nft, backend="legacy"))

    assert on_n3(change_node(base, "n3", Iptables, both)) == []


def test_it_is_folded_under_a_kube_proxy_that_does_not_run() -> None:
    """SVC-01 is the cause, stale rules are what it leaves."""
    gone = with_rules(settled(shop(READY, snapshot=recorded("kube_proxy_gone"))), STALE)
    for name in ("n1", "n2"):
        gone = with_rules(gone, RIGHT, node=name)
    rows = {r.finding.id: r for r in judged(gone).findings}
    assert rows["SVC-02"].caused_by == rows["SVC-01"].finding.key


def test_a_changed_cluster_ip_is_compared_by_address() -> None:
    """The rule of a Service's former address is no rule of its new one."""
    moved = with_rules(settled(shop(READY, cluster_ips=("10.96.8.8",))), RIGHT)
    (found,) = on_n3(moved)
    assert "without any rule" in found.title
    assert CLUSTER_IP not in found.title
    assert Services in {n.type for n in catalogue()["SVC-02"].needs.values()}
