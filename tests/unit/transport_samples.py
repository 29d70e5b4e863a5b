"""UDP and TCP between nodes laid over the recorded healthy lab: what their checks are tested on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from itertools import permutations

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.transport import (
    Heard,
    TcpPath,
    TransportPath,
    TransportProbes,
    TransportRole,
    UdpPath,
)
from tests.unit.recorded import change_items, change_node, findings, healthy, without

NODES = ("n1", "n2", "n3")
Key = tuple[str, str, TransportRole]
Change = Callable[[TransportPath], TransportPath]


def udp(sent: int = 100, there: int = 0, back: int = 0) -> UdpPath:
    """Questions of which so many were lost on each way."""
    got = sent - there - back
    return UdpPath(
        asked=sent,
        sent=sent,
        received=got,
        spanned=sent,
        arrived=sent - there,
        rtt_ms=(0.1,) * got,
        errors={"timeout": there + back} if there + back else {},
    )


def no_udp(error: str = "timeout", sent: int = 100) -> UdpPath:
    """Not one answer."""
    return UdpPath(sent, sent, 0, 0, 0, (), {error: sent})


def tcp() -> TcpPath:
    """Three connections and a whole upload."""
    return TcpPath(3, 3, (0.1,) * 3, {}, "done", 131072, 131072, 0.01, 0.0, 1448, 1500, 91, 0)


def no_tcp(error: str = "timeout") -> TcpPath:
    """No connection."""
    return TcpPath(3, 0, (), {error: 3}, "not-connected", 131072, 0, 0.0, 0.0, 0, 0, 0, 0)


def stalled(path: TransportPath) -> TransportPath:
    """Connections open, full segments vanish."""
    upload = dataclasses.replace(
        tcp(), ending="stalled", acked=0, idle_seconds=1.5, retransmits=3, segments=13
    )
    return dataclasses.replace(path, tcp=upload)


def silent(path: TransportPath) -> TransportPath:
    """Neither UDP nor TCP."""
    return dataclasses.replace(path, udp=no_udp(), tcp=no_tcp())


def unheard(path: TransportPath) -> TransportPath:
    """Nothing was ever heard of that peer's agent."""
    nothing = UdpPath(20, 0, 0, 0, 0, (), {"timeout": 20})
    return dataclasses.replace(
        path, answered=False, udp=nothing, tcp=dataclasses.replace(no_tcp(), tried=0)
    )


def address(name: str, role: TransportRole) -> str:
    """A lab node's address."""
    return f"198.18.0.1{name[1:]}" if role == "node" else f"198.19.{int(name[1:]) - 1}.0"


def measured(
    changes: Mapping[Key, Change] | None = None,
    *,
    deltas: Mapping[str, dict[str, int]] | None = None,
    dropped: Mapping[str, int] | None = None,
    deaf: Mapping[str, set[str]] | None = None,
    nodes: tuple[str, ...] = NODES,
) -> Snapshot:
    """The healthy lab with UDP and TCP between `nodes` and on no other; `deaf`: who hears whom not.

    It has no captures: those recorded saw that nothing was lost.
    """
    snapshot = without(healthy(), TransportProbes, Hops)
    reports = []
    for report in snapshot.nodes:
        if report.envelope is None or report.name not in nodes:
            reports.append(report)
            continue
        name = report.name
        fact = TransportProbes(
            seconds=1.2,
            items=tuple(_path(a, b, r, changes or {}) for a, b in permutations(nodes, 2)
                        for r in ROLES if a == name),
            heard=tuple(Heard(address(n, r), 100) for n in nodes for r in ROLES
                        if n != name and n not in (deaf or {}).get(name, set())),
            dropped=(dropped or {}).get(name, 0),
            deltas=dict((deltas or {}).get(name, {})),
        )  # fmt: skip
        facts = {**report.envelope.facts, KEYS[TransportProbes]: fact}
        envelope = dataclasses.replace(report.envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))


ROLES: tuple[TransportRole, ...] = ("node", "overlay")


def _path(a: str, b: str, role: TransportRole, changes: Mapping[Key, Change]) -> TransportPath:
    path = TransportPath(b, role, address(b, role), True, udp(), tcp())
    change = changes.get((a, b, role))
    return change(path) if change else path


def split(role: TransportRole, change: Change = silent, node: str = "n3") -> dict[Key, Change]:
    """All pairs that touch the node changed, both ways."""
    pairs = [p for p in permutations(NODES, 2) if node in p]
    return {(a, b, role): change for a, b in pairs}


def echo(
    snapshot: Snapshot, node: str, role: str, received: int, error: str = "timeout"
) -> Snapshot:
    """The snapshot with so many of 20 echo requests of one node answered."""

    def change(p: PathProbe) -> PathProbe:
        if (p.role, p.protocol) != (role, "icmp"):
            return p
        errors = {error: 20 - received} if received < 20 else {}
        return dataclasses.replace(
            p, sent=20, received=received, rtt_ms=(0.1,) * received, errors=errors
        )

    return change_node(snapshot, node, PathProbes, change_items(PathProbes, change))


HARM = {"Udp.InCsumErrors": 66, "Tcp.InCsumErrors": 11}
OTHERS = {"n1": HARM, "n2": HARM}
"""What both other nodes count where n3 sends damaged packets."""


def tcp_only(path: TransportPath) -> TransportPath:
    """UDP passes."""
    return dataclasses.replace(path, tcp=no_tcp())


def refused(path: TransportPath) -> TransportPath:
    """A host firewall that rejects."""
    return dataclasses.replace(path, udp=no_udp("admin-prohibited"), tcp=no_tcp("admin-prohibited"))


def quiet(snapshot: Snapshot) -> bool:
    """Whether none of the three checks of damaged or swallowed packets says anything."""
    return not any(findings(check, snapshot) for check in ("ENC-02", "ENC-03", "NIC-05"))
