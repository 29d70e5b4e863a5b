"""Whether packets of pods to the outside get the node's address: iptables and native nftables.

Where a rule cannot be read to its end it counts as one that masquerades: silence over a guess.
"""

from __future__ import annotations

from kubectl_netdoctor.checks import iptables_verdict, nft_verdict
from kubectl_netdoctor.checks.packet import IpNetwork, Match, Packet, network
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.netfilter import (
    Iptables,
    IptablesChain,
    IptablesRuleset,
    Nftables,
    NftChain,
)

OUTSIDE = network("192.0.2.1")  # RFC 5737: an address that is nobody's stands for all of them
TARGETS = ("MASQUERADE", "SNAT", "NETMAP")
MAX_DEPTH = 8


def leaves_masqueraded(
    pods: IpNetwork, iptables: Iptables, nftables: Nftables | None
) -> bool | None:
    """Whether such packets are masqueraded; None where a backend could not be read."""
    packet = Packet(source=pods, destination=OUTSIDE)
    absent = isinstance(iptables.nft, Missing) and iptables.nft.reason == "not_present"
    unknown = nftables is None and not absent  # both need the same part of the kernel
    for ruleset in (iptables.legacy, iptables.nft):
        if isinstance(ruleset, Missing):
            unknown = unknown or ruleset.reason != "not_present"
        elif _iptables(ruleset, packet):
            return True
    if nftables is not None and any(_nft(c, nftables, packet, 0) for c in _post(nftables)):
        return True
    return None if unknown else False


def _iptables(ruleset: IptablesRuleset, packet: Packet) -> bool:
    chain = ruleset.chain("nat", "POSTROUTING")
    return chain is not None and bool(_walk(ruleset, chain, packet, 0))


def _walk(
    ruleset: IptablesRuleset, chain: IptablesChain, packet: Packet, depth: int
) -> bool | None:
    """True: masqueraded, or perhaps. False: accepted as it is. None: the chain's end was reached."""
    for rule in chain.rules:
        target, matched = iptables_verdict.judge(rule.spec, packet)
        if matched is Match.NO:
            continue
        if target in TARGETS:
            return True
        if target in ("RETURN", "ACCEPT") and matched is Match.YES:
            return None if target == "RETURN" else False
        inner = ruleset.chain("nat", target)
        if inner is not None and depth < MAX_DEPTH:
            settled = _walk(ruleset, inner, packet, depth + 1)
            if settled or (settled is False and matched is Match.YES):
                return settled
    return None


def _post(nftables: Nftables) -> list[NftChain]:
    return [c for c in nftables.chains if c.hook == "postrouting" and c.family in ("ip", "inet")]


def _nft(chain: NftChain, nftables: Nftables, packet: Packet, depth: int) -> bool:
    for rule in chain.rules:
        matched, action, target = nft_verdict.judge(rule.expression, packet)
        if matched is Match.NO:
            continue
        if action in ("masquerade", "snat"):
            return True
        if action in ("return", "accept") and matched is Match.YES:
            return False
        if action in ("jump", "goto", "vmap") and depth < MAX_DEPTH:
            inner = [c for c in nftables.chains if c.table == chain.table and c.name == target]
            if not inner or _nft(inner[0], nftables, packet, depth + 1):
                return True  # not to be followed, or masqueraded
    return False


def traces(iptables: Iptables, nftables: Nftables | None) -> str | None:
    """What shows that flannel was told to masquerade here."""
    for ruleset in (iptables.legacy, iptables.nft):
        if isinstance(ruleset, IptablesRuleset) and ruleset.chain("nat", "FLANNEL-POSTRTG"):
            return "flannel's masquerading chain FLANNEL-POSTRTG is there without its rules"
    if any(c.table.startswith("flannel") and c.name == "postrtg" for c in _chains(nftables)):
        return "flannel's table has the chain postrtg without its rules"
    return None


def _chains(nftables: Nftables | None) -> tuple[NftChain, ...]:
    return nftables.chains if nftables else ()
