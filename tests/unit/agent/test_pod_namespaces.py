"""Pods as the kernel has them: a real namespace with a listener, and the texts of proc."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.collectors.pod_namespaces import Sample, pod_namespaces, read
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.listeners import listeners, parse
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.pod_namespaces import Listener, PodNamespace
from tests.fixtures.plans import plan
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
POD = """
ip link add eth0 mtu 1450 type veth peer name host0
ip link set eth0 up
ip link set host0 up
ip addr add 10.9.9.1/24 dev eth0
ip route add default via 10.9.9.2
"""
LISTEN = """
import socket
kept = [socket.create_server(("127.0.0.1", 8080)), socket.create_server(("::", 9090), family=socket.AF_INET6)]
print("ready", flush=True)
input()
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("0100007F:1F90 00000000:0000 0A", Listener("127.0.0.1", 8080)),
        ("00000000:0035 00000000:0000 0A", Listener("0.0.0.0", 53)),
        ("00000000000000000000000000000000:2378 0:0 0A", Listener("::", 9080)),
        ("00000000000000000000000001000000:0016 0:0 0A", Listener("::1", 22)),
        ("0100007F:1F90 0100007F:9C40 01", None),
        ("0100007F:xyz 00000000:0000 0A", None),
        ("01007F:1F90 00000000:0000 0A", None),
        ("", None),
    ],
)
def test_lines_of_the_socket_table(words: str, expected: Listener | None) -> None:
    """Both families; sockets that do not listen, and what is no line."""
    assert parse(f"   0: {words}") == expected


def test_reading_ends_at_the_first_connection(node: Callable[..., Run]) -> None:
    """The kernel prints listeners first."""
    run = node(
        {
            "proc/7/net/tcp": f"{HEAD}\n 0: 00000000:0050 0:0 0A\n 1: 0100007F:0050 0:0 01\n"
            " 2: 00000000:0051 0:0 0A\n"
        }
    )
    assert [s.port for s in listeners(run.host.proc / "7/net")] == [80]


def test_a_process_that_has_ended_has_none(node: Callable[..., Run]) -> None:
    """No error."""
    assert listeners(node({}).host.proc / "7/net") == ()


def test_addresses_of_the_windows_start_are_kept() -> None:
    """A pod that ended inside the window was there."""
    gone = Sample((PodNamespace("a", ("10.0.0.1",), 1450, (), (), 9.0),), (), 0)
    now = Sample((), (Listener("::", 22),), 1)
    found = pod_namespaces(gone, now, Window(1.0, Run(plan(), Host())))
    assert found.earlier == ("10.0.0.1",)
    assert (found.items, found.left_out) == ((), 1)
    assert found.node_listeners == (Listener("::", 22),)


@pytest.fixture
def pod() -> Iterator[Namespace]:
    """A namespace with an address, a way out and a program that listens."""
    with namespace() as made:
        made.sh(POD)
        command = [*made.prefix, sys.executable, "-c", LISTEN]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield made
            process.kill()


def seen() -> PodNamespace | None:
    """The test's pod, found by its address."""
    try:
        sample = read(Run(plan(), Host()))
    except NotPresent:
        pytest.skip("this machine's processes are hidden")
    return next((i for i in sample.items if "10.9.9.1" in i.addresses), None)


@needs_root
def test_a_real_namespace(pod: Namespace) -> None:
    """Address, MTU and sockets; then a route's smaller MTU, and a table."""
    found = seen()
    assert found is not None
    assert found.mtu == 1450
    assert set(found.listeners) == {Listener("127.0.0.1", 8080), Listener("::", 9090)}
    assert found.tables == ()
    assert found.age_seconds < 60
    pod.sh("ip route replace default via 10.9.9.2 mtu 1300")
    pod.nft("table ip mesh { }")
    again = seen()
    assert again is not None
    assert (again.mtu, again.tables) == (1300, ("mesh",))
