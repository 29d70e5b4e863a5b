"""Kernel parameters by name, with patterns, and absence for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubectl_netdoctor.agent.collectors import sysctls
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.base import Missing, Reason

FILES = {
    "proc/sys/net/ipv4/ip_forward": "1\n",
    "proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n",
    "proc/sys/net/ipv4/conf/all/rp_filter": "2\n",
    "proc/sys/net/ipv4/conf/eth0/rp_filter": "0\n",
    "proc/sys/net/ipv4/conf/eth0.100/rp_filter": "1\n",
}


def values(node: Callable[..., Run], *names: str) -> dict[str, str | Missing]:
    """Values of these names."""
    return sysctls.sysctls(node(FILES, sysctls=names)).values


def test_white_space_is_single(node: Callable[..., Run]) -> None:
    """The kernel separates with tabs."""
    assert values(node, "net.ipv4.tcp_rmem") == {"net.ipv4.tcp_rmem": "4096 131072 6291456"}


@pytest.mark.parametrize(
    "name",
    [
        "net.ipv4.conf.eth0/100.rp_filter",
        "net/ipv4/conf/eth0.100/rp_filter",
    ],
)
def test_interface_with_a_dot(node: Callable[..., Run], name: str) -> None:
    """Both of sysctl(8)'s forms, kept under the name that was asked for."""
    assert values(node, name) == {name: "1"}


def test_pattern_stands_for_real_names(node: Callable[..., Run]) -> None:
    """Keys are real names, in the dotted form."""
    assert values(node, "net.ipv4.conf.*.rp_filter") == {
        "net.ipv4.conf.all.rp_filter": "2",
        "net.ipv4.conf.eth0.rp_filter": "0",
        "net.ipv4.conf.eth0/100.rp_filter": "1",
    }


def test_absent_is_missing_and_not_zero(node: Callable[..., Run]) -> None:
    """A parameter that the namespace does not have, and a pattern without a match."""
    found = values(node, "net.ipv4.neigh.default.gc_thresh3", "net.ipv6.conf.*.accept_ra")
    assert {type(value) for value in found.values()} == {Missing}
    assert set(found) == {"net.ipv4.neigh.default.gc_thresh3", "net.ipv6.conf.*.accept_ra"}
    for value in found.values():
        assert isinstance(value, Missing)
        assert value.reason is Reason.NOT_PRESENT


@pytest.mark.parametrize("name", ["net/../../../etc/passwd", "..", "", "net..ipv4", "net.ipv4"])
def test_no_name_leaves_the_directory(node: Callable[..., Run], name: str) -> None:
    """A name that is none, or a directory, is Missing."""
    assert isinstance(values(node, name)[name], Missing)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("kernel.pid_max", ("kernel", "pid_max")),
        ("vm/swappiness", ("vm", "swappiness")),
        ("net.ipv4.conf.eth0/100.rp_filter", ("net", "ipv4", "conf", "eth0.100", "rp_filter")),
    ],
)
def test_names_round_trip(name: str, parts: tuple[str, ...]) -> None:
    """Splitting and joining meet in the dotted form."""
    assert sysctls.split_name(name) == parts
    assert sysctls.split_name(sysctls.join_name(parts)) == parts
