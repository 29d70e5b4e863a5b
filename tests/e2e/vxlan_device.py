"""The VXLAN device of the node, and what the cluster is told of it: parts of faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.faults import NODE, wait_for
from tests.lab import Lab

VTEP = "flannel.1"


@contextmanager
def frozen_flannel(lab: Lab) -> Iterator[None]:
    """The CNI's agent repairs nothing meanwhile."""
    lab.on(NODE, "pkill", "-STOP", "flanneld")
    try:
        yield
    finally:
        lab.on(NODE, "pkill", "-CONT", "flanneld")


def vtep_state(lab: Lab, node: str = NODE) -> list[tuple[str, ...]]:
    """Commands that write the device's neighbours, forwarding entries and routes again."""
    commands: list[tuple[str, ...]] = []
    for line in lab.on(node, "ip", "neigh", "show", "dev", VTEP).splitlines():
        address, _, mac, *_ = line.split()
        neighbour = (address, "lladdr", mac, "dev", VTEP, "nud", "permanent")
        commands.append(("ip", "neigh", "replace", *neighbour))
    for line in lab.on(node, "bridge", "fdb", "show", "dev", VTEP).splitlines():
        mac, _, address, *_ = line.split()
        entry = (mac, "dev", VTEP, "dst", address, "self", "permanent")
        commands.append(("bridge", "fdb", "replace", *entry))
    for line in lab.on(node, "ip", "route", "show", "dev", VTEP).splitlines():
        destination, _, gateway, *_ = line.split()
        route = (destination, "via", gateway, "dev", VTEP, "onlink")
        commands.append(("ip", "route", "replace", *route))
    return commands


def make_vtep(
    lab: Lab,
    mac: str,
    entries: list[tuple[str, ...]],
    *settings: str,
    local: str = "",
    parent: str = "eth0",
) -> None:
    """Replace the VXLAN device; the kernel would give the new one accept_ra=1, flannel's has 0."""
    accept_ra = f"/proc/sys/net/ipv6/conf/{VTEP}/accept_ra"
    accepts = lab.on(NODE, "cat", accept_ra).strip()
    local = local or lab.address(NODE)
    own = lab.on(NODE, "ip", "-br", "-4", "address", "show", "dev", VTEP).split()[2]
    lab.on(NODE, "ip", "link", "del", VTEP)
    shape = ("type", "vxlan", *settings, "local", local, "dev", parent, "nolearning")
    lab.on(NODE, "ip", "link", "add", VTEP, "address", mac, "mtu", "1450", *shape)
    lab.on(NODE, "sh", "-c", f"echo {accepts} > {accept_ra}")
    lab.on(NODE, "ip", "address", "add", own, "dev", VTEP)
    lab.on(NODE, "ip", "link", "set", VTEP, "up")
    for command in entries:
        lab.on(NODE, *command)


def backend_data(lab: Lab, node: str) -> str:
    """What flannel published of a node's end."""
    annotations = lab.kubectl_json("get", "node", node)["metadata"]["annotations"]
    return str(annotations["flannel.alpha.coreos.com/backend-data"])


def publish_backend(lab: Lab, data: str, mac: str, peers: list[str]) -> None:
    """Publish another end for the node, and wait until every peer believes it."""
    annotation = f"flannel.alpha.coreos.com/backend-data={data}"
    lab.kubectl("annotate", "node", NODE, annotation, "--overwrite")
    end = pod_cidr(lab, NODE).partition("/")[0]
    wait_for(lambda: all(mac in lab.on(p, "ip", "neigh", "show", end, "dev", VTEP) for p in peers))


def publish(lab: Lab, address: str) -> None:
    """Say where the node's tunnel ends, and wait until every peer sends there."""
    annotation = f"flannel.alpha.coreos.com/public-ip={address}"
    lab.kubectl("annotate", "node", NODE, annotation, "--overwrite")
    peers = [name for name in lab.nodes if name != NODE]
    wait_for(
        lambda: all(
            f"dst {address} " in lab.on(peer, "bridge", "fdb", "show", "dev", VTEP)
            for peer in peers
        )
    )


def pod_cidr(lab: Lab, node: str) -> str:
    """A node's podCIDR."""
    return str(lab.kubectl_json("get", "node", node)["spec"]["podCIDR"])
