"""Names and addresses of a lab."""

import ipaddress
import itertools

import pytest

from tests.lab import spec
from tests.lab.errors import LabError
from tests.lab.spec import Spec, node_address, node_mac, node_names, spec_from_environment


def test_addresses_of_nodes() -> None:
    """The first node is .11, and so on."""
    assert [node_address(node) for node in node_names(3)] == [
        "198.18.0.11",
        "198.18.0.12",
        "198.18.0.13",
    ]


def test_no_two_things_have_one_address() -> None:
    """As many nodes as there may be, beside the rack's own addresses, all on one network."""
    nodes = [node_address(node) for node in node_names(spec.MAX_NODES)]
    everything = [*nodes, str(spec.GATEWAY), str(spec.RESOLVER), str(spec.WEB)]
    assert len(everything) == len(set(everything))
    switch = ipaddress.ip_network(f"{spec.GATEWAY}/24", strict=False)
    assert all(ipaddress.ip_address(address) in switch for address in everything)
    assert len({node_mac(node) for node in node_names(spec.MAX_NODES)}) == spec.MAX_NODES


def test_networks_do_not_overlap() -> None:
    """Nodes, pods and Services are apart, in the range that is reserved for tests."""
    switch = ipaddress.IPv4Network(f"{spec.GATEWAY}/24", strict=False)
    networks = (switch, spec.PODS, spec.SERVICES)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))
    reserved = ipaddress.IPv4Network("198.18.0.0/15")
    assert all(network.subnet_of(reserved) for network in networks)
    assert str(spec.DNS_SERVICE) == "198.19.128.10"


@pytest.mark.parametrize("count", [0, -1, spec.MAX_NODES + 1])
def test_too_few_or_too_many_nodes(count: int) -> None:
    with pytest.raises(LabError, match="between 1 and"):
        node_names(count)


@pytest.mark.parametrize("node", ["n0", "n", "n01", "rack", "n99", "1", "n1 "])
def test_what_is_no_node(node: str) -> None:
    with pytest.raises(LabError, match="not the name of a node"):
        node_address(node)


@pytest.mark.parametrize("name", ["", "A", "a_b", "a.n1", "-a", "a-", "../a", "a" * 41])
def test_what_is_no_name_of_a_lab(name: str) -> None:
    with pytest.raises(LabError, match="name of a lab"):
        Spec(name)


def test_labs_share_no_name() -> None:
    """No choice of names makes one lab's node another lab's rack."""
    for one, other in itertools.permutations((Spec("a"), Spec("a-n1"), Spec("n1")), 2):
        names = {one.rack_netns, one.node_netns("n1"), one.cgroup, str(one.home)}
        others = {other.rack_netns, other.node_netns("n1"), other.cgroup, str(other.home)}
        assert not names & others


def test_name_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A given name comes before the environment's, that before the default."""
    monkeypatch.delenv("NETDOCTOR_LAB_NAME", raising=False)
    assert spec_from_environment().name == "ndlab"
    monkeypatch.setenv("NETDOCTOR_LAB_NAME", "mine")
    assert spec_from_environment().name == "mine"
    assert spec_from_environment("given").name == "given"
