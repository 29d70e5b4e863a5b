"""Faults of connection tracking on a real node, each taken back when its `with` block ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.faults import NODE, Fault, wait_for
from tests.e2e.service_faults import _apply, settle
from tests.lab import Lab

STATSD, PORT = "netdoctor-statsd", 8125
GONE = "198.19.1.250"  # nobody has this address; rules and connection tracking do not mind
SERVER, SERVER_PORT = "n1", 18099
FIRST, LAST = 40000, 40049
LIMIT, FLOWS = 20_000, 17_000
TRAFFIC = Path(__file__).with_name("traffic.py")


@contextmanager
def traffic(lab: Lab, node: str, *arguments: str) -> Iterator[None]:
    """One kind of traffic of `traffic.py`, sent from a node while the block lasts."""
    argv = [*lab._where(node), sys.executable, str(TRAFFIC), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as sender:
        assert sender.stdin
        assert sender.stdout
        try:
            assert sender.stdout.readline() == "ready\n"
            yield
        finally:
            sender.stdin.close()


@contextmanager
def stale_udp_entry(lab: Lab) -> Iterator[None]:
    """A client keeps its socket while the Service loses its last endpoint.

    kube-proxy 1.34 leaves out Services without endpoints when it deletes stale entries.
    """
    _apply(lab, _service(), _slice(GONE))
    address = lab.kubectl("get", "service", STATSD, "-o", "jsonpath={.spec.clusterIP}")
    try:
        wait_for(lambda: GONE in lab.on(NODE, "iptables-save", "-t", "nat"))
        with traffic(lab, NODE, "udp", address, str(PORT)):
            _apply(lab, _slice())
            settle(lab)
            yield
    finally:
        lab.kubectl("delete", "service", STATSD)
        lab.kubectl("delete", "endpointslice", STATSD, "--ignore-not-found")
        lab.on(NODE, "conntrack", "-D", "-p", "udp", "--orig-dst", address, check=False)


@contextmanager
def ports_used_up(lab: Lab) -> Iterator[None]:
    """A rule translates sixty connections to one server into fifty ports."""
    server = lab.address(SERVER)
    to = ("-d", server, "-p", "tcp", "--dport", str(SERVER_PORT))
    rule = (*to, "-j", "MASQUERADE", "--to-ports", f"{FIRST}-{LAST}")
    lab.on(NODE, "iptables", "-t", "nat", "-I", "POSTROUTING", *rule)
    try:
        with (
            traffic(lab, SERVER, "listen", server, str(SERVER_PORT)),
            traffic(lab, NODE, "connect", server, str(SERVER_PORT), "60"),
        ):
            yield
    finally:
        lab.on(NODE, "iptables", "-t", "nat", "-D", "POSTROUTING", *rule)
        lab.on(NODE, "conntrack", "-D", "-p", "tcp", "--orig-dst", server, check=False)


@contextmanager
def invalid_packets(lab: Lab) -> Iterator[None]:
    """Segments far outside the window, and kube-proxy's rule against them is gone."""
    server = lab.address(SERVER)
    settle(lab)
    rule = next(
        line.split()[2:]
        for line in lab.on(NODE, "iptables", "-S", "KUBE-FORWARD").splitlines()
        if "INVALID" in line
    )
    # kube-proxy writes rules when something changes, and nothing does.
    lab.on(NODE, "iptables", "-D", "KUBE-FORWARD", *rule)
    try:
        with (
            traffic(lab, SERVER, "listen", server, str(SERVER_PORT)),
            traffic(lab, NODE, "invalid", server, str(SERVER_PORT)),
        ):
            yield
    finally:
        if "INVALID" not in lab.on(NODE, "iptables", "-S", "KUBE-FORWARD"):
            lab.on(NODE, "iptables", "-I", "KUBE-FORWARD", *rule)


@contextmanager
def table_nearly_full(lab: Lab) -> Iterator[None]:
    """One client has opened thousands of UDP flows. The limit is the machine's, the table a node's."""
    limit = Path("/proc/sys/net/netfilter/nf_conntrack_max")
    before = limit.read_text()
    there = int(lab.on(NODE, "cat", "/proc/sys/net/netfilter/nf_conntrack_count"))
    limit.write_text(str(LIMIT))
    try:
        with traffic(lab, NODE, "spray", "127.0.0.0", str(FLOWS - there)):
            yield
    finally:
        limit.write_text(before)
        lab.on(NODE, "conntrack", "-D", "-p", "udp", "--orig-dst", "127.0.0.0/8", check=False)


def _service() -> dict[str, Any]:
    port = {"name": "statsd", "port": PORT, "targetPort": PORT, "protocol": "UDP"}
    metadata = {"name": STATSD}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}}


def _slice(*addresses: str) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": STATSD, "labels": {"kubernetes.io/service-name": STATSD}},
        "addressType": "IPv4",
        "ports": [{"name": "statsd", "protocol": "UDP", "port": PORT}],
        "endpoints": [{"addresses": [a], "conditions": {"ready": True}} for a in addresses],
    }


FAULTS: dict[str, tuple[str, Fault]] = {
    "table_nearly_full": ("CT-01", table_nearly_full),
    "invalid_packets": ("CT-03", invalid_packets),
    "stale_udp_entry": ("CT-04", stale_udp_entry),
    "ports_used_up": ("CT-05", ports_used_up),
}
"""Each fault with the ID that must be the first row while it lasts."""
