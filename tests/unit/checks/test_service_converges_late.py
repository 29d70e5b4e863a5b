"""SVC-12: the run's own Service, in time, late or never."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_netdoctor.checks.base import Finding, PerNode, Severity
from kubectl_netdoctor.checks.service_converges_late import service_converges_late
from kubectl_netdoctor.facts.own_service import OwnService, ServiceTries
from kubectl_netdoctor.facts.pod_probe import PodPathProbe, PodProbes

SOON = OwnService(
    address="192.0.2.80",
    port=46847,
    waited=0.2,
    seconds=0.2,
    node=ServiceTries(2, 1, {"refused": 1}),
    hairpin=ServiceTries(5, 5, {}),
    inside=None,
)
NEVER: dict[str, Any] = {
    "seconds": None,
    "waited": 15.0,
    "node": ServiceTries(25, 0, {"timeout": 25}),
    "hairpin": None,
}


def pods(name: str, received: int = 5) -> PodProbes:
    """The node's own companion, asked directly."""
    probe = PodPathProbe(
        vantage="node",
        peer=name,
        role="companion",
        protocol="tcp",
        address="192.0.2.9",
        port=46847,
        sent=5,
        received=received,
        rtt_ms=(),
        errors={},
    )
    return PodProbes(0.5, "192.0.2.9", None, (probe,), (), "1", "1")


def found(received: int = 5, **changes: Any) -> list[Finding]:
    """Findings where n1 is soon and n2 is as said."""
    own = PerNode({"n1": SOON, "n2": dataclasses.replace(SOON, **changes)})
    direct = PerNode({n: pods(n, received) for n in own})
    return list(service_converges_late(own, direct))


def test_in_time_is_advice_with_the_times() -> None:
    """What was asked for gets an answer."""
    (row,) = found()
    assert row.severity is Severity.INFO
    assert {e.node for e in row.evidence} == {"n1", "n2"}
    assert "0.2 s" in row.evidence[0].text


def test_never_on_one_node() -> None:
    """Its backend answers directly: the rules are missing."""
    (row,) = found(**NEVER)
    assert row.severity is Severity.HIGH
    assert [s.name for s in row.subjects] == ["n2"]
    assert "25 timeout" in row.evidence[1].text


def test_late_is_less_than_never() -> None:
    """Seconds, where kube-proxy gathers changes for one."""
    (row,) = found(seconds=9.0, waited=9.0)
    assert row.severity is Severity.MEDIUM
    assert "9.0 s" in row.evidence[1].text


@pytest.mark.parametrize(
    "changes",
    [{**NEVER, "received": 0}, {**NEVER, "waited": 3.0}, {"seconds": 4.0, "waited": 4.0}],
    ids=["the backend is silent too", "too little time", "a busy node"],
)
def test_look_alikes(changes: dict[str, Any]) -> None:
    """None of these is the rules' fault."""
    assert all(f.severity is Severity.INFO for f in found(**changes))
