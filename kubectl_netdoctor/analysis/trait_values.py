"""What is compared between nodes: each trait with how its value is read from one node's facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from kubectl_netdoctor.analysis.clock import clocks
from kubectl_netdoctor.checks.network_agent_down import AGENTS
from kubectl_netdoctor.checks.service_proxy import proxies, unread
from kubectl_netdoctor.checks.sysctl_drift import BY_MEMORY
from kubectl_netdoctor.facts.base import KEYS, Missing
from kubectl_netdoctor.facts.cluster import NodeInfo, Nodes, PodInfo, Pods
from kubectl_netdoctor.facts.envelope import Envelope
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.link import Addresses, Interface, Interfaces
from kubectl_netdoctor.facts.netfilter import Conntrack, Iptables, Nftables
from kubectl_netdoctor.facts.path_mtu import MtuRole, PathMtus
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import Components, Kernel, Sysctls

F = TypeVar("F")

OFFLOADS = (
    "rx-checksum",
    "tx-checksum-ip-generic",
    "tx-checksum-ipv4",
    "tx-tcp-segmentation",
    "tx-udp_tnl-segmentation",
    "tx-udp_tnl-csum-segmentation",
    "rx-gro",
    "rx-gro-hw",
    "rx-lro",
)
"""Features that can damage packets, or change what reaches the wire; the others are only speed."""
KUBE_PROXY = (("k8s-app", "kube-proxy"), ("component", "kube-proxy"))


class Alike(Enum):
    """Between which nodes a trait should agree."""

    POOL = "those of one pool"
    SIZE = "those of one pool with as many CPUs"
    NEVER = "none: it is a state, or a size"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one node; None is not known."""

    info: NodeInfo | None
    pods: tuple[PodInfo, ...]
    clock: str | None
    envelope: Envelope | None

    def fact(self, cls: type[F]) -> F | None:
        """One fact."""
        found = self.envelope.get(KEYS[cls]) if self.envelope else None
        return found if isinstance(found, cls) else None

    def device(self, role: MtuRole) -> tuple[str, int] | None:
        """The device that leads to other nodes, or to their pods, and its MTU."""
        sizes, links = self.fact(PathMtus), self.fact(Interfaces)
        used = {(p.device, p.device_mtu) for p in (sizes.items if sizes else ()) if p.role == role}
        if used or role != "node":
            return min(used, key=lambda u: (u[1], u[0]), default=None)
        addresses, own = self.fact(Addresses), self.info.internal_ips if self.info else ()
        held = (a.interface for a in (addresses.items if addresses else ()) if a.address in own)
        link = next((i for name in held if links and (i := links.named(name))), None)
        return (link.name, link.mtu) if link else None

    def link(self, role: MtuRole) -> Interface | None:
        """That device as the kernel describes it."""
        device, links = self.device(role), self.fact(Interfaces)
        return links.named(device[0]) if device and links else None


@dataclass(frozen=True, slots=True)
class Asked:
    """One trait and how it is read; None: not known."""

    group: str
    name: str
    read: Callable[[Known], str | None]
    alike: Alike = Alike.POOL


def _of(cls: type[F], read: Callable[[F], Any]) -> Callable[[Known], str | None]:
    """A trait that stands in one fact."""

    def value(known: Known) -> str | None:
        fact = known.fact(cls)
        return (str(read(fact)) or None) if fact is not None else None

    return value


def _api(read: Callable[[NodeInfo], str]) -> Callable[[Known], str | None]:
    """A trait that the API says of a node."""
    return lambda known: (read(known.info) or None) if known.info else None


def _link(role: MtuRole, read: Callable[[Interface], object]) -> Callable[[Known], str | None]:
    """A trait of the NIC or the overlay's device."""

    def value(known: Known) -> str | None:
        link = known.link(role)
        found = read(link) if link else None
        return None if found is None else str(found)

    return value


def _device(role: MtuRole, part: int) -> Callable[[Known], str | None]:
    return lambda known: str(found[part]) if (found := known.device(role)) else None


def _offload(feature: str) -> Callable[[Interface], str | None]:
    """A feature that an answering driver does not list is off and stays off."""
    return lambda link: ("on" if link.offloads.get(feature) else "off") if link.offloads else None


def _image(*labels: tuple[str, str]) -> Callable[[Known], str | None]:
    """Image of the pod with one of these labels; during a roll-out there may be two."""

    def value(known: Known) -> str | None:
        pods = [p for p in known.pods if any(p.labels.get(k) == v for k, v in labels)]
        images = {i for p in pods if not p.deleting for i in p.images}
        return ", ".join(sorted(images)) or None

    return value


def _backend(known: Known) -> str | None:
    """The iptables backends that have rules."""
    fact = known.fact(Iptables)
    if fact is None or unread(fact):
        return None
    sets = (("legacy", fact.legacy), ("nft", fact.nft))
    used = [n for n, s in sets if not isinstance(s, Missing) and any(c.rules for c in s.chains)]
    return " and ".join(used) or "none"


