"""The hostPorts that the portmap CNI plugin has programmed on a node, in the kernel's order.

Source: containernetworking/plugins, plugins/meta/portmap (portmap_iptables.go, portmap_nftables.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.netfilter import Iptables, IptablesRuleset, Nftables, NftChain

ENTRY, PER_POD = "CNI-HOSTPORT-DNAT", "CNI-DN-"
NFT_TABLE = "cni_hostport"
NFT_CHAINS = ("hostports", "hostip_hostports")
_TARGET = re.compile(r"^\[?([0-9a-fA-F:.]+?)\]?:(\d+)$")
_OPTION = re.compile(r"(?:^|\s)(-d|-p|--dport|--to-destination) (\S+)")


@dataclass(frozen=True, slots=True)
class HostPort:
    """One translation. `host`: the node's address that it is bound to, None for all of them.

    `place`: the chain that holds it; `remove`: commands that take it away.
    """

    host: str | None
    protocol: str  # TCP, UDP, SCTP
    port: int
    target: str
    target_port: int
    place: str
    young: bool
    moved: int
    remove: tuple[str, ...]

    @property
    def key(self) -> tuple[str, int]:
        """What a client asks for."""
        return self.protocol, self.port

    def hides(self, later: HostPort) -> bool:
        """Whether this one, which comes first, takes all packets of a later one."""
        return self.key == later.key and self.host in (None, later.host)


def programmed(iptables: Iptables | None, nftables: Nftables | None) -> list[HostPort]:
    """All of them, in the order in which the kernel asks within one backend."""
    found: list[HostPort] = []
    for ruleset in (iptables.nft, iptables.legacy) if iptables else ():
        if not isinstance(ruleset, Missing):
            found += _of_iptables(ruleset)
    for chain in nftables.chains if nftables else ():
        if chain.table == NFT_TABLE and chain.name in NFT_CHAINS:
            found += _of_nft(chain)
    return found


def _of_iptables(ruleset: IptablesRuleset) -> Iterator[HostPort]:
    entry = ruleset.chain("nat", ENTRY)
    tool = f"ip{'6' if ruleset.family == 6 else ''}tables-{ruleset.backend} -t nat"
    for jump in entry.rules if entry else ():
        name = jump.spec.rpartition(" -j ")[2].split()[0] if " -j " in jump.spec else ""
        chain = ruleset.chain("nat", name) if name.startswith(PER_POD) else None
        for rule in chain.rules if chain else ():
            options = dict(_OPTION.findall(rule.spec))
            target = _TARGET.match(options.get("--to-destination", ""))
            port = options.get("--dport", "")
            if target is None or not port.isdecimal():
                continue
            yield HostPort(
                host=options["-d"].partition("/")[0] if "-d" in options else None,
                protocol=options.get("-p", "").upper(),
                port=int(port),
                target=target[1],
                target_port=int(target[2]),
                place=name,
                young=rule.moved is None or jump.moved is None,
                moved=rule.moved or 0,
                remove=(f"{tool} -D {ENTRY} {jump.spec}", f"{tool} -F {name}", f"{tool} -X {name}"),
            )


def _of_nft(chain: NftChain) -> Iterator[HostPort]:
    for rule in chain.rules:
        try:
            statements = json.loads(rule.expression)
        except ValueError:
            continue
        matched = dict(_matches(statements))
        nat = next((s["dnat"] for s in statements if isinstance(s, dict) and "dnat" in s), None)
        protocol = next((p for p in ("tcp", "udp", "sctp") if (p, "dport") in matched), None)
        if not isinstance(nat, dict) or protocol is None:
            continue
        port, address = matched[protocol, "dport"], nat.get("addr")
        if not isinstance(port, int) or not isinstance(address, str):
            continue
        host = matched.get(("ip", "daddr"), matched.get(("ip6", "daddr")))
        remove = f"nft delete rule {chain.family} {chain.table} {chain.name} handle {rule.handle}"
        yield HostPort(
            host=host if isinstance(host, str) else None,
            protocol=protocol.upper(),
            port=port,
            target=address,
            target_port=int(nat.get("port") or port),
            place=f"table {chain.table}",
            young=False,  # rules of nftables carry counters only where their maker wants them
            moved=rule.moved or 0,
            remove=(remove,),
        )


def _matches(statements: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    """Header fields that have to be equal to a value."""
    for statement in statements if isinstance(statements, list) else ():
        match = statement.get("match") if isinstance(statement, dict) else None
        left = match.get("left") if isinstance(match, dict) else None
        payload = left.get("payload") if isinstance(left, dict) else None
        if match and isinstance(payload, dict) and match.get("op") in ("==", "in"):
            yield (str(payload.get("protocol")), str(payload.get("field"))), match.get("right")
