"""What the fleet view says for and against a finding."""

from __future__ import annotations

import dataclasses
from fnmatch import fnmatchcase

import pytest

from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.analysis.fleet_evidence import BEARINGS, speaks
from kubectl_netdoctor.analysis.trait_values import ASKED
from kubectl_netdoctor.checks.base import CLUSTER, Finding, Fix, evidence, node
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.path_mtu import PathMtus
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Sysctls
from tests.unit.analysis import fleets
from tests.unit.recorded import change_node, healthy, judged, node_fact, recorded, sysctl

FORWARD = "net.ipv4.ip_forward"
RP_FILTER = "net.ipv4.conf.all.rp_filter"


def finding(check_id: str, *names: str) -> Finding:
    """A finding about these nodes."""
    subjects = tuple(node(n) for n in names) or (CLUSTER,)
    return Finding("x", evidence("y"), Fix("z"), subjects=subjects, id=check_id)


def small_overlay(snapshot: Snapshot, name: str) -> Snapshot:
    """One node's overlay device with a smaller MTU."""

    def smaller(fact: PathMtus) -> PathMtus:
        items = (
            dataclasses.replace(p, device_mtu=1400) if p.role == "overlay" else p
            for p in fact.items
        )
        return dataclasses.replace(fact, items=tuple(items))

    return change_node(snapshot, name, PathMtus, smaller)


def test_an_outlier_in_its_area_speaks_for_it() -> None:
    """The recorded fault: the setting that only the blamed node has."""
    snapshot = recorded("ip_forward_off")
    first = judged(snapshot).findings[0].finding
    assert first.id == "RTE-09"
    pro, contra = speaks(first, fleet(snapshot))
    assert len(pro) == 1
    assert pro[0].startswith("net.ipv4.ip_forward: 0 on n3, 1 on 2 of 3 nodes that should be alike")
    assert contra == ()


@pytest.mark.parametrize(
    ("check_id", "fits"), [("MTU-02", True), ("DNS-13", True), ("RTE-09", False), ("SVC-01", False)]
)
def test_only_in_its_area(check_id: str, fits: bool) -> None:
    """An MTU says nothing of forwarding."""
    seen = fleet(small_overlay(healthy(), "n3"))
    pro, _ = speaks(finding(check_id, "n3"), seen)
    assert [s.split(":")[0] for s in pro] == (["overlay MTU"] if fits else [])


def test_a_kernel_of_its_own_speaks_for_damage() -> None:
    """And then nothing speaks against it, equal drivers or not."""
    pro, contra = speaks(finding("NIC-05", "n2"), fleet(fleets.kernel(healthy(), "n2")))
    assert len(pro) == 1
    assert pro[0].startswith("kernel: 5.4.0 on n2, 6.18.44-fc-v669 on 2 of 3 nodes")
    assert contra == ()


def test_an_outlier_that_is_not_blamed_says_nothing() -> None:
    """n1 has the old kernel, n2 the trouble: that the others work with theirs is told."""
    seen = fleet(fleets.kernel(fleets.of("n1", "n2", "n3", "n4"), "n1"))
    pro, contra = speaks(finding("NIC-05", "n2"), seen)
    assert pro == ()
    assert len(contra) == 1
    assert contra[0].startswith("kernel 6.18.44-fc-v669, NIC driver veth, ")
    assert ": the same as on n3, n4, where this was not found" in contra[0]


def test_a_trait_that_parts_nobody_is_no_evidence() -> None:
    """The outlier and a usual node are blamed alike."""
    seen = fleet(fleets.kernel(healthy(), "n2"))
    assert speaks(finding("NIC-05", "n2", "n3"), seen)[0] == ()


