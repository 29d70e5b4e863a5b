"""Native nftables chains and rules, without the tables that iptables-nft keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.counters import moved
from kubectl_netdoctor.agent.host import Host, need_root
from kubectl_netdoctor.agent.modules import loaded
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.netfilter import Nftables, NftChain, NftRule

TIMEOUT_SECONDS = 20.0
_IPTABLES_TABLES = frozenset({"filter", "nat", "mangle", "raw", "security"})
_SAVE = {"ip": "iptables-nft-save", "ip6": "ip6tables-nft-save"}
_OWNERSHIP_SECONDS = 60.0  # whose a table is does not change; the iptables fact reads the same
_COUNTER = "counter"
_INCOMPATIBLE = re.compile(r"^# Table `(\w+)' (?:is|contains) incompatible", re.MULTILINE)

Table = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """Chains of one reading."""

    chains: tuple[NftChain, ...]


def read(run: Run) -> Sample:
    """nft(8), table by table: sets and maps without their elements, iptables-nft's tables not."""
    host = run.host
    need_root(host, "nft reads rules with CAP_NET_ADMIN")
    if not loaded(host, "nf_tables"):
        raise NotPresent("the kernel has not loaded nf_tables")
    tables = parse_tables(host.run(["nft", "-j", "list", "tables"], TIMEOUT_SECONDS))
    foreign = _iptables_tables(host, tables)
    chains: list[NftChain] = []
    for family, name in tables:
        if (family, name) in foreign:
            continue
        argv = ["nft", "-j", "-t", "list", "table", family, name]
        try:
            chains += parse(host.run(argv, TIMEOUT_SECONDS))
        except Unreadable as absence:  # a table that went away in between
            run.note(f"nftables: {family} {name}: {absence}")
    return Sample(tuple(chains))


def _iptables_tables(host: Host, tables: list[Table]) -> frozenset[Table]:
    """The tables that iptables-nft shows as its own. One that it cannot read is nft's."""
    foreign: set[Table] = set()
    for family, command in _SAVE.items():
        candidates = {t for t in tables if t[0] == family and t[1] in _IPTABLES_TABLES}
        if not candidates:
            continue
        try:
            text = host.run([command, "-c"], TIMEOUT_SECONDS, max_age=_OWNERSHIP_SECONDS)
        except Absence:
            foreign |= candidates  # unknown: rather left out than shown twice
            continue
        foreign |= candidates & {(family, name) for name in parse_owned(text)}
    return frozenset(foreign)


def parse_owned(text: str) -> frozenset[str]:
    """Tables that iptables-nft-save shows, without those in which it finds something not its own."""
    shown = {line[1:] for line in text.splitlines() if line.startswith("*")}
    return frozenset(shown - set(_INCOMPATIBLE.findall(text)))


@windowed("nftables", read, outlasts=True)
def nftables(before: Sample, after: Sample, window: Window) -> Nftables:
    """Chains at the window's end, with what the rules' counters did inside it."""
    return Nftables(window.seconds, with_movement(before.chains, after.chains))


def with_movement(
    before: tuple[NftChain, ...], after: tuple[NftChain, ...]
) -> tuple[NftChain, ...]:
    """`after` with movement of every counted rule that was there before, by its handle."""
    then = {(c.family, c.table, c.name, r.handle): r.packets for c in before for r in c.rules}

    def one(chain: NftChain, rule: NftRule) -> NftRule:
        earlier = then.get((chain.family, chain.table, chain.name, rule.handle))
        if earlier is None or rule.packets is None:
            return rule
        return replace(rule, moved=moved(earlier, rule.packets))

    return tuple(replace(c, rules=tuple(one(c, r) for r in c.rules)) for c in after)


def parse_tables(text: str) -> list[Table]:
    """Family and name of each table of `nft -j list tables`. Raises Unreadable."""
    return [(_text(t, "family"), _text(t, "name")) for t in _objects(text, "table")]


def parse(text: str) -> list[NftChain]:
    """Chains with their rules of `nft -j list table`. Raises Unreadable."""
    rules: dict[tuple[str, str, str], list[NftRule]] = {}
    for item in _objects(text, "rule"):
        key = (_text(item, "family"), _text(item, "table"), _text(item, "chain"))
        rules.setdefault(key, []).append(_rule(item))
    chains = []
    for item in _objects(text, "chain"):
        family, table, name = _text(item, "family"), _text(item, "table"), _text(item, "name")
        chains.append(
            NftChain(
                family=family,
                table=table,
                name=name,
                hook=_optional(item, "hook"),
                priority=_number(item, "prio"),
                policy=_optional(item, "policy"),
                device=_device(item.get("dev")),
                rules=tuple(rules.get((family, table, name), ())),
            )
        )
    return chains


def _rule(item: Mapping[str, Any]) -> NftRule:
    """One rule; the numbers of its counters are taken out of the expression, which stays equal."""
    statements = item.get("expr")
    handle = _number(item, "handle")
    if not isinstance(statements, list) or handle is None:
        raise Unreadable(f"nft: a rule without expression or handle: {item!r:.80}")
    packets: int | None = None
    expression: list[Any] = []
    for statement in statements:
        counter = statement.get(_COUNTER) if isinstance(statement, dict) else None
        if isinstance(counter, dict):
            packets = _number(counter, "packets") if packets is None else packets
            expression.append({_COUNTER: None})
        else:
            expression.append(statement)
    return NftRule(handle, json.dumps(expression, separators=(",", ":")), packets, None)


def _objects(text: str, kind: str) -> list[Mapping[str, Any]]:
    """Objects of one kind, libnftables-json(5). Raises Unreadable."""
    try:
        data = json.loads(text) if text.strip() else {"nftables": []}
        found = [item[kind] for item in data["nftables"] if kind in item]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise Unreadable(f"nft: its JSON cannot be read: {exc}") from None
    if not all(isinstance(item, dict) for item in found):
        raise Unreadable(f"nft: a {kind} is no object")
    return found


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"nft: no {name} in {item!r:.80}")
    return value


def _optional(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) else None


def _number(item: Mapping[str, Any], name: str) -> int | None:
    value = item.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _device(value: Any) -> str | None:
    """Device of an ingress chain; newer nft(8) writes a list of them."""
    if isinstance(value, list):
        return ",".join(str(name) for name in value)
    return value if isinstance(value, str) else None
