"""ENC-03: ICMP passes the tunnel, UDP or TCP vanishes, and nothing on the nodes takes it."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.facts.transport import HOST_PORT
from tests.unit.checks.firewalls import iptables_rule
from tests.unit.recorded import findings
from tests.unit.transport_samples import measured, no_tcp, quiet, refused, split, tcp_only, unheard


def test_swallowed_in_the_tunnel() -> None:
    """No checksum is wrong, no rule takes them, and both pass below."""
    (found,) = findings(
        "ENC-03", measured(split("overlay"), deaf={"n1": {"n3"}, "n2": {"n3"}})
    )  # fmt: skip
    assert found.nodes == {"n3"}
    assert found.title == "UDP and TCP vanished in the tunnel, while ICMP passes"
    assert set(found.paths) == {("n3", "n1"), ("n3", "n2")}
    assert found.confidence is Confidence.LIKELY
    assert not findings("ENC-02", measured(split("overlay")))


def test_tcp_alone_is_swallowed() -> None:
    """The protocol is named."""
    (found,) = findings("ENC-03", measured(split("overlay", tcp_only)))
    assert found.title == "TCP vanished in the tunnel, while ICMP passes"


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_rule_of_the_host_takes_them(protocol: str) -> None:
    """That is the firewall's own doing, and no fault of the tunnel."""
    rule = f"-A INPUT -i flannel.1 -p {protocol} --dport {HOST_PORT} -j DROP"
    fenced = iptables_rule(measured(split("overlay")), "nft", "INPUT", rule)
    assert quiet(fenced)


def test_refused_in_the_tunnel_is_a_firewall() -> None:
    """Whoever says no loses nothing."""
    assert quiet(
        measured(split("overlay", lambda p: dataclasses.replace(p, tcp=no_tcp("refused"))))
    )


def test_filtered_below_too_is_a_filter() -> None:
    """A firewall that lets ICMP and the tunnel through, and knows nothing of our port."""
    assert quiet(measured({**split("overlay"), **split("node")}))
    assert quiet(measured({**split("overlay", unheard), **split("node", unheard)}))
    assert quiet(measured({**split("overlay", refused), **split("node", refused)}))
