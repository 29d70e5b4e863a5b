"""RTE-08."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.link import Routes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.facts.system import ProtocolCounters, Sysctls
from tests.unit.checks.test_tunnel_port_blocked import silent_tunnel
from tests.unit.recorded import change_items, change_node, findings, healthy, outcomes

COUNTER = "TcpExt.IPReversePathFilter"


def filtered(
    snapshot: Snapshot, *, everywhere: str = "0", tunnel: str = "1", moved: int = 20
) -> Snapshot:
    """n3 with these filters, and the counter moved by so much."""
    with_counters = dataclasses.replace(
        snapshot,
        nodes=tuple(
            dataclasses.replace(
                n,
                envelope=n.envelope
                and dataclasses.replace(
                    n.envelope,
                    facts={
                        **n.envelope.facts,
                        "protocol_counters": ProtocolCounters(1.0, {COUNTER: moved}),
                    },
                ),
            )
            if n.name == "n3"
            else n
            for n in snapshot.nodes
        ),
    )
    values = {
        "net.ipv4.conf.all.rp_filter": everywhere,
        "net.ipv4.conf.flannel/1.rp_filter": tunnel,
        "net.ipv4.conf.eth0.rp_filter": "0",
    }
    return change_node(with_counters, "n3", Sysctls, lambda s: Sysctls({**s.values, **values}))


def crossed(snapshot: Snapshot) -> Snapshot:
    """n3 sends to n1's pods by its NIC, while n1 sends through the tunnel."""
    return change_node(
        snapshot, "n3", Routes,
        change_items(
            Routes,
            lambda r: dataclasses.replace(r, gateway="198.18.0.11", interface="eth0")
            if r.destination == "198.19.0.0/24" and r.interface == "flannel.1" else r,
        ),
    )  # fmt: skip


def test_an_asymmetric_way_with_a_strict_tunnel_fires() -> None:
    """Filter, counter and the way back fit together."""
    (found,) = findings("RTE-08", filtered(crossed(healthy())))
    assert found.nodes == {"n3"}
    assert found.confidence is Confidence.CERTAIN
    assert "the way back is by eth0" in found.evidence[0].text
    assert found.fix.commands[0] == "sysctl -w net.ipv4.conf.flannel/1.rp_filter=2"


def test_probes_outside_the_window_prove_it_too() -> None:
    """The peer's agent probed before this node's window began: the counter did not move in it."""
    missed = filtered(crossed(silent_tunnel(healthy(), "n1", {"n3"})), moved=0)
    (found,) = findings("RTE-08", missed)
    assert found.confidence is Confidence.CERTAIN


def test_a_peer_without_an_answer_is_likely() -> None:
    """The way is not known, but something is lost."""
    (found,) = findings("RTE-08", filtered(silent_tunnel(healthy(), "n1", {"n3"})))
    assert found.confidence is Confidence.LIKELY
    assert "no answer between this node and n1" in [e.text for e in found.evidence]


@pytest.mark.parametrize(
    "quiet",
    [
        filtered(healthy()),
        filtered(crossed(healthy()), moved=0),
        filtered(crossed(healthy()), tunnel="2", everywhere="1"),
        filtered(crossed(healthy()), tunnel="0"),
    ],
    ids=["foreign broadcasts", "no drop", "loose wins over strict", "off"],
)
def test_it_is_silent(quiet: Snapshot) -> None:
    """A default of the distribution, a counter alone, a filter alone."""
    assert findings("RTE-08", quiet) == []


def test_without_the_value_nothing_is_claimed() -> None:
    """A node that was not asked for it, as by an older tool."""
    unasked = healthy()
    for name in ("n1", "n2", "n3"):
        unasked = change_node(
            unasked,
            name,
            Sysctls,
            lambda s: Sysctls({k: v for k, v in s.values.items() if "rp_filter" not in k}),
        )
    assert findings("RTE-08", unasked) == []
    assert outcomes("RTE-08", unasked) == {"Skipped"}
