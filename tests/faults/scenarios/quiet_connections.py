"""Many flows and kept connections, with room for as many again: healthy load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.conntrack_faults import SERVER, SERVER_PORT, traffic
from tests.faults.scenario import Scenario
from tests.lab import Lab

NODE, FLOWS, KEPT = "n3", 9000, "200"


@contextmanager
def many_flows(lab: Lab) -> Iterator[None]:
    """As a busy resolver or a collector of statistics makes them."""
    try:
        with traffic(lab, NODE, "spray", "127.0.0.0", str(FLOWS)):
            yield
    finally:
        lab.on(NODE, "conntrack", "-D", "-p", "udp", "--orig-dst", "127.0.0.0/8", check=False)


@contextmanager
def many_connections(lab: Lab) -> Iterator[None]:
    """One client keeps them to one server, and nothing limits its ports."""
    server = lab.address(SERVER)
    with (
        traffic(lab, SERVER, "listen", server, str(SERVER_PORT)),
        traffic(lab, NODE, "connect", server, str(SERVER_PORT), KEPT),
    ):
        yield


def counted(lab: Lab) -> str:
    """The kernel has the flows."""
    count = int(lab.on(NODE, "conntrack", "-C"))
    return "" if count >= FLOWS else f"only {count} entries"


def connected(lab: Lab) -> str:
    """The kernel has the connections."""
    shown = lab.on(NODE, "ss", "-Htn", "state", "established", "dport", f"= :{SERVER_PORT}")
    return "" if len(shown.splitlines()) >= int(KEPT) else f"only {len(shown.splitlines())}"


SCENARIOS = [
    Scenario("quiet-many-flows", many_flows, counted),
    Scenario("quiet-many-connections", many_connections, connected),
]
