"""Measured path sizes laid over the recorded healthy lab: what the checks of the MTU are tested on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import permutations

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.link import Interfaces
from kubectl_netdoctor.facts.path_mtu import (
    Arrival,
    MtuRole,
    PathMtu,
    PathMtus,
    SizeProbe,
    TooBig,
)
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.recorded import change_items, change_node, healthy

NODES = ("n1", "n2", "n3")
ROUTER = "198.18.0.1"
Sizes = tuple[SizeProbe, ...]


def address(name: str) -> str:
    """A lab node's address."""
    return f"198.18.0.1{name[1:]}"


def passes(size: int) -> Sizes:
    """The device's MTU passes at once."""
    return (SizeProbe(size, 1, 1, {}),)


def silent(limit: int, top: int = 1500, *, lost: int = 0, tries: int = 6) -> Sizes:
    """Up to the limit all is answered, but for so many lost; above it all is silent."""
    errors = {"timeout": lost} if lost else {}
    return (
        SizeProbe(84, 1, 1, {}),
        SizeProbe(limit, 4 + lost, 4, errors),
        SizeProbe(limit + 1, tries, 0, {"timeout": tries}),
        SizeProbe(top, 3, 0, {"timeout": 3}),
    )


def refused(limit: int, error: str, top: int = 1500) -> Sizes:
    """Up to the limit all is answered; what is larger comes back with an error."""
    return (
        SizeProbe(84, 1, 1, {}),
        SizeProbe(limit, 1, 1, {}),
        SizeProbe(limit + 1, 1, 0, {error: 1}),
        SizeProbe(top, 1, 0, {error: 1}),
    )


def nothing(top: int = 1500) -> Sizes:
    """A peer that answers no echo."""
    return (SizeProbe(84, 2, 0, {"timeout": 2}), SizeProbe(top, 3, 0, {"timeout": 3}))


def under(peer: str, sizes: Sizes | None = None, *, nic: int = 1500, **changes: object) -> PathMtu:
    """A path on the underlay."""
    path = _path(peer, "node", "eth0", nic, sizes or passes(nic))
    return dataclasses.replace(path, **changes)  # type: ignore[arg-type]  # fields by name


def over(peer: str, sizes: Sizes | None = None, *, mtu: int = 1450, **changes: object) -> PathMtu:
    """A path through the tunnel."""
    path = _path(peer, "overlay", "flannel.1", mtu, sizes or passes(mtu))
    return dataclasses.replace(path, **changes)  # type: ignore[arg-type]


def _path(peer: str, role: MtuRole, device: str, mtu: int, sizes: Sizes) -> PathMtu:
    return PathMtu(
        peer=peer,
        role=role,
        address=address(peer) if role == "node" else f"198.19.{peer[1:]}.0",
        device=device,
        device_mtu=mtu,
        route_mtu=None,
        gateway=None,
        sizes=sizes,
        too_big=(),
        fragmented=None,
    )


def told(peer: str, limit: int = 1400, mtu: int | None = None) -> PathMtu:
    """A path on which a router refuses."""
    asked = limit if mtu is None else mtu
    return under(
        peer,
        refused(limit, "packet-too-big"),
        gateway=ROUTER,
        too_big=(TooBig(ROUTER, limit + 1, asked),),
    )


Matrix = Mapping[tuple[str, str], tuple[PathMtu, ...]]


def measured(
    failing: Matrix,
    *,
    nodes: tuple[str, ...] = NODES,
    arrivals: Mapping[str, tuple[Arrival, ...]] | None = None,
    tunnel: bool = True,
    nics: Mapping[str, int] | None = None,
) -> Snapshot:
    """The healthy lab, with paths of every scanned node; those that are not named fit."""
    nics = nics or {}
    snapshot = healthy()
    facts: dict[str, tuple[PathMtu, ...]] = {}
    for here, there in permutations(NODES, 2):
        nic = nics.get(here, 1500)
        usual = (under(there, nic=nic), *((over(there, mtu=nic - 50),) if tunnel else ()))
        named = {p.role: p for p in failing.get((here, there), ())}
        facts[here] = (*facts.get(here, ()), *(named.get(p.role, p) for p in usual))
    reports = []
    for report in snapshot.nodes:
        envelope = report.envelope
        assert envelope is not None
        fact = PathMtus(facts[report.name], (arrivals or {}).get(report.name, ()))
        known = {**envelope.facts, KEYS[PathMtus]: fact}
        if report.name in nodes:
            reports.append(
                dataclasses.replace(report, envelope=dataclasses.replace(envelope, facts=known))
            )
    return dataclasses.replace(snapshot, nodes=tuple(reports))


def device(snapshot: Snapshot, node: str, name: str, mtu: int) -> Snapshot:
    """The snapshot with another MTU of one link."""
    return change_node(
        snapshot,
        node,
        Interfaces,
        change_items(
            Interfaces, lambda i: dataclasses.replace(i, mtu=mtu) if i.name == name else i
        ),
    )
