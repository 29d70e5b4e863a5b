"""SNMP counters of the node's network namespace."""

from __future__ import annotations

import contextlib
import re

from kubectl_netdoctor.agent.absence import NotPresent, Unreadable
from kubectl_netdoctor.agent.counters import all_moved
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.system import ProtocolCounters

_GAUGES = frozenset(
    {
        "Ip.Forwarding",
        "Ip.DefaultTTL",
        "Tcp.RtoAlgorithm",
        "Tcp.RtoMin",
        "Tcp.RtoMax",
        "Tcp.MaxConn",
        "Tcp.CurrEstab",
        "MPTcpExt.MPCurrEstab",
    }
)
"""State, not counters: their difference means nothing."""
_SNMP6 = re.compile(r"(Ip6|Icmp6|UdpLite6|Udp6)(\w+)\s+([0-9]{1,20})")


def read(run: Run) -> dict[str, int]:
    """/proc/net/snmp, netstat and, where IPv6 is, snmp6; kernel doc networking/snmp_counter."""
    net = run.host.proc / "net"
    counters = parse_pairs(run.host.kernel(net / "snmp"))
    counters |= parse_pairs(run.host.kernel(net / "netstat"))
    with contextlib.suppress(NotPresent):
        counters |= parse_snmp6(run.host.kernel(net / "snmp6"))
    return counters


def parse_pairs(text: str) -> dict[str, int]:
    """Pairs of lines, names above values, each after the same `Group:`. Raises Unreadable."""
    counters: dict[str, int] = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        group, _, above = names.partition(":")
        same, _, below = values.partition(":")
        try:
            pairs = zip(above.split(), map(int, below.split()), strict=True)
            found = {f"{group}.{name}": value for name, value in pairs}
        except ValueError:
            raise Unreadable(f"{group!r:.40}: names and values do not fit together") from None
        if same != group:
            raise Unreadable(f"{same!r:.40} stands below {group!r:.40}")
        counters |= found
    return {name: value for name, value in counters.items() if name not in _GAUGES}


def parse_snmp6(text: str) -> dict[str, int]:
    """Lines such as `Ip6InReceives 12`; a line of another form is no counter."""
    return {f"{m[1]}.{m[2]}": int(m[3]) for m in map(_SNMP6.fullmatch, text.splitlines()) if m}


@windowed("protocol_counters", read)
def protocol_counters(
    before: dict[str, int], after: dict[str, int], window: Window
) -> ProtocolCounters:
    """What moved inside the window."""
    deltas = all_moved(before, after, "protocol_counters", window.note)
    return ProtocolCounters(window.seconds, {k: v for k, v in deltas.items() if v})
