"""SVC-09."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.checks.proxy_leftovers import configured
from kubectl_netdoctor.facts.cluster import ConfigMapInfo, ConfigMaps, Workloads
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.netfilter import Nftables, NftChain, NftRule
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.checks.service_samples import without_rules
from tests.unit.recorded import change_cluster, change_items, change_node, findings, healthy


def nftables(snapshot: Snapshot, table: str = "kube-proxy") -> Snapshot:
    """n3 with a table of nftables."""
    rule = NftRule(1, '[{"jump":{"target":"services"}}]', None, None)
    chain = NftChain("ip", table, "nat-prerouting", "prerouting", -100, "accept", None, (rule,))
    return change_node(snapshot, "n3", Nftables, lambda _: Nftables(1.0, (chain,)))


def ipvs(snapshot: Snapshot) -> Snapshot:
    """n3 with the device of IPVS mode."""
    return change_node(
        snapshot, "n3", Interfaces,
        lambda f: Interfaces((*f.items, dataclasses.replace(f.items[0], name="kube-ipvs0"))),
    )  # fmt: skip


def without_kube_proxy(snapshot: Snapshot, *processes: str, daemon: bool = False) -> Snapshot:
    """n3 with other processes, and the cluster without the DaemonSet."""
    gone = change_node(snapshot, "n3", Components, lambda _: Components(processes, None))
    if daemon:
        return gone
    return change_cluster(
        gone, Workloads, change_items(Workloads, lambda w: None if w.name == "kube-proxy" else w)
    )


@pytest.mark.parametrize(("change", "other"), [(nftables, "nftables"), (ipvs, "ipvs")])
def test_two_modes_fire(change: object, other: str) -> None:
    """On the node that has both; what the ConfigMap names is kept."""
    assert callable(change)
    (found,) = findings("SVC-09", change(healthy()))
    assert found.nodes == {"n3"}
    assert found.severity is Severity.MEDIUM
    assert found.title.endswith(f"iptables and {other}")
    assert any("configured for iptables" in e.text for e in found.evidence)
    assert not any("grep -v KUBE-" in c for c in found.fix.commands)


def test_leftovers_of_kube_proxy_under_cilium_fire() -> None:
    """Cilium translates, kube-proxy was removed and its rules were not."""
    (found,) = findings("SVC-09", without_kube_proxy(healthy(), "cilium-agent"))
    assert found.title.endswith("iptables and Cilium")
    assert any("grep -v KUBE-" in c for c in found.fix.commands)


def test_one_mode_is_silent() -> None:
    """Whichever it is: the kubelet's chains are there in all of them."""
    assert findings("SVC-09", healthy()) == []
    alone = without_rules(without_rules(healthy(), "cluster IP"), "has no endpoints")
    assert findings("SVC-09", nftables(alone)) == []
    assert findings("SVC-09", ipvs(alone)) == []


def test_somebody_elses_table_is_silent() -> None:
    """The host's own firewall is no proxy."""
    assert findings("SVC-09", nftables(healthy(), "filter")) == []


def test_cilium_without_leftovers_is_silent() -> None:
    """No rule at all is right there."""
    alone = without_rules(without_rules(healthy(), "cluster IP"), "has no endpoints")
    assert findings("SVC-09", without_kube_proxy(alone, "cilium-agent")) == []


def test_cilium_beside_a_kube_proxy_is_silent() -> None:
    """Its rules are kept, even while its pod is down: SVC-01 says that."""
    assert findings("SVC-09", without_kube_proxy(healthy(), "cilium-agent", "kube-proxy")) == []
    assert findings("SVC-09", without_kube_proxy(healthy(), "cilium-agent", daemon=True)) == []


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("mode: ipvs", "ipvs"),
        ('mode: ""', None),
        ("kind: X\nmode: 'nftables'", "nftables"),
        ("", None),
    ],
)
def test_the_configured_mode(text: str, mode: str | None) -> None:
    """An empty mode is the default, whatever that is."""
    maps = ConfigMaps((ConfigMapInfo("kube-system", "kube-proxy", {"config.conf": text}),))
    assert configured(maps) == mode
    assert configured(None) is None
