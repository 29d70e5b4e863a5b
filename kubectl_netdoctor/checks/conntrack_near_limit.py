"""CT-01: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import Confidence, Evidence, Finding, Fix, Severity, check
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows, Share
from kubectl_netdoctor.facts.netfilter import Conntrack

WARN, CRITICAL = 0.75, 0.90  # node-mixin's alert; node-problem-detector's
SHOWN = 3  # of the clients, destinations and states with most entries


@check("CT-01", Severity.HIGH, since="0.1", explains=("NIC-03", "DNS-05", "ENC-01"))
def conntrack_near_limit(conntrack: Conntrack, flows: ConntrackFlows | None) -> Iterator[Finding]:
    """The connection tracking table is full or nearly full.

    Meaning: every tracked flow holds an entry; at the limit the kernel drops the first packet of
      new flows.
    Impact: new connections, DNS queries and the tunnel's own outer flows fail at random while old
      connections work.
    Diagnosis: entries against nf_conntrack_max, and the `drop` column inside the window. A low limit
      with few entries is no fault; early_drop without drop means that the kernel still copes.
    Mitigation: raise the limit where it is owned (kube-proxy sets it), or find who opens the flows.
    Source: kernel documentation, networking/nf_conntrack-sysctl; kubernetes/kubernetes#71261.
    """
    if conntrack.limit <= 0:
        return
    used = conntrack.entries / conntrack.limit
    dropped = conntrack.deltas.get("drop", 0)
    if used < WARN:
        return
    full = used >= CRITICAL
    seen = [Evidence(f"{conntrack.entries} of {conntrack.limit} entries used ({used:.0%})")]
    if dropped:
        seconds = conntrack.window_seconds
        seen.append(Evidence(f"{dropped} packets dropped for lack of an entry in {seconds:.1f} s"))
    seen += _by_whom(flows) if flows and flows.read else []
    raised = conntrack.limit * 2
    yield Finding(
        title="The connection tracking table is " + ("full" if full else "nearly full"),
        severity=Severity.CRITICAL if full else Severity.HIGH,
        confidence=Confidence.CERTAIN if full or dropped else Confidence.LIKELY,
        evidence=tuple(seen),
        fix=Fix(
            "Raise the limit. kube-proxy owns it: set conntrack.min in its configuration, or it is "
            "put back at its next start.",
            (
                f"sysctl -w net.netfilter.nf_conntrack_max={raised}",
                f"kubectl -n kube-system edit configmap kube-proxy   # conntrack: {{min: {raised}}}",
                "conntrack -L 2>/dev/null | awk '{print $4}' | sort | uniq -c | sort -rn | head",
            ),
            verify="sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
            rollback=f"sysctl -w net.netfilter.nf_conntrack_max={conntrack.limit}",
        ),
    )


def _by_whom(flows: ConntrackFlows) -> list[Evidence]:
    """Who holds most entries, what for, and in which states."""
    of = f"of {flows.read} entries" + ("" if flows.complete else ", a random sample")
    states = sorted(flows.states.items(), key=lambda item: -item[1])[:SHOWN]
    return [
        Evidence(f"clients with most {of}: {_shares(flows.clients)}"),
        Evidence(f"destinations with most: {_shares(flows.destinations)}"),
        Evidence("states with most: " + ", ".join(f"{name} {n}" for name, n in states)),
    ]


def _shares(shares: tuple[Share, ...]) -> str:
    return ", ".join(f"{s.name} {s.entries}" for s in shares[:SHOWN])
