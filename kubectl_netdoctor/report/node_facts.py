"""What nodes are and how they are set up, property by property, with what most of them have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes
from kubectl_netdoctor.facts.link import Interface, Interfaces
from kubectl_netdoctor.facts.path_mtu import PathMtus
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Kernel, Sysctls

LEAST = 3  # nodes that make a majority


@dataclass(frozen=True, slots=True)
class Property:
    """One property of all nodes that have it. `comparable`: equal on nodes that are alike."""

    group: str
    name: str
    values: dict[str, str]
    comparable: bool = True

    @property
    def usual(self) -> str | None:
        """What at least two thirds of at least three nodes have, None where there is no such."""
        if len(self.values) < LEAST or not self.comparable:
            return None
        value, count = Counter(self.values.values()).most_common(1)[0]
        return value if count * 3 >= len(self.values) * 2 else None

    @property
    def odd(self) -> dict[str, str]:
        """Nodes that differ from the usual."""
        usual = self.usual
        return {} if usual is None else {n: v for n, v in self.values.items() if v != usual}


def properties(snapshot: Snapshot) -> list[Property]:
    """All properties that any node has, by group."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    for report in snapshot.nodes:
        for group, name, value in _of(snapshot, report.name):
            table.setdefault((group, name), {})[report.name] = value
    groups = list(dict.fromkeys(group for group, _ in table))
    return [
        Property(group, name, values, comparable=name not in ("uptime", "agent", "answer"))
        for group, name, values in sorted(
            ((g, n, v) for (g, n), v in table.items()), key=lambda row: groups.index(row[0])
        )
    ]


def _of(snapshot: Snapshot, node: str) -> Iterator[tuple[str, str, str]]:
    kernel = snapshot.node_fact(node, KEYS[Kernel])
    if isinstance(kernel, Kernel):
        yield from (("Machine", name, value) for name, value in _machine(kernel) if value)
    nodes = snapshot.cluster_fact(KEYS[Nodes])
    info = nodes.named(node) if isinstance(nodes, Nodes) else None
    if info:
        yield from (("Kubernetes", name, value) for name, value in _kubernetes(info) if value)
    yield from (("Network", name, value) for name, value in _network(snapshot, node))
    sysctls = snapshot.node_fact(node, KEYS[Sysctls])
    if isinstance(sysctls, Sysctls):
        for name in sorted(sysctls.values):
            if (value := sysctls.get(name)) is not None:
                yield "Kernel parameters", name, value


def _machine(kernel: Kernel) -> Iterator[tuple[str, str]]:
    yield "kernel", kernel.release
    yield "architecture", kernel.machine
    yield "system", f"{kernel.distribution or ''} {kernel.distribution_version or ''}".strip()
    yield "CPUs", str(kernel.cpus)
    yield "memory", f"{kernel.memory_bytes / (1 << 30):.1f} GiB"
    yield "hypervisor", kernel.hypervisor or "none seen"
    yield "uptime", f"{kernel.uptime_seconds / 86400:.1f} d"


def _kubernetes(info: NodeInfo) -> Iterator[tuple[str, str]]:
    yield "ready", "yes" if info.ready else "no"
    yield "kubelet", info.kubelet_version
    yield "container runtime", info.container_runtime
    yield "schedulable", "no" if info.unschedulable else "yes"


def _network(snapshot: Snapshot, node: str) -> Iterator[tuple[str, str]]:
    sizes = snapshot.node_fact(node, KEYS[PathMtus])
    links = snapshot.node_fact(node, KEYS[Interfaces])
    for role, name in (("node", "NIC"), ("overlay", "overlay device")):
        used = {
            (m.device, m.device_mtu)
            for m in (sizes.items if isinstance(sizes, PathMtus) else ())
            if m.role == role
        }
        if used:
            yield name, ", ".join(sorted(device for device, _ in used))
            yield f"{name}: MTU", ", ".join(sorted(str(mtu) for _, mtu in used))
        device = links.named(min(used)[0]) if used and isinstance(links, Interfaces) else None
        if device:
            yield from _link(name, device)


def _link(name: str, link: Interface) -> Iterator[tuple[str, str]]:
    if link.driver:
        yield f"{name}: driver", link.driver
    if link.kind:
        yield f"{name}: kind", link.kind
    if link.vxlan:
        yield f"{name}: VNI, port", f"{link.vxlan.vni}, {link.vxlan.port}"
