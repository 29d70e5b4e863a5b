"""Captures of two nodes, made up interface by interface: what the ledger is tested on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.hops import Hops, ProbeKind, Sighting, Tap, WayOut, place_of
from kubectl_netdoctor.facts.snapshot import Snapshot

ALL = (1 << 21) - 2  # sequence numbers 1 to 20
ROLES = {"eth0": "nic", "flannel.1": "tunnel", "cni0": "bridge", "veth1": "port", "pod0": "pod"}
ADDRESSES = {"n1": "198.18.0.11", "n2": "198.18.0.12", "n3": "198.18.0.13"}
WAY = {
    # The steps of each kind, sender and receiver, requests and then answers.
    "node": ("s:eth0:out", "r:eth0:in", "r:eth0:out", "s:eth0:in"),
    "overlay": (
        "s:flannel.1:out", "s:eth0:out", "r:eth0:in", "r:flannel.1:in",
        "r:flannel.1:out", "r:eth0:out", "s:eth0:in", "s:flannel.1:in",
    ),
    "pod": (
        "s:pod0:out", "s:veth1:in", "s:cni0:in", "s:flannel.1:out", "s:eth0:out",
        "r:eth0:in", "r:flannel.1:in", "r:cni0:out", "r:veth1:out", "r:pod0:in",
        "r:pod0:out", "r:veth1:in", "r:cni0:in", "r:flannel.1:out", "r:eth0:out",
        "s:eth0:in", "s:flannel.1:in", "s:cni0:out", "s:veth1:out", "s:pod0:in",
    ),
}  # fmt: skip


def sightings(
    pair: tuple[str, str],
    kind: ProbeKind,
    reached: int,
    /,
    *,
    lost: int = ALL,
    only: int = ALL,
    **changes: Any,
) -> list[tuple[str, Sighting]]:
    """All numbers of `only` get to the end, but those of `lost` to the first so many steps."""
    found = []
    steps = WAY[kind]
    for number, step in enumerate(steps):
        side, name, way = step.split(":")
        seen = only if number < reached else only & ~lost
        if not seen:
            continue
        outer = kind != "node" and name == "eth0"
        towards = pair[1] if number < len(steps) // 2 else pair[0]
        made = Sighting(
            interface=name,
            role=ROLES[name],  # type: ignore[arg-type]  # one of the roles
            way=way,  # type: ignore[arg-type]
            wrap="vxlan" if outer else "none",
            outer=ADDRESSES[towards] if outer else None,
            source="",
            destination="",
            sender=place_of(pair[0]),
            receiver=place_of(pair[1]),
            kind=kind,
            protocol="icmp",
            answer=number >= len(steps) // 2,
            packets=seen.bit_count(),
            foreign=0,
            largest=44,
            sequences=f"{seen:x}",
            first=100.0,
            last=101.0,
        )
        found.append((pair[side == "r"], dataclasses.replace(made, **changes)))
    return found


def captures(
    *groups: Iterable[tuple[str, Sighting]],
    nodes: Iterable[str] = ("n1", "n3"),
    pods: bool = False,
    **changes: Any,
) -> dict[str, Hops]:
    """The facts of all nodes."""
    rows = [row for group in groups for row in group]
    names = list(ROLES) if pods else ["eth0", "flannel.1"]
    found = {}
    for node in nodes:
        others = [n for n in ADDRESSES if n != node]
        ways = [WayOut(n, "node", ADDRESSES[n], "eth0") for n in others]
        ways += [WayOut(n, "overlay", f"198.19.{n[1]}.0", "flannel.1") for n in others]
        fact = Hops(
            started=99.5,
            ended=102.5,
            taps=tuple(Tap(n, ROLES[n], None, 0) for n in names),  # type: ignore[arg-type]
            ways=tuple(ways),
            sightings=tuple(s for name, s in rows if name == node),
            truncated=0,
        )
        found[node] = dataclasses.replace(fact, **changes)
    return found


def with_hops(snapshot: Snapshot, hops: Mapping[str, Hops]) -> Snapshot:
    """The snapshot, with these captures."""
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        if envelope is not None and report.name in hops:
            facts = {**envelope.facts, KEYS[Hops]: hops[report.name]}
            envelope = dataclasses.replace(envelope, facts=facts)
        reports.append(dataclasses.replace(report, envelope=envelope))
    return dataclasses.replace(snapshot, nodes=tuple(reports))
