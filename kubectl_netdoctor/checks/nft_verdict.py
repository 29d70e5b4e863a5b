"""What native nftables chains do to a packet. Source: libnftables-json(5), nft(8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from kubectl_netdoctor.checks.packet import (
    Drop,
    Hook,
    Match,
    Packet,
    Verdict,
    inside,
    network,
    new_flow,
    same_interface,
    same_port,
    same_protocol,
)
from kubectl_netdoctor.facts.netfilter import Nftables, NftChain, NftRule

HOOKS: dict[Hook, tuple[str, ...]] = {
    "input": ("ingress", "prerouting", "input"),
    "forward": ("ingress", "prerouting", "forward"),
    "output": ("output", "postrouting", "egress"),
}
FAMILIES = ("ip", "inet", "netdev")
MAX_DEPTH = 32
_QUIET = ("counter", "comment", "log", "mangle", "notrack")


def verdict(nftables: Nftables, hook: Hook, packet: Packet) -> Verdict:
    """The verdict of all base chains on that hook's way; every one of them must let it pass."""
    suspects: list[Drop] = []
    for chain in _base_chains(nftables, hook, packet):
        ended, drop, unsure = _rules(nftables, chain, packet, suspects, 0)
        if not ended and chain.policy == "drop":
            text = f"nft chain {chain.family} {chain.table} {chain.name}: policy drop"
            drop = Drop(text, None)
        if drop and unsure:
            suspects.append(drop)
        elif drop:
            return Verdict(drop, tuple(suspects))
    return Verdict(None, tuple(suspects))


def _base_chains(nftables: Nftables, hook: Hook, packet: Packet) -> Iterator[NftChain]:
    for name in HOOKS[hook]:
        device = packet.output if name == "egress" else packet.input
        for chain in nftables.chains:
            if chain.hook != name or chain.family not in FAMILIES:
                continue
            if chain.family == "netdev" and chain.device not in (None, device):
                continue
            yield chain


def _rules(
    nftables: Nftables, chain: NftChain, packet: Packet, suspects: list[Drop], depth: int
) -> tuple[bool, Drop | None, bool]:
    """Walk one chain: whether it settles the packet, the drop, and whether an accept is unsure."""
    unsure = False
    for rule in chain.rules:
        matched, action, target = judge(rule.expression, packet)
        if matched is Match.NO or action == "":
            continue
        if action in ("drop", "reject"):
            if matched is Match.YES:
                return True, _drop(chain, rule), unsure
            suspects.append(_drop(chain, rule))
        elif action == "return" and matched is Match.YES:
            return False, None, unsure
        elif action == "accept" and matched is Match.YES:
            return True, None, unsure
        elif action in ("jump", "goto") and depth < MAX_DEPTH:
            inner = _chain(nftables, chain, target)
            found: list[Drop] = []
            if inner is None:
                unsure = True
                continue
            ended, drop, inner_unsure = _rules(nftables, inner, packet, found, depth + 1)
            suspects += found
            unsure = unsure or inner_unsure
            if ended and matched is Match.YES:
                return True, drop, unsure
            if action == "goto" and matched is Match.YES:
                return False, None, unsure  # it does not come back to this chain
            if ended and drop:
                suspects.append(drop)
            unsure = unsure or (ended and drop is None)
        else:
            unsure = True
    return False, None, unsure


def _chain(nftables: Nftables, beside: NftChain, name: str) -> NftChain | None:
    return next(
        (
            c
            for c in nftables.chains
            if (c.family, c.table, c.name) == (beside.family, beside.table, name)
        ),
        None,
    )


def _drop(chain: NftChain, rule: NftRule) -> Drop:
    where = f"{chain.family} {chain.table} {chain.name}"
    return Drop(
        f"nft rule {where} handle {rule.handle}: {text_of(rule.expression)}",
        rule.moved,
        f"nft delete rule {where} handle {rule.handle}",
    )


@cache
def _statements(expression: str) -> tuple[Any, ...]:
    try:
        data = json.loads(expression)
    except (ValueError, RecursionError):
        return ()
    return tuple(data) if isinstance(data, list) else ()


def judge(expression: str, packet: Packet) -> tuple[Match, str, str]:
    """Whether a rule takes the packet, what it then does, and the chain that it jumps to."""
    matched, action, target = Match.YES, "", ""
    for statement in _statements(expression):
        if not isinstance(statement, dict) or len(statement) != 1:
            matched = min(matched, Match.MAYBE)
            continue
        (name, body) = next(iter(statement.items()))
        if name == "match":
            matched = min(matched, _match(body, packet))
        elif name in ("accept", "drop", "reject", "return", "jump", "goto", "queue"):
            action = name
            target = str(body.get("target", "")) if isinstance(body, dict) else ""
        elif name not in _QUIET:
            matched = min(matched, Match.MAYBE)
            action = action or ("" if name in ("limit", "quota", "meter", "set") else name)
    return matched, action, target


