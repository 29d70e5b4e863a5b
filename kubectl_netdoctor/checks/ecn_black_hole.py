"""TCP-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
)
from kubectl_netdoctor.facts.system import Sysctls
from kubectl_netdoctor.facts.transport import TransportPath, TransportProbes

NAME = "net.ipv4.tcp_ecn"
ASKS = 1  # the value at which a node's own connections ask for ECN; the default 2 only agrees to it
AGAIN_MS = 900.0  # a connection that took longer needed a second SYN, which Linux sends after 1 s
ENOUGH = 3  # connections, and all of them
SHOWN = 4


@check(
    "TCP-01",
    Severity.LOW,
    since="0.1",
    sysctls=(NAME,),
    explains=("API-01", "API-08", "DNS-12"),
)
def ecn_black_hole(transport: TransportProbes, sysctls: Sysctls) -> Iterator[Finding]:
    """Connections that ask for ECN lose their first packet.

    Meaning: the node asks for explicit congestion notification on every connection (tcp_ecn=1), and
      something on the way throws such SYN packets away. Linux sends the second one without.
    Impact: every connection takes a second longer to open, and fails where a time-out is shorter.
    Diagnosis: of all connections to agents of other nodes each needed a second SYN, while UDP
      packets between the same two agents were not lost. With the default, tcp_ecn=2, a node asks
      nobody, and nothing of this can happen.
    Mitigation: net.ipv4.tcp_ecn=2, the default; or repair the firewall that drops ECN.
    Source: RFC 3168 section 6.1.1.1; RFC 8311; Linux, ip-sysctl, tcp_ecn.
    """
    asks = sysctls.number(NAME)
    if asks is None:
        raise Inconclusive(f"{NAME} could not be read")
    if asks != ASKS:
        return
    heard = [p for p in transport.items if p.role == "node" and p.answered and p.tcp.connected]
    if not heard:
        raise Inconclusive("no agent of another node accepted a connection")
    slow = [p for p in heard if _needs_two(p)]
    if not slow:
        return
    yield Finding(
        title="Connections that ask for ECN need a second SYN",
        confidence=Confidence.LIKELY,
        evidence=(
            Evidence(f"{NAME} = {ASKS}"),
            *(Evidence(_text(p)) for p in slow[:SHOWN]),
        ),
        fix=Fix(
            "Ask nobody for ECN, as is the default, also in the node's sysctl configuration:",
            (f"sysctl -w {NAME}=2",),
            verify=f"sysctl {NAME}",
            rollback=f"sysctl -w {NAME}={ASKS}",
        ),
    )


def _needs_two(path: TransportPath) -> bool:
    """Whether every connection was slow by one SYN, and nothing else was lost there."""
    tcp = path.tcp
    every = tcp.connected >= ENOUGH and min(tcp.connect_ms, default=0.0) >= AGAIN_MS
    return every and path.udp.sent > 0 and path.udp.lost == 0


def _text(path: TransportPath) -> str:
    tcp, udp = path.tcp, path.udp
    return (
        f"to {path.peer} ({path.address}): {tcp.connected} of {tcp.tried} connections, the fastest "
        f"in {min(tcp.connect_ms):.0f} ms; {udp.received} of {udp.sent} UDP packets answered"
    )
