"""What counts as left behind, in sentences."""

import struct

import pytest

from tests.lab.health import differences
from tests.lab.witness import on_api, on_node

WELL = {
    "cluster": {"configmap kube-system/coredns": "0123456789ab"},
    "n1": {"sysctl net/ipv4/ip_forward": "1", "link eth0": "up mtu 1500 qdisc noqueue"},
}


def changed(place: str, name: str, value: str | None) -> dict[str, dict[str, str]]:
    """Return the settings of a lab that is well but for one thing."""
    now = {place: dict(settings) for place, settings in WELL.items()}
    if value is None:
        del now[place][name]
    else:
        now[place][name] = value
    return now


@pytest.mark.parametrize(
    ("place", "name", "value", "sentence"),
    [
        ("n1", "sysctl net/ipv4/ip_forward", "0", "n1: sysctl net/ipv4/ip_forward is 0, was 1"),
        ("n1", "nft table inet t", "there", "n1: nft table inet t was not there before"),
        ("n1", "link eth0", None, "n1: link eth0 is no longer there"),
        (
            "cluster",
            "configmap kube-system/coredns",
            "ba9876543210",
            "cluster: configmap kube-system/coredns is not what it was",
        ),
    ],
)
def test_a_change_is_told(place: str, name: str, value: str | None, sentence: str) -> None:
    assert differences(WELL, changed(place, name, value)) == [sentence]


def test_what_is_as_it_was_is_not_told() -> None:
    assert differences(WELL, WELL) == []


def test_a_node_that_cannot_be_asked_is_told_elsewhere() -> None:
    assert differences(WELL, {"cluster": WELL["cluster"]}) == []


def test_the_bridge_of_the_pods_may_come_and_go() -> None:
    """It comes with a node's first pod; while it is there, it must stay as it was."""
    bridge = {"n1": {**WELL["n1"], "link cni0": "up mtu 1450 qdisc noqueue"}}
    assert differences(WELL, bridge) == []
    assert differences(bridge, WELL) == []
    other = {"n1": {**WELL["n1"], "link cni0": "up mtu 1400 qdisc noqueue"}}
    assert len(differences(bridge, other)) == 1


def test_many_changes_are_counted() -> None:
    many = {"n1": {**WELL["n1"], **{f"nft table inet t{i}": "there" for i in range(10)}}}
    found = differences(WELL, many)
    assert found[-1] == "n1: 4 more settings are not as they were"
    assert len(found) == 7


def test_query_is_a_question_for_an_address() -> None:
    """One question, recursion wanted, labels with their lengths, type A, class IN."""
    query = on_node.dns_query("a.example.com")
    assert query[2:12] == struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0)
    assert query[12:] == b"\x01a\x07example\x03com\x00\x00\x01\x00\x01"


def test_echo_request_has_a_right_checksum() -> None:
    """With its checksum in place, the words of an ICMP message add up to all ones."""
    request = on_node.echo_request()
    total = sum(struct.unpack(f"!{len(request) // 2}H", request))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
    assert request[:2] == bytes((on_node.ECHO_REQUEST, 0))


@pytest.mark.parametrize(
    ("line", "matters"),
    [
        ("-A INPUT -p udp -m udp --dport 8472 -j DROP", True),
        (":FORWARD DROP [0:0]", True),
        (":FORWARD ACCEPT [3:180]", False),
        (":KUBE-SERVICES - [0:0]", False),
        ("-A KUBE-SEP-X -j KUBE-MARK-MASQ", False),
    ],
)
def test_rules_that_a_test_may_leave(line: str, matters: bool) -> None:
    """What kube-proxy rewrites all the time is none of them."""
    assert bool(on_node.RULE.match(line)) == matters


def test_a_restart_is_no_change_of_settings() -> None:
    """`kubectl rollout restart` marks the pods' template, and changes nothing else."""
    plain = {"spec": {"replicas": 2, "template": {"metadata": {"labels": {"a": "b"}}}}}
    marked = {on_api.RESTARTED: "2025-01-01T00:00:00Z"}
    metadata = {"labels": {"a": "b"}, "annotations": marked}
    restarted = {"spec": {"replicas": 2, "template": {"metadata": metadata}}}
    scaled = {"spec": {"replicas": 1, "template": {"metadata": {"labels": {"a": "b"}}}}}
    digests = [on_api.digest(item, "spec") for item in (plain, restarted, scaled)]
    assert digests[0] == digests[1] != digests[2]
