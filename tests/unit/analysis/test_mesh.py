"""Who probes whom: everybody in small clusters; in large ones few, and nobody is left out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.mesh import FAR, FULL, NEAR, RING, ZONE, Mesh
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes


def cluster(count: int, zones: int = 3) -> Nodes:
    """So many nodes, spread over zones."""
    return Nodes(
        tuple(
            NodeInfo(
                name=f"worker-{number}",
                created="2026-01-01T00:00:00Z",
                internal_ips=(f"10.1.{number >> 8}.{number & 255}",),
                pod_cidrs=(),
                annotations={},
                labels={ZONE: f"z{number % zones}"} if zones else {},
                unschedulable=False,
                taints=(),
                conditions=(),
                kubelet_version="v1.34.0",
                kernel_version="6.1",
                os_image="",
                container_runtime="",
                lease_renewed=None,
            )
            for number in range(count)
        )
    )


def pairs(nodes: Nodes, scanned: list[str], run: str = "r1") -> dict[str, set[str]]:
    """Peers by node."""
    mesh = Mesh(nodes, scanned, run)
    return {name: {p.name for p in mesh.peers(name)} for name in scanned}


def names(nodes: Nodes) -> list[str]:
    """All nodes."""
    return [n.name for n in nodes.items]


@given(st.integers(1, FULL))
def test_small_clusters_are_meshed_fully(count: int) -> None:
    """Up to ten nodes, also when one alone is scanned."""
    nodes = cluster(count)
    everybody = set(names(nodes))
    assert pairs(nodes, names(nodes)) == {n: everybody - {n} for n in everybody}
    assert pairs(nodes, ["worker-0"]) == {"worker-0": everybody - {"worker-0"}}


@given(st.integers(FULL + 1, 120), st.integers(0, 4))
def test_in_large_clusters_everybody_is_probed_by_at_least_three(count: int, zones: int) -> None:
    """And nobody probes more than a handful, or itself."""
    nodes = cluster(count, zones)
    found = pairs(nodes, names(nodes))
    assert all(RING <= len(peers) <= RING + NEAR + FAR for peers in found.values())
    assert all(name not in peers for name, peers in found.items())
    times = Counter(peer for peers in found.values() for peer in peers)
    assert all(times[name] >= 3 for name in found)


def test_both_zones_are_among_the_peers() -> None:
    """A node's own zone and others."""
    nodes = cluster(60)
    zone = {n.name: n.labels[ZONE] for n in nodes.items}
    for name, peers in pairs(nodes, names(nodes)).items():
        assert zone[name] in {zone[p] for p in peers}
        assert {zone[p] for p in peers} - {zone[name]}


def test_few_scanned_nodes_of_a_large_cluster_probe_each_other() -> None:
    """What was asked about is measured in full, and some others as well."""
    chosen = ["worker-3", "worker-50", "worker-90"]
    for name, peers in pairs(cluster(100), chosen).items():
        assert set(chosen) - {name} <= peers
        assert len(peers) > len(chosen)


def test_a_run_is_repeatable_and_the_next_one_has_other_pairs() -> None:
    """The seed is the run."""
    nodes = cluster(100)
    assert pairs(nodes, names(nodes)) == pairs(nodes, names(nodes))
    assert pairs(nodes, names(nodes)) != pairs(nodes, names(nodes), run="r2")


def test_a_thousand_nodes_are_quick() -> None:
    """No pair is looked at twice: the number of peers is bounded for each."""
    nodes = cluster(1000)
    found = pairs(nodes, names(nodes))
    assert sum(map(len, found.values())) <= 1000 * (RING + NEAR + FAR)


def test_without_nodes_nobody_is_probed() -> None:
    """The API refused, or the scan is local."""
    assert Mesh(Missing(Reason.DENIED, ""), ["a"], "r1").peers("a") == ()
