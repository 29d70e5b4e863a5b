"""MTU-04."""

from __future__ import annotations

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.path_mtu import PathMtu
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces
from tests.unit.path_sizes import device, measured, over, silent, under
from tests.unit.recorded import findings, judged, outcomes, without

Both = dict[tuple[str, str], tuple[PathMtu, ...]]


def small_nic() -> Both:
    """n3's NIC is 1400, its tunnel kept 1450: what is sent to it is lost."""
    found: Both = {}
    for other in ("n1", "n2"):
        found[other, "n3"] = (under("n3", silent(1404)), over("n3", silent(1354, 1450)))
        found["n3", other] = (under(other, nic=1400), over(other, silent(1354, 1450)))
    return found


def half_jumbo(inner: int) -> Both:
    """n1 and n2 have jumbo frames, n3 has none; tunnels of that size on the two."""
    found: Both = {}
    for other in ("n1", "n2"):
        outer = under("n3", silent(1500, 9000), nic=9000)
        large = over("n3", silent(1450, inner), mtu=inner) if inner > 1450 else over("n3")
        found[other, "n3"] = (outer, large)
        found["n3", other] = (under(other), over(other))
    found["n1", "n2"] = (under("n2", nic=9000), over("n2", mtu=inner))
    found["n2", "n1"] = (under("n1", nic=9000), over("n1", mtu=inner))
    return found


def test_the_odd_node_is_named_and_explains_its_own_arithmetic() -> None:
    """One cause: n3's NIC; that its tunnel and its pods no longer fit follows from it."""
    snapshot = device(measured(small_nic()), "n3", "eth0", 1400)
    (found,) = findings("MTU-04", snapshot)
    assert (set(found.nodes), found.severity) == ({"n3"}, Severity.HIGH)
    assert found.evidence[0].text == "eth0: n1 1500, n2 1500, n3 1400"
    assert "flannel.1 says 1450; 1354 passes, 1355 vanishes" in found.evidence[1].text
    rows = judged(snapshot).findings
    assert [r.finding.id for r in rows if r.caused_by is None] == ["MTU-04"]
    assert [r.finding.id for r in rows if r.caused_by] == ["MTU-01", "MTU-06"]
    tunnel_only = judged(without(snapshot, PodNamespaces)).findings
    assert [r.finding.id for r in tunnel_only if r.caused_by] == ["MTU-01"]


def test_half_done_jumbo_loses_udp_only() -> None:
    """TCP between pods agrees on the smaller segment: medium."""
    (found,) = findings("MTU-04", measured(half_jumbo(8950)))
    assert (set(found.nodes), found.severity) == ({"n3"}, Severity.MEDIUM)
    assert findings("MTU-03", measured(half_jumbo(8950))) == []


def test_different_nics_without_oversize_traffic_are_silent() -> None:
    """Equal tunnels: nobody sends what the smaller NIC cannot take."""
    assert findings("MTU-04", measured(half_jumbo(1450))) == []
    assert findings("MTU-03", measured(half_jumbo(1450))) == []


def test_equal_nics_are_not_this_fault() -> None:
    """A switch between them is MTU-03."""
    both = {("n3", "n1"): (under("n1", silent(1404)), over("n1", silent(1354, 1450)))}
    assert findings("MTU-04", measured(both)) == []


def test_two_nodes_that_differ_are_both_named() -> None:
    """Without a majority nobody is right."""
    found: Both = {
        ("n1", "n3"): (under("n3", silent(1404)), over("n3", silent(1354, 1450))),
        ("n3", "n1"): (under("n1", nic=1400), over("n1", silent(1354, 1450))),
        ("n3", "n2"): (under("n2", nic=1400),),
    }
    (row,) = findings("MTU-04", measured(found, nodes=("n1", "n3")))
    assert row.nodes in ({"n1", "n3"}, {"n3"})


def test_one_node_says_nothing() -> None:
    """There is nothing to compare with."""
    assert outcomes("MTU-04", measured(small_nic(), nodes=("n3",))) == {"Skipped"}
