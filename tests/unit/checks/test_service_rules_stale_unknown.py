"""SVC-02: where rules cannot be compared, and where another fault explains them."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import Services, Workloads
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables, NftChain, NftRule
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.checks.service_samples import (
    CLUSTER_IP,
    PORT,
    READY,
    RIGHT,
    STALE,
    A,
    on_n3,
    settled,
    shop,
    why_skipped,
    with_rules,
    without_rules,
)
from tests.unit.recorded import (
    change_cluster,
    change_items,
    change_node,
    healthy,
    judged,
    recorded,
)


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
