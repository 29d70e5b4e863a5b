"""The host firewall's verdict on a packet: both iptables backends and native nftables.

All of them are in force at once, so the first one that drops wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.checks import iptables_verdict, nft_verdict
from kubectl_netdoctor.checks.packet import Drop, Hook, Packet, Verdict
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.netfilter import Iptables, Nftables


def verdict(
    iptables: Iptables | None, nftables: Nftables | None, hook: Hook, packet: Packet
) -> Verdict:
    """What becomes of the packet, as far as the rules that could be read say."""
    verdicts = []
    if iptables:
        rulesets = [r for r in (iptables.legacy, iptables.nft) if not isinstance(r, Missing)]
        verdicts += [iptables_verdict.verdict(r, hook, packet) for r in rulesets]
    if nftables:
        verdicts.append(nft_verdict.verdict(nftables, hook, packet))
    suspects = tuple(s for v in verdicts for s in v.suspects)
    return Verdict(next((v.drop for v in verdicts if v.drop), None), suspects)


@dataclass(frozen=True, slots=True)
class Firewalls:
    """The filters of all scanned nodes."""

    iptables: Mapping[str, Iptables] | None
    nftables: Mapping[str, Nftables] | None

    def verdict(self, node: str, hook: Hook, packet: Packet) -> Verdict:
        """What one node's filters do to the packet."""
        return verdict(
            self.iptables.get(node) if self.iptables else None,
            self.nftables.get(node) if self.nftables else None,
            hook,
            packet,
        )

    def first_drop(self, node: str, *ways: tuple[Hook, Packet]) -> Drop | None:
        """The rule that drops one of these packets for certain, else one that may and moved."""
        verdicts = [self.verdict(node, hook, packet) for hook, packet in ways]
        certain = next((v.drop for v in verdicts if v.drop), None)
        return certain or next((s for v in verdicts for s in v.suspects if s.moved), None)

    def fair_drops(self, ways: Iterable[tuple[str, Hook, Packet]]) -> Iterator[tuple[str, Drop]]:
        """Rules that take these packets of nodes, or are fair suspects of it; each once a node."""
        told: set[tuple[str, str]] = set()
        for node, hook, packet in ways:
            found = self.verdict(node, hook, packet)
            for drop in (found.drop, *found.suspects):
                if drop and _fair(drop) and (node, drop.text) not in told:
                    told.add((node, drop.text))
                    yield node, drop


def _fair(drop: Drop) -> bool:
    """Whether a rule that may take a packet is a fair suspect.

    Its counter moved inside the window; without that, only a rule that drops at random is one.
    """
    return bool(drop.moved) or any(word in drop.text for word in ("numgen", "-m statistic"))


def counted(drop: Drop) -> str:
    """The rule, with the packets that it took inside the window."""
    return drop.text if not drop.moved else f"{drop.text} (took {drop.moved} packets in the window)"
