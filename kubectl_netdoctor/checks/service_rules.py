"""What kube-proxy's iptables mode has programmed: each Service address with its backends.

Source: kubernetes, pkg/proxy/iptables/proxier.go; iptables-save's own order and quoting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubectl_netdoctor.facts.netfilter import IptablesChain, IptablesRule, IptablesRuleset

Key = tuple[str, str, int]
"""Address, protocol (TCP, UDP, SCTP) and port that clients use."""

PREFIX = "KUBE-"
BACKEND = "KUBE-SEP-"
SERVICE_CHAINS = ("KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-")
CLUSTER_IP = "cluster IP"
REFUSALS = ("has no endpoints", "has no local endpoints")
UNREADABLE = "?"  # a destination that this node's iptables-save could not print
MAX_DEPTH = 4  # KUBE-FW-, KUBE-EXT-, KUBE-SVC-: no chain of kube-proxy goes deeper
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
# The two rules that make up nearly all of a large ruleset, exactly as kube-proxy writes them.
_USUAL = re.compile(
    r'(?:-p \w+ )?-m comment --comment "[^"\\]*" (?:-m statistic --mode random --probability [\d.]+ )?'
    r"(?:-j (KUBE-SEP-\w+)|-m \w+ -j DNAT --to-destination (\S+))"
)
_VALUED = frozenset({"-d", "-p", "--dport", "--comment", "-j", "-g", "--to-destination"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What one address leads to. `port_name` is kube-proxy's own name: `namespace/name:port`.

    `refused`: a REJECT or DROP rule takes its packets, moved or not; `moved`: packets of that rule
    inside the window. `young`: one of its rules was not there at the window's start.
    """

    port_name: str
    kind: str  # `cluster IP`, `external IP` …, as the comment says
    backends: frozenset[str]
    refused: bool
    young: bool
    moved: int | None = None

    @property
    def readable(self) -> bool:
        """Whether every destination could be read: an older iptables prints newer rules in part."""
        return UNREADABLE not in self.backends

    @property
    def service(self) -> str:
        """`namespace/name`."""
        return self.port_name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Programmed:
    """All Service addresses of one ruleset, and the node ports by protocol and number."""

    entries: dict[Key, Entry]
    node_ports: dict[tuple[str, int], Entry]


def addresses(ruleset: IptablesRuleset) -> int:
    """How many Service addresses have a rule, without reading what they lead to."""
    return sum(
        any(c in rule.spec for c in SERVICE_CHAINS) or any(r in rule.spec for r in REFUSALS)
        for table in ("nat", "filter")
        for rule in _rules(ruleset.chain(table, "KUBE-SERVICES"))
    )


def programmed(ruleset: IptablesRuleset) -> Programmed:
    """Read the Service rules of one backend's nat and filter tables."""
    chains = {(c.table, c.name): c for c in ruleset.chains if c.name.startswith(PREFIX)}
    nat = {name: chain for (table, name), chain in chains.items() if table == "nat"}
    backends = _Backends(nat)
    entries: dict[Key, Entry] = {}
    ports: dict[tuple[str, int], Entry] = {}
    for name in ("KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES"):
        for rule in _rules(chains.get(("filter", name))):
            _refusal(rule, entries, ports)
    for rule in _rules(nat.get("KUBE-NODEPORTS")):
        options = words(rule.spec)
        target, port = options.get("-j", ""), options.get("--dport", "")
        if target.startswith(SERVICE_CHAINS) and port.isdecimal() and "-d" not in options:
            entry = _entry(options, rule, backends)
            ports[options.get("-p", "").upper(), int(port)] = entry
    for rule in _rules(nat.get("KUBE-SERVICES")):
        options = words(rule.spec)
        key = _key(options)
        if key and options.get("-j", "").startswith(SERVICE_CHAINS):
            entries[key] = _entry(options, rule, backends)
    return Programmed(entries, ports)


