"""A cluster on Cilium: recognised, silent, and what its BPF maps hold is unknown, not well."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks import datapath
from kubectl_netdoctor.facts.cluster import ConfigMaps, Workloads
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.system import Components
from tests.unit.cilium import NAMES, on_cilium
from tests.unit.recorded import (
    change_cluster,
    change_node,
    cluster_fact,
    findings,
    healthy,
    node_fact,
    outcomes,
)


def test_recognised_by_either_object() -> None:
    """The DaemonSet alone, the ConfigMap alone, the device on a node; flannel has none of them."""
    snapshot = on_cilium()
    workloads, maps = cluster_fact(snapshot, Workloads), cluster_fact(snapshot, ConfigMaps)
    found = datapath.cilium(workloads, maps)
    assert found is not None
    assert found.daemon is not None
    assert found.replaces_kube_proxy
    alone = datapath.cilium(workloads, None)
    assert alone is not None
    assert not alone.replaces_kube_proxy
    assert datapath.cilium(None, maps) is not None
    flannel = healthy()
    assert (
        datapath.cilium(cluster_fact(flannel, Workloads), cluster_fact(flannel, ConfigMaps)) is None
    )
    assert datapath.carries(node_fact(snapshot, "n1", Interfaces))
    assert not datapath.carries(node_fact(flannel, "n1", Interfaces))
    assert not datapath.carries(None)


@pytest.mark.parametrize("value", ["true", "strict", "True"])
def test_replacement_by_its_old_and_new_names(value: str) -> None:
    """Releases before 1.14 say strict."""
    found = datapath.cilium(None, cluster_fact(on_cilium(kube_proxy_replacement=value), ConfigMaps))
    assert found is not None
    assert found.replaces_kube_proxy


@pytest.mark.parametrize("check_id", ["ENC-04", "ENC-05", "RTE-02", "SVC-02", "SVC-06"])
def test_what_is_in_bpf_maps_is_unknown(check_id: str) -> None:
    """Neither a fault nor a pass; with a dead agent too."""
    snapshot = on_cilium()
    assert outcomes(check_id, snapshot) == {"Skipped"}
    for name in NAMES:
        snapshot = change_node(
            snapshot, name, Components, lambda c: dataclasses.replace(c, processes=())
        )
    assert outcomes(check_id, snapshot) == {"Skipped"}


@pytest.mark.parametrize("check_id", ["SVC-01", "SVC-09", "ENC-08", "ENC-07", "RTE-01", "POL-04"])
def test_what_flannel_and_kube_proxy_would_have_is_not_missed(check_id: str) -> None:
    """No kube-proxy, no KUBE- rule, no FDB entry, no annotation of flannel's."""
    assert findings(check_id, on_cilium()) == []


def test_without_the_agents_configuration_policies_count_as_enforced() -> None:
    """That is Cilium's default."""
    bare = change_cluster(on_cilium(), ConfigMaps, lambda _: ConfigMaps(()))
    found = datapath.cilium(cluster_fact(bare, Workloads), cluster_fact(bare, ConfigMaps))
    assert found is not None
    assert found.enforces_policies
