"""Which known node components run. Command lines are looked at, never kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.agent.absence import Absence, NotPresent
from kubectl_netdoctor.agent.host import Host

KNOWN = frozenset(
    {
        "NetworkManager",
        "aws-k8s-agent",
        "calico-felix",
        "calico-node",
        "cilium-agent",
        "containerd",
        "coredns",
        "cri-dockerd",
        "crio",
        "dnsmasq",
        "dockerd",
        "etcd",
        "firewalld",
        "flanneld",
        "k0s",
        "k3s-agent",
        "k3s-server",
        "keepalived",
        "konnectivity-agent",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-ovn-daemon",
        "kube-proxy",
        "kube-router",
        "kube-scheduler",
        "kube-vip",
        "kubelet",
        "kubelite",
        "metallb-speaker",
        "node-cache",
        "ovnkube",
        "ovs-vswitchd",
        "rke2",
        "systemd-networkd",
        "systemd-resolved",
        "weaver",
    }
)
_COMM_BYTES = 15  # the kernel cuts the name there, proc(5)
_BY_COMM = {name[:_COMM_BYTES]: name for name in KNOWN}
MULTI_CALL = frozenset({"hyperkube", "k3s", "rke2", "kubernetes", "busybox"})
"""Programs that are several components; their first argument, or their own name, says which."""
_OWN_INIT = frozenset({"pause", "python3", "tini", "dumb-init"})
"""Process 1 of a container: with one of these the node's processes are hidden."""


@dataclass(frozen=True, slots=True)
class Process:
    """A known component and where it runs."""

    name: str
    pid: int


def visible(host: Host) -> None:
    """Raise NotPresent where only this container's processes can be seen."""
    try:
        first = host.kernel(host.proc / "1/comm").strip()
    except Absence as absence:
        raise NotPresent("host processes are not visible") from absence
    if host.pid == 1 or first in _OWN_INIT:
        raise NotPresent("host processes are not visible: the pod has no hostPID")


def known(host: Host) -> Iterator[Process]:
    """Every known component that runs. Raises NotPresent where processes are hidden."""
    visible(host)
    for entry in host.names(host.proc):
        if not entry.isdecimal():
            continue
        try:
            comm = host.kernel(host.proc / entry / "comm").strip()
        except Absence:
            continue  # it has ended
        name = _BY_COMM.get(comm)
        if comm in MULTI_CALL:
            name = _called_as(arguments(host, int(entry)), comm)
        if name is not None:
            yield Process(name, int(entry))


def arguments(host: Host, pid: int) -> list[str]:
    """Arguments of a process; empty where they cannot be read."""
    try:
        text = host.kernel(host.proc / str(pid) / "cmdline")
    except Absence:
        return []
    return text.rstrip("\0").split("\0") if text else []


def _called_as(args: list[str], comm: str) -> str | None:
    """The component that a program of many is here, by its name or its first argument."""
    if not args:
        return comm if comm in KNOWN else None
    own = args[0].rpartition("/")[2]
    if own in KNOWN:
        return own
    first = args[1] if len(args) > 1 else ""
    for name in (first, f"{own}-{first}"):
        if name in KNOWN:
            return name
    return comm if comm in KNOWN else None
