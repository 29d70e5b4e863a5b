"""Faults of single pods on a real node, each taken back when its `with` block ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.faults import NODE, Fault, wait_for
from tests.e2e.service_faults import settle
from tests.lab import Lab

KIOSK = "netdoctor-kiosk"
OPEN_PORT, WRONG_PORT, HOST_PORT = 8081, 8080, 18080
DEAD = "198.19.2.251"  # in the podCIDR of NODE; nobody has it
ENTRY, OLD, LIVE = "CNI-HOSTPORT-DNAT", "CNI-DN-0ld", "CNI-DN-l1ve"


@contextmanager
def pod(lab: Lab) -> Iterator[str]:
    """A pod on the node that listens on one port, with its address; gone afterwards."""
    lab.kubectl("apply", "-f", "-", input=json.dumps(_pod()))
    try:
        lab.kubectl("wait", "--for=condition=Ready", f"pod/{KIOSK}", "--timeout=60s")
        yield lab.kubectl("get", "pod", KIOSK, "-o", "jsonpath={.status.podIP}")
    finally:
        lab.kubectl("delete", "pod", KIOSK, "--grace-period=0", "--force")
        wait_for(lambda: KIOSK not in lab.kubectl("get", "pods", "-o", "name"))


def _pod() -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "netlab.local/node:1",
        "imagePullPolicy": "Never",
        "command": ["coredns", "-dns.port", str(OPEN_PORT)],
        "readinessProbe": {"tcpSocket": {"port": OPEN_PORT}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": KIOSK, "labels": {"app": KIOSK}},
        "spec": {"nodeName": NODE, "containers": [container], "terminationGracePeriodSeconds": 0},
    }


@contextmanager
def wrong_target_port(lab: Lab) -> Iterator[None]:
    """The Service leads to a port on which its program does not listen."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": KIOSK},
        "spec": {
            "selector": {"app": KIOSK},
            "ports": [{"name": "http", "port": 80, "targetPort": WRONG_PORT}],
        },
    }
    with pod(lab):
        lab.kubectl("apply", "-f", "-", input=json.dumps(service))
        try:
            settle(lab)
            yield
        finally:
            lab.kubectl("delete", "service", KIOSK)
            wait_for(lambda: KIOSK not in lab.on(NODE, "iptables-save", "-t", "nat"))


@contextmanager
def tunnel_mtu_lowered(lab: Lab) -> Iterator[None]:
    """Somebody lowers the overlay's MTU; the pods that run keep theirs."""
    with pod(lab):
        lab.on(NODE, "ip", "link", "set", "flannel.1", "mtu", "1400")
        try:
            yield
        finally:
            lab.on(NODE, "ip", "link", "set", "flannel.1", "mtu", "1450")


@contextmanager
def host_port_leftover(lab: Lab) -> Iterator[None]:
    """The port mapping of a pod that is gone stands before that of a living one."""
    with pod(lab) as address:
        nat = ("iptables", "-t", "nat")
        match = ("-p", "tcp", "-m", "tcp", "--dport", str(HOST_PORT))
        local = ("-m", "addrtype", "--dst-type", "LOCAL", "-j", ENTRY)
        lab.on(NODE, *nat, "-N", ENTRY)
        for chain, target in ((OLD, DEAD), (LIVE, address)):
            lab.on(NODE, *nat, "-N", chain)
            lab.on(
                NODE, *nat, "-A", chain, *match, "-j", "DNAT", "--to-destination", f"{target}:80"
            )
            multi = ("-p", "tcp", "-m", "multiport", "--dports", str(HOST_PORT))
            lab.on(NODE, *nat, "-A", ENTRY, *multi, "-j", chain)
        lab.on(NODE, *nat, "-A", "PREROUTING", *local)
        try:
            yield
        finally:
            lab.on(NODE, *nat, "-D", "PREROUTING", *local)
            for chain in (ENTRY, OLD, LIVE):
                lab.on(NODE, *nat, "-F", chain)
            for chain in (ENTRY, OLD, LIVE):
                lab.on(NODE, *nat, "-X", chain)


@contextmanager
def narrow_way_out(lab: Lab) -> Iterator[None]:
    """The default route takes less than pods send, as over a VPN; nothing clamps."""
    with pod(lab):
        way = lab.on(NODE, "ip", "route", "show", "default").split("\n")[0].split()
        lab.on(NODE, "ip", "route", "change", *way, "mtu", "1400")
        try:
            yield
        finally:
            lab.on(NODE, "ip", "route", "change", *way)


FAULTS: dict[str, tuple[str, Fault]] = {
    "wrong_target_port": ("SVC-04", wrong_target_port),
    "tunnel_mtu_lowered": ("MTU-05", tunnel_mtu_lowered),
    "host_port_leftover": ("SVC-08", host_port_leftover),
    "narrow_way_out": ("MTU-06", narrow_way_out),
}
"""Each fault with the ID that must be the first row while it lasts."""
