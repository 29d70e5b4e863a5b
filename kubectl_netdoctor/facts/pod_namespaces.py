"""What the network namespaces of a node's pods look like from the kernel, without a packet sent."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening TCP socket; `address` is `0.0.0.0` or `::` for all addresses."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class PodNamespace:
    """One network namespace that processes of the node run in, other than the node's own.

    `addresses`: the source that the kernel takes to the outside, of each family that has a route
    there; empty where a sandbox keeps its addresses for itself. `mtu`: the largest packet on that
    way, the route's own MTU included. `tables`: packet filter tables in it, of either backend.
    `age_seconds`: of the youngest process that was started from outside the namespace.
    """

    name: str  # the host name in /etc/hostname, which is the pod's unless it says otherwise
    addresses: tuple[str, ...]
    mtu: int | None
    listeners: tuple[Listener, ...]
    tables: tuple[str, ...]
    age_seconds: float


@fact("pod_namespaces")
@dataclass(frozen=True, slots=True)
class PodNamespaces:
    """All such namespaces at the window's end, and the addresses that they had at its start.

    `node_listeners`: those of the node's own namespace. `left_out`: namespaces beyond the bound or
    that could not be entered: nothing is known about them.
    """

    items: tuple[PodNamespace, ...]
    earlier: tuple[str, ...]
    node_listeners: tuple[Listener, ...]
    left_out: int

    def at(self, address: str) -> PodNamespace | None:
        """The namespace with that address."""
        return next((i for i in self.items if address in i.addresses), None)
