"""iptables rules of both backends with their counters, IPv4."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.counters import moved
from kubectl_netdoctor.agent.host import Host, need_root
from kubectl_netdoctor.agent.modules import loaded
from kubectl_netdoctor.agent.registry import windowed
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.netfilter import (
    Backend,
    Iptables,
    IptablesChain,
    IptablesRule,
    IptablesRuleset,
)

MOST_LINES = 100_000
"""A larger ruleset is Missing as a whole: a part of one would be read as rules that are not there."""
TIMEOUT_SECONDS = 20.0
_CHAIN = re.compile(r":(\S+) (\S+)(?: \[([0-9]{1,20}):[0-9]{1,20}\])?")
_RULE = re.compile(r"(?:\[([0-9]{1,20}):[0-9]{1,20}\] )?-A (\S+) ?(.*)")


Chains = tuple[IptablesChain, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Chains of both backends, or why there are none."""

    legacy: Chains | Missing
    nft: Chains | Missing


def read(run: Run) -> Sample:
    """iptables-save(8) of both backends, each by its own name."""
    return Sample(_backend(run.host, "legacy"), _backend(run.host, "nft"))


def _backend(host: Host, backend: Backend) -> Chains | Missing:
    try:
        return parse(_save(host, backend))
    except Absence as absence:
        return absence.missing()


def _save(host: Host, backend: Backend) -> str:
    """Text of one backend. Nothing is run that would load a kernel module."""
    need_root(host, "iptables-save reads rules with CAP_NET_ADMIN")
    if backend == "legacy" and not _legacy_tables(host):
        return ""
    if backend == "nft" and not loaded(host, "nf_tables"):
        raise NotPresent("the kernel has not loaded nf_tables")
    return host.run([f"iptables-{backend}-save", "-c"], TIMEOUT_SECONDS)


def _legacy_tables(host: Host) -> bool:
    """Whether any legacy table exists; reading one that does not would load ip_tables."""
    try:
        return bool(host.kernel(host.proc / "net/ip_tables_names").strip())
    except NotPresent:
        return False


@windowed("iptables", read, outlasts=True)
def iptables(before: Sample, after: Sample, window: Window) -> Iptables:
    """Both rulesets at the window's end."""
    return Iptables(
        window_seconds=window.seconds,
        legacy=_ruleset("legacy", before.legacy, after.legacy, window),
        nft=_ruleset("nft", before.nft, after.nft, window),
    )


def _ruleset(
    backend: Backend, before: Chains | Missing, after: Chains | Missing, window: Window
) -> IptablesRuleset | Missing:
    if isinstance(after, Missing):
        return after
    if isinstance(before, Missing):
        window.note(f"iptables {backend}: no reading at the window's start: {before.detail}")
        return IptablesRuleset(backend, 4, after)
    return IptablesRuleset(backend, 4, with_movement(before, after))


def parse(text: str) -> Chains:
    """Chains of iptables-save output; `moved` is None everywhere. Raises Unreadable."""
    if text.count("\n") > MOST_LINES:
        raise Unreadable(f"too many rules: more than {MOST_LINES} lines")
    table = ""
    chains: dict[tuple[str, str], IptablesChain] = {}
    rules: dict[tuple[str, str], list[IptablesRule]] = {}
    for line in text.split("\n"):  # a comment may hold what Python calls a line break
        if not line or line[0] == "#" or line == "COMMIT":
            continue
        if line[0] == "*":
            table = line[1:]
        elif line[0] == ":":
            chain = _chain(table, line)
            chains[table, chain.name] = chain
            rules.setdefault((table, chain.name), [])
        else:
            name, rule = _rule(line)
            if (table, name) not in chains:
                raise Unreadable(
                    f"iptables-save: a rule of a chain that is not there: {line!r:.80}"
                )
            rules[table, name].append(rule)
    return tuple(replace(chain, rules=tuple(rules[key])) for key, chain in chains.items())


def _chain(table: str, line: str) -> IptablesChain:
    """A line such as `:INPUT ACCEPT [12:34]`; `-` is the policy of a chain made by a user."""
    found = _CHAIN.fullmatch(line)
    if found is None or not table:
        raise Unreadable(f"iptables-save: {line!r:.80}")
    policy = None if found[2] == "-" else found[2]
    return IptablesChain(table, found[1], policy, int(found[3] or 0), None, ())


def _rule(line: str) -> tuple[str, IptablesRule]:
    """A line such as `[12:34] -A INPUT -j ACCEPT`."""
    found = _RULE.fullmatch(line)
    if found is None:
        raise Unreadable(f"iptables-save: {line!r:.80}")
    return found[2], IptablesRule(found[3], int(found[1] or 0), None)


def with_movement(before: Chains, after: Chains) -> Chains:
    """`after` with what moved since `before`.

    A rule is the same one when table, chain, text and its place among equal texts are. A counter
    that went back belongs to a rule made anew: its movement is unknown.
    """
    policies = {(c.table, c.name): c.packets for c in before if c.policy is not None}
    counts = {key: rule.packets for key, rule in _keyed(before)}
    movement = (
        moved(counts[key], rule.packets) if key in counts else None for key, rule in _keyed(after)
    )
    out = []
    for chain in after:
        then = policies.get((chain.table, chain.name))
        own = None if then is None or chain.policy is None else moved(then, chain.packets)
        rules = tuple(
            IptablesRule(rule.spec, rule.packets, step)
            for rule, step in zip(chain.rules, movement, strict=False)
        )
        out.append(replace(chain, moved=own, rules=rules))
    return tuple(out)


def _keyed(chains: Chains) -> Iterator[tuple[tuple[str, str, str, int], IptablesRule]]:
    """Every rule with what it is known by."""
    for chain in chains:
        seen: Counter[str] = Counter()
        for rule in chain.rules:
            yield (chain.table, chain.name, rule.spec, seen[rule.spec]), rule
            seen[rule.spec] += 1
