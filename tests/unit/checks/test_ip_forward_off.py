"""RTE-09."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.checks.base import Severity
from kubectl_netdoctor.facts.base import Missing, Reason
from tests.unit.recorded import findings, healthy, outcomes, sysctl

NAME = "net.ipv4.ip_forward"


def test_it_fires_on_the_node_with_forwarding_off() -> None:
    """0 on n3 is a critical finding about n3 alone."""
    (found,) = findings("RTE-09", sysctl(healthy(), "n3", NAME, "0"))
    assert found.severity is Severity.CRITICAL
    assert found.nodes == {"n3"}
    assert "net.ipv4.ip_forward = 0" in found.evidence[0].text


@pytest.mark.parametrize("value", ["1", "2"])
def test_it_is_silent_when_forwarding_is_on(value: str) -> None:
    """Any value but 0 forwards."""
    assert findings("RTE-09", sysctl(healthy(), "n3", NAME, value)) == []


def test_an_unread_value_is_neither_a_finding_nor_a_pass_of_zero() -> None:
    """A parameter that could not be read is not 0."""
    unread = sysctl(healthy(), "n3", NAME, Missing(Reason.DENIED, "no"))
    assert findings("RTE-09", unread) == []
    assert outcomes("RTE-09", unread) == {"Passed", "Skipped"}


@pytest.mark.parametrize(
    ("link", "whose"), [("cni0", "from its pods"), ("flannel/1", "from other nodes")]
)
def test_a_link_of_the_pod_network_that_does_not_forward(link: str, whose: str) -> None:
    """Forwarding is on, and off for the bridge or the tunnel alone."""
    off = sysctl(healthy(), "n3", f"net.ipv4.conf.{link}.forwarding", "0")
    (found,) = findings("RTE-09", off)
    assert found.nodes == {"n3"}
    assert whose in found.title
    assert f"net.ipv4.conf.{link}.forwarding = 0" in found.evidence[0].text


@pytest.mark.parametrize("link", ["eth0", "docker0", "default"])
def test_links_that_pods_do_not_use_may_stay_off(link: str) -> None:
    """A hardened NIC below a tunnel, and bridges of others, forward nothing for pods."""
    off = sysctl(healthy(), "n3", f"net.ipv4.conf.{link}.forwarding", "0")
    assert findings("RTE-09", off) == []
