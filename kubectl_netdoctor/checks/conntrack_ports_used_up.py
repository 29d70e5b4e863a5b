"""CT-05: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.checks.source_ports import PORT_RANGE, Pool, pools
from kubectl_netdoctor.facts.cluster import NodeInfo
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows, PortUse
from kubectl_netdoctor.facts.link import Addresses
from kubectl_netdoctor.facts.netfilter import Conntrack, Iptables
from kubectl_netdoctor.facts.system import Sysctls

SHARE = 0.8  # of the ports that there are toward one destination
FAILING = ("insert_failed", "drop")


@check("CT-05", Severity.HIGH, since="0.1", sysctls=(PORT_RANGE,), explains=("CT-02",))
def conntrack_ports_used_up(
    flows: ConntrackFlows,
    conntrack: Conntrack | None,
    sysctls: Sysctls | None,
    addresses: Addresses | None,
    node: NodeInfo | None,
    iptables: Iptables | None,
) -> Iterator[Finding]:
    """Source ports toward one destination are used up.

    Meaning: every connection to one address and port needs a source port of its own, and most of
      those that this client, or this node for all its pods, may use are taken.
    Impact: new connections to that destination time out or fail with EADDRNOTAVAIL; all others work.
    Diagnosis: entries of connection tracking per source, destination, port and protocol, against the
      range in force: of the client's own sockets, or of the rule that translates the source. The
      total over many destinations means nothing, and connections that wait for their end (TIME_WAIT)
      count only when packets were dropped for it inside the window.
    Mitigation: keep connections open and share them; more source addresses; a wider range, with the
      node ports reserved.
    Source: maxlaverse/snat-race-conn-test#2; kubernetes-sigs/ip-masq-agent#51; kernel documentation,
      networking/ip-sysctl (ip_local_port_range).
    """
    # A packet that finds no free port is counted in both columns.
    failed = max((conntrack.deltas.get(name, 0) for name in FAILING), default=0) if conntrack else 0
    total = conntrack.entries if conntrack else flows.read
    # The entries that were read are a random sample of a larger table.
    scale = 1.0 if flows.complete else max(1.0, total / max(1, flows.read))
    for pool in pools(flows, sysctls, addresses, node, iptables):
        use = pool.use
        taken, live = use.entries * scale, (use.entries - use.closed) * scale
        if live >= SHARE * pool.ports or (failed and taken >= SHARE * pool.ports):
            yield _finding(pool, round(taken), conntrack, failed, estimated=scale > 1)


def _finding(
    pool: Pool, taken: int, conntrack: Conntrack | None, failed: int, *, estimated: bool
) -> Finding:
    use = pool.use
    number = f"some {taken}" if estimated else str(taken)
    share = f"{min(1.0, taken / pool.ports):.0%}"
    seen = [
        f"{number} of {pool.ports} source ports ({share}) are taken, {_closed(use)}",
        f"range {pool.first}-{pool.last}: {pool.why}",
    ]
    if failed and conntrack:
        seen.append(
            f"{failed} packets found no free port or entry in {conntrack.window_seconds:.1f} s"
        )
    return Finding(
        title=f"Source ports from {use.source} to {_place(use)} are used up",
        confidence=Confidence.CERTAIN if failed else Confidence.LIKELY,
        evidence=(*evidence(*seen), *_clients(use)),
        scope=f"new connections to {_place(use)}",
        fix=_fix(pool),
    )


def _place(use: PortUse) -> str:
    address = f"[{use.destination}]" if ":" in use.destination else use.destination
    return f"{address}:{use.port}/{use.protocol}"


def _closed(use: PortUse) -> str:
    return f"{use.closed} of them by connections that are closed" if use.closed else "all in use"


def _clients(use: PortUse) -> tuple[Evidence, ...]:
    if use.client is None:
        return evidence("several clients share that address")
    return evidence(f"all are {use.client}'s") if use.client != use.source else ()


def _fix(pool: Pool) -> Fix:
    use = pool.use
    find = (
        f"conntrack -L -p {use.protocol} --reply-src {use.destination} --reply-port-src {use.port}"
        " 2>/dev/null | grep -o '^[^=]*src=[^ ]*' | sort | uniq -c | sort -rn | head"
    )
    if pool.rule:
        return Fix(
            "A rule translates into a range that is too small: widen or remove its range. Clients "
            "should keep connections open instead of opening one per request.",
            (find, f"iptables-save -t nat | grep -- '{pool.option}'"),
            verify=find,
        )
    return Fix(
        "Find the client and let it keep connections open (a pool, HTTP keep-alive). Until then a "
        "wider range helps, with the node ports reserved.",
        (
            find,
            f"sysctl -w {PORT_RANGE}='1024 65535' net.ipv4.ip_local_reserved_ports=30000-32767",
        ),
        verify=find,
        rollback=f"sysctl -w {PORT_RANGE}='{pool.first} {pool.last}'",
    )
