"""What an iptables ruleset does to a packet: rules in order, jumps, RETURN and policies.

Source: iptables(8), iptables-extensions(8).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

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
from kubectl_netdoctor.facts.netfilter import IptablesChain, IptablesRule, IptablesRuleset

PATHS: dict[Hook, tuple[tuple[str, str], ...]] = {
    "input": (
        ("raw", "PREROUTING"),
        ("mangle", "PREROUTING"),
        ("mangle", "INPUT"),
        ("filter", "INPUT"),
    ),
    "forward": (
        ("raw", "PREROUTING"),
        ("mangle", "PREROUTING"),
        ("mangle", "FORWARD"),
        ("filter", "FORWARD"),
    ),
    "output": (("raw", "OUTPUT"), ("mangle", "OUTPUT"), ("filter", "OUTPUT")),
}
DROPS = ("DROP", "REJECT")
# Targets after which the walk goes on with the next rule.
PASSING = (
    "MARK",
    "CONNMARK",
    "LOG",
    "NFLOG",
    "TCPMSS",
    "CT",
    "NOTRACK",
    "TTL",
    "DSCP",
    "TRACE",
    "",
)
MAX_DEPTH = 32
# Options that neither narrow the match nor count as one: module names, comments, accounting.
NOISE = ("-m", "--match", "--comment", "--nfacct-name", "--reject-with", "--log-prefix", "--log-level",
         "--set-xmark", "--set-mark", "--to-ports", "--to-destination", "--to-source")  # fmt: skip


@dataclass(slots=True)
class _Walk:
    """What the walk has met so far."""

    ruleset: IptablesRuleset
    packet: Packet
    maybe_accepted: bool = False
    suspects: list[Drop] = field(default_factory=list)


def verdict(ruleset: IptablesRuleset, hook: Hook, packet: Packet) -> Verdict:
    """The ruleset's verdict on one packet at one hook."""
    suspects: list[Drop] = []
    packet = replace(packet, to_host=hook == "input")
    for table, name in PATHS[hook]:
        chain = ruleset.chain(table, name)
        if chain is None:
            continue
        walk = _Walk(ruleset, packet)
        drop = _through(chain, walk)
        suspects += walk.suspects
        if drop and walk.maybe_accepted:
            suspects.append(drop)
        elif drop:
            return Verdict(drop, tuple(suspects))
    return Verdict(None, tuple(suspects))


def _through(chain: IptablesChain, walk: _Walk) -> Drop | None:
    ended, drop = _rules(chain, walk, Match.YES, 0)
    if ended or chain.policy in (None, "ACCEPT"):
        return drop
    text = f"{_tool(walk)} -t {chain.table}: policy of {chain.name} is {chain.policy}"
    return Drop(text, chain.moved, f"{_tool(walk)} -t {chain.table} -P {chain.name} ACCEPT")


def _rules(
    chain: IptablesChain, walk: _Walk, reached: Match, depth: int
) -> tuple[bool, Drop | None]:
    """Walk one chain; True when the packet's fate is settled."""
    for rule in chain.rules:
        target, matched = judge(rule.spec, walk.packet)
        matched = min(matched, reached)
        if matched is Match.NO or target in PASSING:
            continue
        if target == "RETURN":
            if matched is Match.YES:
                return False, None
            # Perhaps nothing below takes the packet: what drops it there is not certain.
            walk.maybe_accepted = True
            continue
        if target in DROPS:
            drop = _drop(chain, rule, walk)
            if matched is Match.YES:
                return True, drop
            walk.suspects.append(drop)
            continue
        inner = walk.ruleset.chain(chain.table, target)
        if inner is None or depth >= MAX_DEPTH:  # ACCEPT, or a target that we do not know
            if matched is Match.YES and target == "ACCEPT":
                return True, None
            walk.maybe_accepted = True
            continue
        ended, found = _rules(inner, walk, matched, depth + 1)
        if ended:
            if matched is Match.YES:
                return True, found
            walk.maybe_accepted = walk.maybe_accepted or found is None
    return False, None


def _tool(walk: _Walk) -> str:
    return f"iptables-{walk.ruleset.backend}"


def _drop(chain: IptablesChain, rule: IptablesRule, walk: _Walk) -> Drop:
    where = f"{_tool(walk)} -t {chain.table}"
    return Drop(
        f"{where} -A {chain.name} {rule.spec}", rule.moved, f"{where} -D {chain.name} {rule.spec}"
    )


def judge(spec: str, packet: Packet) -> tuple[str, Match]:
    """Target of a rule, and whether it takes the packet."""
    target, options = _parse(spec)
    result = Match.YES
    for negated, name, values in options:
        one = _option(name, values, packet)
        result = min(result, one.negated if negated else one)
    return target, result


@cache
def _parse(spec: str) -> tuple[str, tuple[tuple[bool, str, tuple[str, ...]], ...]]:
    """Target, and (negated, option, values) of a rule as iptables-save prints it."""
    try:
        words = shlex.split(spec)
    except ValueError:
        return "", ((False, "unreadable", ()),)
    target = ""
    options: list[tuple[bool, str, tuple[str, ...]]] = []
    for negated, name, values in _options(words):
        if name in ("-j", "--jump", "-g", "--goto"):
            target = values[0] if values else ""
        elif name not in NOISE:
            options.append((negated, name, values))
    return target, tuple(options)


def _options(words: list[str]) -> Iterator[tuple[bool, str, tuple[str, ...]]]:
    negated, name, values = False, "", list[str]()
    pending = False
    for word in words:
        if word == "!":
            pending = True
        elif word.startswith("-") and not word.lstrip("-").isdigit():
            if name:
                yield negated, name, tuple(values)
            negated, name, values, pending = pending, word, [], False
        else:
            values.append(word)
    if name:
        yield negated, name, tuple(values)


def _option(name: str, values: tuple[str, ...], packet: Packet) -> Match:
    value = values[0] if values else ""
    match name:
        case "-s" | "--source":
            return inside(packet.source, network(value))
        case "-d" | "--destination":
            return inside(packet.destination, network(value))
        case "-i" | "--in-interface":
            return same_interface(packet.input, value)
        case "-o" | "--out-interface":
            return same_interface(packet.output, value)
        case "-p" | "--protocol":
            return same_protocol(packet.protocol, value)
        case "--dport" | "--dports" | "--sport" | "--sports":
            port = packet.destination_port if name[2] == "d" else packet.source_port
            return same_port(port, _ports(value))
        case "--ctstate" | "--state":
            return new_flow(value.split(","))
        case "--dst-type":
            return _destination_type(value, packet)
        case "--mark":
            return Match.YES if _mark_of_zero(value) else Match.NO
    return Match.MAYBE


def _destination_type(text: str, packet: Packet) -> Match:
    """The addrtype match; packets of ours are for one address."""
    if packet.to_host is None or text not in ("LOCAL", "UNICAST", "BROADCAST", "MULTICAST"):
        return Match.MAYBE
    return Match.YES if text == ("LOCAL" if packet.to_host else "UNICAST") else Match.NO


def _ports(text: str) -> list[tuple[int, int]]:
    ranges = []
    for part in text.split(","):
        low, _, high = part.partition(":")
        if low.isdigit():
            ranges.append((int(low), int(high) if high.isdigit() else int(low)))
    return ranges


def _mark_of_zero(text: str) -> bool:
    """Whether a packet without a mark fits `value[/mask]`."""
    value = text.partition("/")[0]
    try:
        return int(value, 0) == 0
    except ValueError:
        return False
