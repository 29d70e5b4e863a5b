"""SVC-02: rules that differ from the API, and differences that are none."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.analysis.engine import evaluate
from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.facts.cluster import ServicePort
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import (
    PORT,
    READY,
    RIGHT,
    A,
    B,
    C,
    endpoint,
    on_n3,
    piece,
    rules,
    settled,
    shop,
    with_rules,
    without_rules,
)
from tests.unit.recorded import (
    findings,
    healthy,
    recorded,
)


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