class _Backends:
    """Destinations below a chain, each chain read once."""

    def __init__(self, nat: Mapping[str, IptablesChain]) -> None:
        self.nat = nat
        self.known: dict[str, tuple[frozenset[str], bool]] = {}

    def of(self, name: str, depth: int = 0) -> tuple[frozenset[str], bool]:
        """Destinations, and whether a rule on the way to them is younger than the window."""
        if name in self.known:
            return self.known[name]
        found: set[str] = set()
        young = False
        for rule in _rules(self.nat.get(name)) if depth < MAX_DEPTH else ():
            target, destination = _goes_to(rule.spec)
            if destination:
                found.add(destination)
            elif target:
                below, fresh = self.of(target, depth + 1)
                found |= below
                young = young or fresh
            else:
                continue  # marks for masquerading and the like
            young = young or rule.moved is None
        self.known[name] = (frozenset(found), young)
        return self.known[name]


def _goes_to(spec: str) -> tuple[str | None, str | None]:
    """The Service or backend chain that a rule jumps to, or the destination that it sets."""
    usual = _USUAL.fullmatch(spec)
    if usual:
        return usual[1], usual[2]
    if "DNAT" not in spec and BACKEND not in spec and not any(c in spec for c in SERVICE_CHAINS):
        return None, None
    options = words(spec)
    target = options.get("-j", "")
    if target == "DNAT":
        return None, options.get("--to-destination") or UNREADABLE
    return (target if target.startswith((BACKEND, *SERVICE_CHAINS)) else None), None


def _rules(chain: IptablesChain | None) -> tuple[IptablesRule, ...]:
    return chain.rules if chain else ()


def words(spec: str) -> dict[str, str]:
    """The options of a rule that matter here; a negated one is left out."""
    found: dict[str, str] = {}
    option, negated = "", False
    for quoted, plain in _WORD.findall(spec):
        if option:
            if not negated:
                found[option] = quoted or plain
            option, negated = "", False
        elif plain in _VALUED:
            option = "-j" if plain == "-g" else plain
        else:
            negated = plain == "!"
    return found


def _key(options: Mapping[str, str]) -> Key | None:
    address, prefix = (options.get("-d", "").partition("/"))[::2]
    port = options.get("--dport", "")
    if not address or prefix not in ("", "32", "128") or not port.isdecimal():
        return None
    return address, options.get("-p", "").upper(), int(port)


def _named(comment: str) -> tuple[str, str]:
    """kube-proxy's name of the Service port, and the rest of the comment."""
    name, _, kind = comment.partition(" ")
    return name, kind


def _entry(options: Mapping[str, str], rule: IptablesRule, backends: _Backends) -> Entry:
    name, kind = _named(options.get("--comment", ""))
    found, young = backends.of(options["-j"])
    return Entry(name, kind, found, refused=False, young=young or rule.moved is None)


def _refusal(
    rule: IptablesRule, entries: dict[Key, Entry], ports: dict[tuple[str, int], Entry]
) -> None:
    """A REJECT or DROP for a Service without endpoints."""
    options = words(rule.spec)
    name, kind = _named(options.get("--comment", ""))
    if options.get("-j") not in ("REJECT", "DROP") or kind not in REFUSALS:
        return
    entry = Entry(name, kind, frozenset(), refused=True, young=rule.moved is None, moved=rule.moved)
    key, port = _key(options), options.get("--dport", "")
    if key:
        entries[key] = entry
    elif port.isdecimal():
        ports[options.get("-p", "").upper(), int(port)] = entry


def all_refusals(ruleset: IptablesRuleset) -> Iterator[tuple[str, Entry]]:
    """Every refusing rule with its chain, those beside a working address included."""
    for name in ("KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES"):
        for rule in _rules(ruleset.chain("filter", name)):
            entries: dict[Key, Entry] = {}
            ports: dict[tuple[str, int], Entry] = {}
            _refusal(rule, entries, ports)
            for entry in (*entries.values(), *ports.values()):
                yield name, entry
