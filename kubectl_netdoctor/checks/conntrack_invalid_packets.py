"""CT-03: see the check's docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubectl_netdoctor.checks import service_proxy
from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.netfilter import Conntrack, Iptables, IptablesRuleset
from kubectl_netdoctor.facts.system import ProtocolCounters, Sysctls

LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
LEAST, LEAST_PER_SECOND = 20, 20.0  # late FIN and RST packets of a busy node are fewer
LEAST_SHARE = 0.001  # of all packets that came in
_INVALID = re.compile(r"--(?:ctstate|state) (?:\w+,)*INVALID\b.* -j DROP")


@check("CT-03", Severity.MEDIUM, since="0.1", sysctls=(LIBERAL,))
def conntrack_invalid_packets(
    conntrack: Conntrack,
    sysctls: Sysctls,
    iptables: Iptables,
    counters: ProtocolCounters | None,
) -> Iterator[Finding]:
    """Packets that connection tracking calls invalid are not dropped, and reset connections.

    Meaning: TCP packets outside the window that the kernel keeps for a connection are not translated.
      Without a rule that drops them they reach a host that knows no such connection, and its reset
      ends the real one.
    Impact: connection reset by peer in the middle of long or slow transfers through a Service.
    Diagnosis: the column `invalid` of the node's table inside the window, the sysctl
      nf_conntrack_tcp_be_liberal, and kube-proxy's own rule that drops such packets. A handful is
      normal on every node, and with the rule or the sysctl there is no reset.
    Mitigation: put kube-proxy's rule back, or set the sysctl; then find what reorders or delays
      packets, or which second way they take.
    Source: kubernetes/kubernetes#74839, #74840, #94861, #117924.
    """
    invalid, seconds = conntrack.deltas.get("invalid", 0), conntrack.window_seconds
    came = counters.deltas.get("Ip.InReceives", 0) if counters else 0
    if invalid < max(LEAST, LEAST_PER_SECOND * seconds, LEAST_SHARE * came):
        return
    liberal = sysctls.number(LIBERAL)
    if liberal is None:
        raise Inconclusive(f"{LIBERAL} could not be read")
    if liberal or _dropped(iptables):
        return
    if not service_proxy.proxies(iptables, None, None, None).iptables:
        raise Inconclusive("packets were invalid, and no iptables rules translate Services here")
    yield Finding(
        title="Invalid TCP packets are passed on untranslated: connections are reset",
        confidence=Confidence.LIKELY,
        evidence=evidence(
            f"{invalid} packets called invalid in {seconds:.1f} s"
            + (f", of {came} that came in" if came > invalid else ""),
            f"{LIBERAL} = 0, and no rule drops packets in state INVALID",
        ),
        fix=Fix(
            "Restart kube-proxy, which puts its rule into KUBE-FORWARD; the sysctl helps at once.",
            (
                "kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide",
                f"sysctl -w {LIBERAL}=1",
            ),
            verify="iptables-save -t filter | grep 'ctstate INVALID'; conntrack -S | grep -o 'invalid=[0-9]*'",
            rollback=f"sysctl -w {LIBERAL}=0",
        ),
    )


def _dropped(iptables: Iptables) -> bool:
    """Whether a rule of any table and backend drops what is invalid."""
    return any(
        _INVALID.search(rule.spec)
        for ruleset in (iptables.legacy, iptables.nft)
        if isinstance(ruleset, IptablesRuleset)
        for chain in ruleset.chains
        for rule in chain.rules
        if "INVALID" in rule.spec
    )