def test_what_is_blamed_and_no_different_elsewhere_speaks_against() -> None:
    """Strict filtering on all nodes, trouble on one."""
    snapshot = healthy()
    for name in ("n1", "n2", "n3"):
        snapshot = sysctl(snapshot, name, RP_FILTER, "1")
    pro, contra = speaks(finding("RTE-08", "n3"), fleet(snapshot))
    assert pro == ()
    assert len(contra) == 1
    assert contra[0].startswith("net.ipv4.conf.all.rp_filter 1, net.ipv4.conf.cni0.rp_filter 0, ")
    # n2 has no bridge yet: its value is not known, so it is no witness.
    assert contra[0].endswith(
        "the same as on n1, where this was not found; that alone is not the cause"
    )


def test_nodes_in_trouble_do_not_count_as_working() -> None:
    """Neither those that the finding names, nor others that are said to be."""
    seen = fleet(healthy())
    assert speaks(finding("RTE-08", "n1", "n2", "n3"), seen) == ((), ())
    assert speaks(finding("NIC-05", "n3"), seen, ("n1", "n2")) == ((), ())
    assert "the same as on n2, where" in speaks(finding("NIC-05", "n3"), seen, ("n1",))[1][0]


def test_nothing_is_said_against_where_one_of_the_settings_differs() -> None:
    """The bridge does not forward, while the node as a whole does: the other one proves nothing."""
    snapshot = healthy()
    for name, value in (("n1", "1"), ("n2", "1"), ("n3", "0")):
        snapshot = sysctl(snapshot, name, "net.ipv4.conf.cni0.forwarding", value)
    pro, contra = speaks(finding("RTE-09", "n3"), fleet(snapshot))
    assert [s.split(",")[0] for s in pro] == ["net.ipv4.conf.cni0.forwarding: 0 on n3"]
    assert contra == ()


def test_what_is_not_known_speaks_neither_way() -> None:
    """Of the blamed node, or of all others."""
    for gone in (("n3",), ("n1", "n2")):
        snapshot = healthy()
        for name in gone:
            snapshot = change_node(snapshot, name, Sysctls, lambda _: fleets.GONE)
        assert speaks(finding("RTE-09", "n3"), fleet(snapshot)) == ((), ())


def test_a_finding_about_no_node_is_left_alone() -> None:
    """The whole cluster has no outlier."""
    assert speaks(finding("NF-03"), fleet(healthy())) == ((), ())


def test_several_outliers_are_one_sentence() -> None:
    """Each with its value."""
    snapshot = fleets.of(*"abcdefg")
    snapshot = sysctl(sysctl(snapshot, "a", FORWARD, "0"), "b", FORWARD, "0")
    pro, _ = speaks(finding("RTE-09", "a", "b"), fleet(snapshot))
    assert len(pro) == 1
    assert "0 on a, 0 on b, 1 on 5 of 7 nodes" in pro[0]


def test_the_order_of_nodes_does_not_matter() -> None:
    """The same sentences from the same snapshot the other way round."""
    snapshot = fleets.kernel(healthy(), "n2")
    turned = dataclasses.replace(snapshot, nodes=snapshot.nodes[::-1])
    for check_id in catalogue():
        for name in ("n1", "n2"):
            one = finding(check_id, name)
            assert speaks(one, fleet(turned)) == speaks(one, fleet(snapshot))


def test_every_entry_of_the_table_means_something() -> None:
    """Its traits are read, its findings exist, and what is blamed also speaks for the finding."""
    sysctls = node_fact(healthy(), "n1", Sysctls).values
    names = {a.name for a in ASKED} | set(sysctls) | {"net.ipv4.conf.cni0.forwarding"}
    for bearing in BEARINGS:
        for pattern in bearing.traits:
            assert any(fnmatchcase(n, pattern) for n in names), pattern
        for pattern in (*bearing.findings, *bearing.blamed):
            assert any(fnmatchcase(i, pattern) for i in catalogue()), pattern
        for blamed in bearing.blamed:
            assert any(fnmatchcase(blamed, p) for p in bearing.findings), blamed
