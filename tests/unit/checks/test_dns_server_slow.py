"""DNS-20."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.facts.cluster import EndpointSlices
from kubectl_netdoctor.facts.dns_matrix import DnsCell
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes, PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import CpuTime, CpuTimes, Pressure, PressureLine
from tests.unit.dns_answers import NODES, endpoints, matrix, put, seen, servers, took, upstream
from tests.unit.recorded import (
    change_items,
    change_node,
    cluster_fact,
    findings,
    healthy,
    judged,
    outcomes,
    without,
)


def slow(late: list[str], milliseconds: float, *nodes: str) -> Snapshot:
    """These servers answer that much later, to the named nodes or to all."""
    return between({(n, s) for n in nodes or NODES for s in late}, milliseconds)


def between(late: set[tuple[str, str]], milliseconds: float) -> Snapshot:
    """The answers that these nodes get from these servers come that much later; CPUs are idle."""
    snapshot = healthy()
    for node in NODES:

        def cells(c: DnsCell, node: str = node) -> DnsCell:
            return took(c, milliseconds) if (node, c.server) in late else c

        def probes(p: DnsProbe, node: str = node) -> DnsProbe:
            if (node, p.server) not in late:
                return p
            return dataclasses.replace(p, rtt_ms=tuple(ms + milliseconds for ms in p.rtt_ms))

        snapshot = put(snapshot, node, matrix(cells))
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, probes))
    return on_cpus(snapshot)


def on_cpus(snapshot: Snapshot, *busy: str, waiting: float = 0.97, idle: int = 1) -> Snapshot:
    """The named nodes are short of CPU, the others have CPU to spare."""
    for node in NODES:
        wait, free = (waiting, idle) if node in busy else (0.1, 60)
        line = PressureLine(avg10=0.0, stalled_us=int(wait * 1e6))
        ticks = CpuTime(0, 100 - free, 0, 0, free, 0, 0, 0, 0)
        snapshot = put(snapshot, node, Pressure(1.0, {"cpu.some": line}))
        snapshot = put(snapshot, node, CpuTimes(1.0, (ticks,)))
    return snapshot


def home(server: str) -> str:
    """The node of a DNS pod of the recorded lab."""
    slices = cluster_fact(healthy(), EndpointSlices).items
    ends = (e for piece in slices for e in piece.endpoints if server in e.addresses)
    return next((str(e.node) for e in ends), "")


def test_one_slow_endpoint_is_its_pod() -> None:
    """The subject is the pod, the evidence has percentiles, and the others for comparison."""
    (found,) = findings("DNS-20", slow(endpoints()[:1], 300))
    assert found.subjects[0].kind == "Pod"
    assert found.severity == "high"
    assert "median 301 ms, 95th percentile" in found.evidence[0].text
    assert any(e.text.startswith("for comparison, 198.18.0.53") for e in found.evidence)
    assert "delete pod coredns-" in found.fix.commands[-1]
    (row,) = judged(slow(endpoints()[:1], 300)).findings
    assert row.finding.id == "DNS-20"


def test_all_endpoints_are_the_service() -> None:
    """One row, and it is not about a pod."""
    (found,) = findings("DNS-20", slow(endpoints(), 150))
    assert [s.kind for s in found.subjects] == ["Service"]
    assert found.severity == "medium"


def test_every_server_from_one_node_is_that_node() -> None:
    """Outside servers too: the asking node is slow."""
    (found,) = findings("DNS-20", slow([*endpoints(), upstream()], 300, "n3"))
    assert found.nodes == {"n3"}
    assert "this node" in found.title
    assert found.confidence == "likely"


def test_a_slow_upstream_shows_that_cluster_dns_is_not() -> None:
    """Where the milliseconds go: not to the endpoints."""
    (found,) = findings("DNS-20", slow([upstream()], 300))
    assert "node's resolver 198.18.0.53" in found.title
    assert found.severity == "medium"
    assert any("for comparison, coredns-" in e.text for e in found.evidence)


def test_only_the_cluster_ip_is_slow() -> None:
    """What lies before the endpoints: reported by itself when no endpoint is slow."""
    (found,) = findings("DNS-20", slow(["198.19.128.10"], 300, "n3"))
    assert found.nodes == {"n3"}
    assert found.title.startswith("Cluster DNS kube-dns")


@pytest.mark.parametrize(("late", "milliseconds"), [("endpoints", 60), ("upstream", 150)])
def test_not_so_slow(late: str, milliseconds: float) -> None:
    """A resolver that is a continent away, a pod on a busy node."""
    chosen = endpoints() if late == "endpoints" else [upstream()]
    assert findings("DNS-20", slow(chosen, milliseconds)) == []


def test_a_tail_is_no_median() -> None:
    """A third of the answers late."""

    def some(c: DnsCell) -> DnsCell:
        late = len(c.rtt_ms) // 3
        return dataclasses.replace(c, rtt_ms=(400.0,) * late + c.rtt_ms[late:])

    assert findings("DNS-20", seen(some)) == []


def test_a_busy_moment_is_no_slow_server() -> None:
    """Recorded on a starved machine: more than half late, in one burst, the others fast."""
    burst = (0.3, 0.4, 0.5, 0.6, 1.0, 9.0, 104.0, 120.0, 133.0, 142.0, 154.0, 178.0, 205.0, 223.0)

    def cells(c: DnsCell) -> DnsCell:
        return dataclasses.replace(c, rtt_ms=burst[: c.sent]) if c.server in endpoints() else c

    def probes(p: DnsProbe) -> DnsProbe:
        return dataclasses.replace(p, rtt_ms=burst[2 : 2 + p.sent])

    snapshot = seen(cells)
    for node in NODES:
        snapshot = change_node(snapshot, node, DnsProbes, change_items(DnsProbes, probes))
    assert findings("DNS-20", snapshot) == []


def test_a_slow_way_is_not_the_servers_fault() -> None:
    """Every packet between these nodes takes as long."""
    snapshot = slow(endpoints(), 200)

    def way(p: PathProbe) -> PathProbe:
        return dataclasses.replace(p, rtt_ms=tuple(ms + 190 for ms in p.rtt_ms))

    for node in NODES:
        snapshot = change_node(snapshot, node, PathProbes, change_items(PathProbes, way))
    own = [f for f in findings("DNS-20", snapshot) if len(f.nodes) > 1]
    assert own == []


def starved(*nodes: str) -> set[tuple[str, str]]:
    """What is late when nothing on these nodes gets a CPU in time: all that they ask or answer."""
    return {(n, s) for n in NODES for s in servers() if n in nodes or home(s) in nodes}


def test_a_starved_servers_node_is_named_and_the_server_is_not_blamed() -> None:
    """Its pod waits for a CPU: everybody gets late answers from it."""
    busy = home(endpoints()[0])
    for found in findings("DNS-20", on_cpus(between(starved(busy), 300), busy)):
        assert found.severity == "low"
        assert found.confidence == "possible"
        assert found.nodes == {busy}
        assert found.title == f"DNS answers come late, and {busy} is short of CPU"
        assert any("waited for a CPU in 97% of the window" in e.text for e in found.evidence)
    assert findings("DNS-20", on_cpus(between(starved(busy), 300), busy))


def test_nodes_that_are_all_starved_blame_nobody() -> None:
    """A loaded machine with all nodes on it: one hint, nothing at medium or above."""
    rows = judged(on_cpus(slow([*servers()], 300), *NODES)).findings
    (found,) = [r.finding for r in rows if r.finding.id == "DNS-20"]
    assert found.severity == "low"
    assert found.nodes == set(NODES)


def test_a_starved_asking_node_is_named() -> None:
    """All that it asks is late to it, and to nobody else."""
    asking = next(n for n in NODES if n not in {home(e) for e in endpoints()})
    (found,) = findings("DNS-20", on_cpus(slow([*servers()], 300, asking), asking))
    assert found.severity == "low"
    assert found.nodes == {asking}


def test_one_starved_node_does_not_explain_what_all_others_see() -> None:
    """The slow pod runs elsewhere, and is slow for those who have CPU to spare too."""
    one = endpoints()[0]
    busy = next(n for n in NODES if n != home(one))
    late = {(n, one) for n in NODES} | starved(busy)
    found = findings("DNS-20", on_cpus(between(late, 300), busy))
    assert [f.subjects[0].kind for f in found if f.severity == "high"] in (["Pod"], ["Service"])


def test_other_quick_answers_acquit_a_busy_node() -> None:
    """Every node of a small machine looks short of CPU while it is scanned, and answers in time."""
    (found,) = findings("DNS-20", on_cpus(slow(endpoints()[:1], 300), *NODES))
    assert found.subjects[0].kind == "Pod"
    assert found.severity == "high"
    assert found.confidence == "certain"


def test_answers_that_all_waited_for_one_moment_are_no_slow_server() -> None:
    """Each was asked later than the one before and waited less: that is a CPU, not a server."""
    one = endpoints()[0]

    def burst(p: DnsProbe) -> DnsProbe:
        if p.server != one:
            return p
        falling = tuple(700.0 - 60 * n for n in range(len(p.rtt_ms)))
        return dataclasses.replace(p, rtt_ms=falling)

    snapshot = slow(endpoints()[:1], 300)
    for name in NODES:
        snapshot = change_node(snapshot, name, DnsProbes, change_items(DnsProbes, burst))
    assert {f.severity for f in findings("DNS-20", snapshot)} == {"high"}
    assert {f.severity for f in findings("DNS-20", on_cpus(snapshot, *NODES))} == {"low"}


def test_a_pod_at_its_own_limit_waits_on_an_idle_node() -> None:
    """A throttled cgroup is pressure too, but no lack of CPUs."""
    found = findings("DNS-20", on_cpus(slow([*servers()], 300), *NODES, idle=60))
    assert {f.severity for f in found} == {"high"}


def test_unknown_cpus_leave_the_finding_and_take_the_certainty() -> None:
    """Unknown is neither starved nor idle."""
    blind = without(slow([*servers()], 300), Pressure, CpuTimes)
    (found,) = findings("DNS-20", blind)
    assert found.severity == "high"
    assert found.confidence == "likely"
    assert any("short of CPU is not known" in e.text for e in found.evidence)
    (known,) = findings("DNS-20", slow([*servers()], 300))
    assert known.confidence == "certain"


def test_nothing_is_claimed_without_the_matrix() -> None:
    """An older agent, or a node without cluster DNS."""
    assert findings("DNS-20", seen()) == []
    assert "Passed" in outcomes("DNS-20", seen())
    assert findings("DNS-20", healthy()) == []
