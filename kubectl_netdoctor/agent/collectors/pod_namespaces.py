"""The pods of a node as the kernel has them: address, MTU, listening sockets, filter tables.

Nothing is sent: a UDP socket that is connected and never written to says which source and which
MTU the kernel would take.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_netdoctor.agent import listeners, modules, namespaces, pod_namespace
from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.host import Host, need_root, resolve
from kubectl_netdoctor.agent.namespaces import Found
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.pod_namespaces import Listener, PodNamespace, PodNamespaces

MOST = 512
_OUTSIDE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # nobody has these
_MTU = {socket.AF_INET: (socket.IPPROTO_IP, 14), socket.AF_INET6: (socket.IPPROTO_IPV6, 24)}
_GET_TABLES = struct.pack("=IHHIIBBH", 20, 0x0A01, 0x301, 1, 0, 0, 0, 0)  # NFT_MSG_GETTABLE
_TABLE, _ATTRIBUTES, _TABLE_NAME, _NAME_BYTES = 0x0A00, 20, 1, 256
_DONE, _ERROR = 3, 2
_ASKED_FOR_NAMES = 4
_PROC_SECONDS = 0.2  # for socket tables, where the kernel has no tcp_diag


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading."""

    items: tuple[PodNamespace, ...]
    node: tuple[Listener, ...]
    left_out: int


def read(run: Run) -> Sample:
    """All of them, entered one after the other by one thread that ends with it.

    Raises Denied or NotPresent.
    """
    host = run.host
    need_root(host, "the network namespaces of pods")
    found = namespaces.others(host)
    nft = modules.loaded(host, "nf_tables")
    sockets = _Sockets(host)
    items: list[PodNamespace] = []

    def visit() -> None:
        for one in found[:MOST]:
            item = _visit(host, one, sockets, nft=nft)
            if item is not None:
                items.append(item)

    thread = threading.Thread(target=visit, name="pods", daemon=True)
    thread.start()
    thread.join()
    return Sample(tuple(items), sockets.of_node(), len(found) - len(items))


@windowed("pod_namespaces", read)
def pod_namespaces(before: Sample, after: Sample, window: Window) -> PodNamespaces:
    """What is there at the window's end."""
    del window
    earlier = {address for item in before.items for address in item.addresses}
    return PodNamespaces(after.items, tuple(sorted(earlier)), after.node, after.left_out)


class _Sockets:
    """Listening sockets, the cheap way where that loads no module into the kernel."""

    def __init__(self, host: Host) -> None:
        self._proc = host.proc
        self._diag = modules.loaded(host, "tcp_diag")
        self._budget = listeners.Budget(_PROC_SECONDS)

    def of_node(self) -> tuple[Listener, ...]:
        """Those of the node."""
        return self._budget.listeners(self._proc / "self/net")

    def of(self, pid: str) -> tuple[Listener, ...]:
        """Those of the calling thread's namespace, which is that of the process."""
        found = listeners.of_this_thread() if self._diag else None
        return self._budget.listeners(self._proc / pid / "net") if found is None else found


def _visit(host: Host, one: Found, sockets: _Sockets, *, nft: bool) -> PodNamespace | None:
    """One namespace, None where it is gone or cannot be entered."""
    home = host.proc / str(one.pid)
    try:
        namespace = os.open(home / "ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(namespace).st_ino != one.inode:
            return None  # another process has that number now
        pod_namespace.enter(namespace, "a pod's network namespace")
        ways = [way for family in _OUTSIDE if (way := _outside(family))]
        tables = [*_nft_tables()] if nft else []
        heard = sockets.of(str(one.pid))
    except Absence:
        return None
    finally:
        os.close(namespace)
    return PodNamespace(
        name=_host_name(host, one),
        addresses=tuple(address for address, _ in ways),
        mtu=min((mtu for _, mtu in ways), default=None),
        listeners=heard,
        tables=tuple(sorted({*tables, *_legacy_tables(host, one.pid)})),
        age_seconds=one.age_seconds,
    )


def _outside(family: socket.AddressFamily) -> tuple[str, int] | None:
    """Source address and MTU of the way out, None where this family has none."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((_OUTSIDE[family], 9))
            return str(sock.getsockname()[0]), sock.getsockopt(*_MTU[family])
    except OSError:
        return None


def _legacy_tables(host: Host, pid: int) -> Iterator[str]:
    """Tables of iptables-legacy, which the kernel lists once they were used."""
    for name in ("ip_tables_names", "ip6_tables_names"):
        try:
            yield from host.kernel(host.proc / str(pid) / "net" / name).split()
        except Absence:
            continue


def _nft_tables() -> Iterator[str]:
    """Names of nftables' tables in the namespace of the calling thread, iptables-nft's among them."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:  # NETLINK_NETFILTER
            sock.settimeout(1.0)
            sock.send(_GET_TABLES)
            while True:
                packet = sock.recv(1 << 16)
                for kind, body in _messages(packet):
                    if kind in (_DONE, _ERROR):
                        return
                    if kind == _TABLE:
                        yield _name(body)
    except OSError:
        yield "unknown"  # whether there are tables is not known, so nothing may be concluded


def _messages(packet: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 16 <= len(packet):
        length, kind = struct.unpack_from("=IH", packet, offset)
        if length < 16:
            return
        yield kind, packet[offset + _ATTRIBUTES : offset + length]
        offset += (length + 3) & ~3


def _name(attributes: bytes) -> str:
    """NFTA_TABLE_NAME, which comes first."""
    if len(attributes) < 4:
        return "unnamed"
    length, kind = struct.unpack_from("=HH", attributes)
    if kind & 0x3FFF != _TABLE_NAME:
        return "unnamed"
    return attributes[4 : min(length, _NAME_BYTES)].split(b"\0", 1)[0].decode("ascii", "replace")


def _host_name(host: Host, one: Found) -> str:
    """The first that one of its oldest processes has: the sandbox's own image has no such file."""
    for pid in one.pids[:_ASKED_FOR_NAMES]:
        try:
            root = host.proc / str(pid) / "root"
            name = host.kernel(resolve(root, "etc/hostname"), limit=_NAME_BYTES).strip()
        except Absence:
            continue
        if name:
            return name
    return ""