def _match(body: object, packet: Packet) -> Match:
    if not isinstance(body, dict) or not isinstance(body.get("left"), dict):
        return Match.MAYBE
    left, right = body["left"], body.get("right")
    values = right.get("set", [right]) if isinstance(right, dict) else [right]
    if isinstance(values, dict) or not isinstance(values, list):
        return Match.MAYBE
    if isinstance(right, list):
        values = right
    best = max((_one(left, value, packet) for value in values), default=Match.MAYBE)
    operator = body.get("op", "==")
    if operator == "!=":
        return best.negated
    return best if operator in ("==", "in") else Match.MAYBE


def _one(left: dict[str, Any], value: Any, packet: Packet) -> Match:
    payload, meta, ct = left.get("payload"), left.get("meta"), left.get("ct")
    if isinstance(payload, dict):
        return _payload(str(payload.get("protocol")), str(payload.get("field")), value, packet)
    if isinstance(meta, dict):
        key = meta.get("key")
        if key in ("iifname", "iif"):
            return same_interface(packet.input, str(value))
        if key in ("oifname", "oif"):
            return same_interface(packet.output, str(value))
        if key == "l4proto":
            return same_protocol(packet.protocol, str(value))
        if key == "mark":
            return Match.YES if value == 0 else Match.NO
    if isinstance(ct, dict) and ct.get("key") == "state":
        return new_flow([str(value)])
    if isinstance(ct, dict) and ct.get("key") == "status" and value in ("dnat", "snat"):
        return Match.NO  # packets of ours are not translated
    return Match.MAYBE


def _payload(protocol: str, name: str, value: Any, packet: Packet) -> Match:
    if protocol in ("ip", "ip6") and name in ("saddr", "daddr"):
        whole = packet.source if name == "saddr" else packet.destination
        return inside(whole, _network(value))
    if protocol in ("tcp", "udp", "th") and name in ("sport", "dport"):
        port = packet.source_port if name == "sport" else packet.destination_port
        right_kind = Match.YES if protocol == "th" else same_protocol(packet.protocol, protocol)
        return min(right_kind, same_port(port, _range(value)))
    if protocol == "ip" and name == "protocol":
        return same_protocol(packet.protocol, str(value))
    return Match.MAYBE


def _network(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("prefix"), dict):
        prefix = value["prefix"]
        return network(f"{prefix.get('addr')}/{prefix.get('len')}")
    return network(str(value))


def _range(value: Any) -> list[tuple[int, int]]:
    if isinstance(value, int):
        return [(value, value)]
    if (
        isinstance(value, dict)
        and isinstance(value.get("range"), list)
        and len(value["range"]) == 2
    ):
        low, high = value["range"]
        if isinstance(low, int) and isinstance(high, int):
            return [(low, high)]
    return []


def text_of(expression: str) -> str:
    """A rule in nft's own words, as far as they are simple; else its JSON."""
    words = [_words(s) for s in _statements(expression)]
    return " ".join(w for w in words if w) or expression


def _words(statement: Any) -> str:
    if not isinstance(statement, dict) or len(statement) != 1:
        return json.dumps(statement)
    (name, body) = next(iter(statement.items()))
    if name == "counter":
        return ""
    if name == "match" and isinstance(body, dict):
        operator = body.get("op", "==")
        return f"{_operand(body.get('left'))}{'' if operator in ('==', 'in') else f' {operator}'} {_operand(body.get('right'))}"
    if name in ("jump", "goto") and isinstance(body, dict):
        return f"{name} {body.get('target')}"
    return name if body in (None, {}) else f"{name} {json.dumps(body)}"


def _operand(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        (name, body) = next(iter(value.items()))
        if name == "payload" and isinstance(body, dict) and "field" in body:
            return f"{body.get('protocol')} {body['field']}"
        if name in ("meta", "ct") and isinstance(body, dict):
            return f"{name} {body.get('key')}"
        if name == "numgen" and isinstance(body, dict):
            return f"numgen {body.get('mode')} mod {body.get('mod')}"
        if name == "prefix" and isinstance(body, dict):
            return f"{body.get('addr')}/{body.get('len')}"
    return value if isinstance(value, str) else json.dumps(value)
