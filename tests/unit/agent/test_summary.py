"""The termination message fits the kubelet's limit, and large facts are not tried."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netdoctor.agent import summary
from kubectl_netdoctor.facts import codec, envelope
from kubectl_netdoctor.facts.base import FACTS, Missing, Reason
from kubectl_netdoctor.facts.link import Route, Routes
from kubectl_netdoctor.facts.system import Sysctls
from tests.fixtures.plans import NODE_FACTS
from tests.fixtures.recorded import NODES, facts_of


def report(facts: dict[str, Any]) -> envelope.Envelope:
    """An envelope with these facts."""
    return envelope.Envelope(1, "r", "n", "0", "", "", facts, {}, ())


def route(number: int) -> Route:
    """One of many routes."""
    return Route(
        family=4,
        destination=f"10.{number >> 8}.{number & 255}.0/24",
        gateway=None,
        interface="eth0",
        table=254,
        kind="unicast",
        protocol="boot",
        scope="global",
        metric=0,
        source=None,
        mtu=None,
        onlink=False,
    )


def test_every_fact_has_its_place() -> None:
    """A new fact must be given a place in the order."""
    assert set(summary.ORDER) == set(NODE_FACTS)


def test_a_whole_node_fits() -> None:
    """Of a recorded node the decisive facts arrive."""
    facts: dict[str, Any] = {
        key: codec.decode(FACTS[key].cls, {"window_seconds": 1.0, **value})
        if "window_seconds" in FACTS[key].cls.__annotations__
        else codec.decode(FACTS[key].cls, value)
        for key, value in facts_of(NODES / "lab-flannel").items()
    }
    text = summary.termination_message(report(facts))
    assert len(text) <= envelope.TERMINATION_MESSAGE_BYTES
    arrived = envelope.unsummarize(text).facts
    for key in ("sysctls", "conntrack", "kernel", "interfaces", "routes", "fdb", "resolver"):
        assert arrived[key] == facts[key]


@pytest.mark.parametrize("count", [100, 20_000])
def test_large_facts_give_way(count: int) -> None:
    """A fact that cannot fit does not keep the smaller ones out."""
    facts: dict[str, Any] = {
        "routes": Routes(tuple(route(number) for number in range(count)), 0),
        "sysctls": Sysctls({"net.ipv4.ip_forward": "1"}),
        "rules": Missing(Reason.FAILED, "broken"),
    }
    arrived = envelope.unsummarize(summary.termination_message(report(facts))).facts
    assert arrived["sysctls"] == facts["sysctls"]
    assert arrived["rules"] == facts["rules"]
    assert (arrived["routes"] == facts["routes"]) is (count == 100)
