"""SVC-06."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.checks.base import Confidence, Severity
from kubectl_netdoctor.facts.base import KEYS, Missing, Reason
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.promiscuity import Promiscuous
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components
from tests.unit.recorded import change_node, findings, healthy, outcomes


def ports(hairpin: dict[str, bool | None], kind: str = "bridge") -> Snapshot:
    """n3 with these pod ports on its bridge, which is not promiscuous."""

    def change(fact: Interfaces) -> Interfaces:
        rest = [dataclasses.replace(i, kind=kind) if i.name == "cni0" else i for i in fact.items]
        port: Interface = next(i for i in fact.items if i.hairpin is not None)
        rest = [i for i in rest if i.hairpin is None]
        new = [
            dataclasses.replace(port, index=100 + n, name=name, hairpin=mode)
            for n, (name, mode) in enumerate(hairpin.items())
        ]
        return Interfaces((*rest, *new))

    return promiscuous(change_node(healthy(), "n3", Interfaces, change))


def promiscuous(snapshot: Snapshot, *names: str) -> Snapshot:
    """n3 with these promiscuous links."""
    return fact(snapshot, Promiscuous(names))


def fact(snapshot: Snapshot, value: object) -> Snapshot:
    """n3 with that fact, which the recorded nodes do not have."""
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        if report.name == "n3" and envelope is not None:
            facts = {**envelope.facts, KEYS[Promiscuous]: value}
            envelope = dataclasses.replace(envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def test_a_port_without_it_among_others_is_certain() -> None:
    """The CNI wants it on, and one pod has it not."""
    (found,) = findings("SVC-06", ports({"veth1": True, "veth2": False}))
    assert found.severity is Severity.LOW
    assert found.confidence is Confidence.CERTAIN
    assert "1 of 2 pod ports of cni0: veth2" in found.evidence[0].text
    assert found.fix.commands == ("bridge link set dev veth2 hairpin on",)


def test_no_port_with_it_is_likely() -> None:
    """Nobody set it, as in a CNI configuration without hairpinMode."""
    (found,) = findings("SVC-06", ports({"veth1": False}))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.LIKELY


def test_a_promiscuous_bridge_needs_none() -> None:
    """Kubenet's other way."""
    assert findings("SVC-06", promiscuous(ports({"veth1": False}), "cni0")) == []


def test_ports_that_have_it_are_silent() -> None:
    """As flannel sets them."""
    assert findings("SVC-06", healthy()) == []


def test_routed_pods_are_silent() -> None:
    """No bridge: the packet is routed back by nature."""
    assert findings("SVC-06", ports({"veth1": False}, kind="dummy")) == []


def test_cilium_loops_back_by_itself() -> None:
    """In chaining mode a bridge may be there."""
    chained = change_node(
        ports({"veth1": False}), "n3", Components, lambda _: Components(("cilium-agent",), None)
    )
    assert findings("SVC-06", chained) == []


def test_an_unknown_bridge_mode_is_unknown() -> None:
    """An older agent does not say whether the bridge is promiscuous."""
    unknown = fact(ports({"veth1": False}), Missing(Reason.NOT_ASKED, "older agent"))
    assert findings("SVC-06", unknown) == []
    assert "Skipped" in outcomes("SVC-06", unknown)
