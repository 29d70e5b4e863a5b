"""MTU-05."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.pod_namespaces import PodNamespaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.pod_sockets import pod, with_pods
from tests.unit.recorded import (
    change_items,
    change_node,
    findings,
    healthy,
    judged,
    outcomes,
    without,
)


def tunnel(snapshot: Snapshot, **changes: object) -> Snapshot:
    """n3 with another tunnel device."""

    def change(link: Interface) -> Interface:
        if link.name != "flannel.1" or link.vxlan is None:
            return link
        external = bool(changes.get("external"))
        return dataclasses.replace(
            link,
            mtu=int(str(changes.get("mtu", link.mtu))),
            vxlan=dataclasses.replace(link.vxlan, external=external),
        )

    return change_node(snapshot, "n3", Interfaces, change_items(Interfaces, change))


def test_old_pods_are_named_and_new_ones_are_not() -> None:
    """The overlay was lowered to 1400; one pod is newer than that."""
    pods = (pod("old", "198.19.2.7"), pod("new", "198.19.2.8", mtu=1400))
    snapshot = tunnel(with_pods(*pods), mtu=1400)
    (found,) = findings("MTU-05", snapshot)
    assert found.title == "2 of 3 pods have a larger MTU than the overlay"
    said = [e.text for e in found.evidence]
    assert "flannel.1 says 1400" in said
    assert "pod old (198.19.2.7): 1450" in said
    assert not any("pod new" in text for text in said)
    rows = judged(snapshot).findings
    assert next(r for r in rows if r.finding.id == "MTU-05").caused_by is None


def test_a_smaller_mtu_is_meant_so() -> None:
    """A VPN sidecar, or the device's own."""
    assert findings("MTU-05", with_pods(pod("vpn", "198.19.2.7", mtu=1280))) == []


def test_another_containers_namespace_is_not_a_pod() -> None:
    """A container that the node runs for itself has its own bridge."""
    assert findings("MTU-05", with_pods(pod("docker", "172.17.0.2", mtu=1500))) == []


def test_metadata_mode_is_not_compared() -> None:
    """Cilium's device says nothing about pods."""
    snapshot = tunnel(with_pods(pod("large", "198.19.2.7", mtu=1500)), external=True)
    assert findings("MTU-05", snapshot) == []


def test_silence() -> None:
    """The healthy lab; and a node without the fact proves nothing."""
    assert outcomes("MTU-05", with_pods()) == {"Passed"}
    assert outcomes("MTU-05", healthy()) == {"Passed"}
    assert outcomes("MTU-05", without(healthy(), PodNamespaces)) == {"Skipped"}