def _proxy(known: Known) -> str | None:
    """The proxy modes that have rules, or what translates Services in kube-proxy's place."""
    links = known.fact(Interfaces)
    iptables, nftables = known.fact(Iptables), known.fact(Nftables)
    found = proxies(iptables, nftables, links, known.fact(Components))
    if found.instead:
        return found.instead
    if iptables is None or nftables is None or links is None or unread(iptables):
        return None
    return " and ".join(found.modes) or "none"


def _system(kernel: Kernel) -> str:
    return f"{kernel.distribution or ''} {kernel.distribution_version or ''}".strip()


_NEVER = Alike.NEVER
ASKED = (
    Asked("Machine", "kernel", _of(Kernel, lambda k: k.release)),
    Asked("Machine", "architecture", _of(Kernel, lambda k: k.machine)),
    Asked("Machine", "system", _of(Kernel, _system)),
    Asked("Machine", "CPUs", _of(Kernel, lambda k: k.cpus), _NEVER),
    Asked("Machine", "memory", _of(Kernel, lambda k: f"{k.memory_bytes / 2**30:.1f} GiB"), _NEVER),
    Asked("Machine", "hypervisor", _of(Kernel, lambda k: k.hypervisor or "none seen")),
    Asked("Machine", "uptime", _of(Kernel, lambda k: f"{k.uptime_seconds / 86400:.1f} d"), _NEVER),
    Asked("Machine", "clock", lambda known: known.clock),
    Asked("Kubernetes", "ready", _api(lambda i: "yes" if i.ready else "no"), _NEVER),
    Asked("Kubernetes", "schedulable", _api(lambda i: "no" if i.unschedulable else "yes"), _NEVER),
    Asked("Kubernetes", "kubelet", _api(lambda i: i.kubelet_version)),
    Asked("Kubernetes", "container runtime", _api(lambda i: i.container_runtime)),
    Asked("Kubernetes", "kube-proxy image", _image(*KUBE_PROXY)),
    Asked("Kubernetes", "network agent image", _image(*(a.label for a in AGENTS))),
    Asked("Network", "Service proxy", _proxy),
    Asked("Network", "iptables backend", _backend),
    Asked("Network", "conntrack limit", _of(Conntrack, lambda c: c.limit), Alike.SIZE),
    Asked("Network", "NIC", _device("node", 0)),
    Asked("Network", "NIC MTU", _device("node", 1)),
    Asked("Network", "NIC driver", _link("node", lambda i: i.driver)),
    Asked("Network", "NIC kind", _link("node", lambda i: i.kind)),
    *(Asked("Network", f"NIC {name}", _link("node", _offload(name))) for name in OFFLOADS),
    Asked("Network", "overlay device", _device("overlay", 0)),
    Asked("Network", "overlay MTU", _device("overlay", 1)),
    Asked("Network", "overlay kind", _link("overlay", lambda i: i.kind)),
    Asked(
        "Network",
        "overlay VNI, port",
        _link("overlay", lambda i: f"{i.vxlan.vni}, {i.vxlan.port}" if i.vxlan else None),
    ),
    Asked(
        "Network",
        "overlay tx-checksum-ip-generic",
        _link("overlay", _offload("tx-checksum-ip-generic")),
    ),
)


def known_of(snapshot: Snapshot) -> dict[str, Known]:
    """All that is known of each node that was asked."""
    nodes, pods = snapshot.cluster_fact(KEYS[Nodes]), snapshot.cluster_fact(KEYS[Pods])
    infos = {i.name: i for i in nodes.items} if isinstance(nodes, Nodes) else {}
    by_node: dict[str, list[PodInfo]] = {}
    for pod in pods.items if isinstance(pods, Pods) else ():
        by_node.setdefault(pod.node or "", []).append(pod)
    envelopes = {r.name: r.envelope for r in snapshot.nodes}
    facts = {n: e.get(KEYS[Hops]) for n, e in envelopes.items() if e}
    times = clocks({n: h for n, h in facts.items() if isinstance(h, Hops)})
    return {
        n: Known(infos.get(n), tuple(by_node.get(n, ())), times.get(n), envelope)
        for n, envelope in envelopes.items()
    }


def asked(known: Mapping[str, Known]) -> Iterator[Asked]:
    """All traits in the order of reports: the fixed ones, then every kernel parameter."""
    yield from ASKED
    facts = (k.fact(Sysctls) for k in known.values())
    for name in sorted({name for fact in facts if fact for name in fact.values}):
        alike = Alike.NEVER if name in BY_MEMORY else Alike.POOL
        yield Asked("Kernel parameters", name, _sysctl(name), alike)


def _sysctl(name: str) -> Callable[[Known], str | None]:
    return lambda known: fact.get(name) if (fact := known.fact(Sysctls)) else None
