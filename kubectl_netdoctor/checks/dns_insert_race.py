"""DNS-02: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks import dns_cells
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix
from kubectl_netdoctor.facts.netfilter import Conntrack
from kubectl_netdoctor.facts.probe import DnsProbes

ALONE = 10  # queries from sockets of their own, all answered: it is no loss on the way


@check("DNS-02", Severity.MEDIUM, since="0.1")
def dns_insert_race(
    matrix: DnsMatrix, conntrack: Conntrack, probes: DnsProbes | None
) -> Iterator[Finding]:
    """One of two DNS questions that leave one socket together is lost.

    Meaning: the libc sends A and AAAA at the same moment from one socket to the ClusterIP; both are
      translated before either is entered into connection tracking, and the kernel drops the second.
    Impact: a small share of lookups takes 5 s (10 s, 15 s), all others are fast.
    Diagnosis: a question of such a pair to the ClusterIP stayed without an answer, all that were sent
      alone got theirs, so did the pairs sent to the endpoints themselves, and `insert_failed` moved
      on this node inside the window. That counter alone proves nothing: newer kernels resolve most
      such clashes.
    Mitigation: NodeLocal DNSCache, which needs no translation; single-request-reopen in resolv.conf
      (glibc only); a newer kernel.
    Source: kubernetes/kubernetes#56903; weaveworks/weave#3287.
    """
    failed = conntrack.deltas.get("insert_failed", 0)
    seen = list(dns_cells.seen("", matrix, probes))
    behind = [cell for one in seen if one.role == "service" for cell in one.cells]
    pairs = [cell for cell in behind if _pair(cell)]
    if not pairs:
        raise Inconclusive("no pair of questions was sent to the ClusterIP of cluster DNS")
    lost = sum(cell.errors.get("timeout", 0) for cell in pairs)
    if not lost or not failed or failed < lost or lost == sum(cell.sent for cell in pairs):
        return
    alone = [cell for cell in behind if not cell.paired and cell.transport == "udp"]
    asked = sum(c.sent for c in alone)
    direct = [cell for one in seen if one.role == "endpoint" for cell in one.cells]
    if asked < ALONE or any(c.lost for c in (*alone, *direct)) or not any(map(_pair, direct)):
        return
    yield Finding(
        title="A DNS question that leaves together with another one is lost: lookups stall for 5 s",
        confidence=Confidence.LIKELY if lost > 1 else Confidence.POSSIBLE,
        evidence=evidence(
            f"{lost} of {sum(c.sent for c in pairs)} questions of A and AAAA pairs to the ClusterIP "
            "had no answer",
            f"all {asked} questions sent alone were answered, and all sent to the endpoints",
            f"insert_failed moved by {failed} in {conntrack.window_seconds:.1f} s",
        ),
        fix=Fix(
            "Run NodeLocal DNSCache. Until then, for pods with glibc: dnsConfig.options with "
            "single-request-reopen.",
            ("conntrack -S | grep -o 'insert_failed=[0-9]*'",),
            verify="conntrack -S | grep -o 'insert_failed=[0-9]*'",
        ),
    )


def _pair(cell: DnsCell) -> bool:
    return cell.paired and cell.transport == "udp"
