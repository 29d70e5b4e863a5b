"""CT-02: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.conntrack_flows import ConntrackFlows
from kubectl_netdoctor.facts.netfilter import Conntrack, Iptables, IptablesRule, IptablesRuleset

LEAST, LEAST_PER_SECOND = 10, 5.0  # a few are background on every busy node
BUSY = 50  # translated connections to one destination, fewer seldom meet on a port
TRANSLATING = (" -j MASQUERADE", " -j SNAT ")


@check("CT-02", Severity.MEDIUM, since="0.1")
def conntrack_insert_failed(
    conntrack: Conntrack, flows: ConntrackFlows, iptables: Iptables
) -> Iterator[Finding]:
    """New connections are lost because two were given one source port.

    Meaning: two connections whose source was translated at the same moment got the same port toward
      one destination; the kernel drops the first packet of the second one.
    Impact: connecting to one busy destination takes a second or three longer now and then (the SYN
      is sent again).
    Diagnosis: the column `insert_failed` inside the window, more than the background of a busy node,
      many translated TCP connections to one destination, and a rule that translates and does not
      choose ports at random.
    Mitigation: --random-fully on the rules that translate; fewer new connections to one place.
    Source: kubernetes-sigs/ip-masq-agent#51; flannel-io/flannel#1001; projectcalico/calico#2073.
    """
    failed, seconds = conntrack.deltas.get("insert_failed", 0), conntrack.window_seconds
    if failed < max(LEAST, LEAST_PER_SECOND * seconds):
        return
    busy = [u for u in flows.ports if u.is_translated and u.protocol == "tcp" and u.entries >= BUSY]
    rules = [(chain, rule) for chain, rule in _rules(iptables) if "random-fully" not in rule.spec]
    if not busy or not rules:
        return
    use = busy[0]
    chain, rule = rules[0]
    yield Finding(
        title=f"Translated connections to {use.destination}:{use.port} meet on source ports",
        confidence=Confidence.LIKELY,
        evidence=evidence(
            f"{failed} new connections could not be entered in {seconds:.1f} s (insert_failed)",
            f"{use.entries} translated connections from {use.source} to "
            f"{use.destination}:{use.port}/{use.protocol}",
            f"a rule that is in use chooses ports in order: -A {chain} {rule.spec}",
        ),
        scope=f"new connections to {use.destination}:{use.port}",
        fix=Fix(
            "Let whoever owns the rule add --random-fully (flannel, kube-proxy and ip-masq-agent do "
            "with iptables 1.6.2 and newer), and share connections to that destination.",
            ("iptables-save -t nat | grep -e MASQUERADE -e 'j SNAT'", "conntrack -S"),
            verify="conntrack -S | grep -o 'insert_failed=[0-9]*'",
        ),
    )


def _rules(iptables: Iptables) -> Iterator[tuple[str, IptablesRule]]:
    """Rules that translated a source inside the window."""
    for ruleset in (iptables.legacy, iptables.nft):
        for chain in ruleset.chains if isinstance(ruleset, IptablesRuleset) else ():
            for rule in chain.rules if chain.table == "nat" else ():
                if rule.moved and any(word in f" {rule.spec} " for word in TRANSLATING):
                    yield chain.name, rule
