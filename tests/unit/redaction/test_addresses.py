"""The permutation of addresses: relations stay, special ranges stay, the key takes it back."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.redaction.addresses import Addresses, partings

ONE = Addresses(b"one key of a test")
v4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
v6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
addresses = v4 | v6


def common(a: ipaddress.IPv4Address, b: ipaddress.IPv4Address) -> int:
    """How many leading bits two addresses share."""
    return 32 - (int(a) ^ int(b)).bit_length()


@given(v4, v4)
def test_as_many_leading_bits_are_shared_as_before(
    a: ipaddress.IPv4Address, b: ipaddress.IPv4Address
) -> None:
    """The property that the permutation is named after."""
    x, y = ONE.ip(a), ONE.ip(b)
    assert isinstance(x, ipaddress.IPv4Address)
    assert isinstance(y, ipaddress.IPv4Address)
    assert common(x, y) == common(a, b)


@given(addresses)
def test_the_key_takes_it_back(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """And another key does not, as a rule."""
    assert ONE.ip(ONE.ip(address), back=True) == address


@given(v4, st.integers(0, 32))
def test_networks_stay_networks_around_their_addresses(
    address: ipaddress.IPv4Address, length: int
) -> None:
    """The network's address has no host bits, before and after, and comes back."""
    network = ipaddress.ip_network((address, length), strict=False)
    first = ONE.network(network.network_address, length)
    moved = ipaddress.ip_network((first, length))
    assert ONE.ip(address) in moved
    assert ONE.network(first, length, back=True) == network.network_address


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "127.0.0.1", "127.0.0.53", "169.254.20.10", "169.254.169.254", "224.0.0.251",
        "255.255.255.255", "::", "::1", "ff02::1",
    ],
)  # fmt: skip
def test_special_addresses_stay(text: str) -> None:
    """Everybody has them, and checks know them."""
    assert str(ONE.ip(ipaddress.ip_address(text))) == text


@pytest.mark.parametrize(
    "range_",
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fd00::/8"],
)
def test_private_ranges_stay_private(range_: str) -> None:
    """Inside them addresses move, and nothing else comes in."""
    network = ipaddress.ip_network(range_)
    inside = [network[n * network.num_addresses // 97] for n in range(1, 97)]
    assert all(ONE.ip(a) in network for a in inside)
    assert sum(ONE.ip(a) != a for a in inside) > 80
    outside = [ipaddress.ip_address(n) for n in range(16 << 24, 220 << 24, 77777777)]
    foreign = [a for a in outside if a not in network]
    assert not any(ONE.ip(a) in network for a in foreign if a.version == network.version)


def test_the_first_address_of_a_pod_range_stays_the_first() -> None:
    """Flannel's tunnel end: written without a mask."""
    for third in range(8):
        address = ipaddress.ip_address(f"10.244.{third}.0")
        assert ONE.ip(address) == ONE.network(address, 24)


@given(st.binary(min_size=6, max_size=6))
def test_the_vendor_of_a_card_stays(octets: bytes) -> None:
    """And no two cards of one vendor become one."""
    text = octets.hex(":")
    moved = ONE.mac(text)
    assert moved[:8] == text[:8]
    assert ONE.mac(moved, back=True) == text


def test_cards_stay_different() -> None:
    """All of a run of numbers."""
    moved = {ONE.mac(f"52:54:00:12:{n >> 8:02x}:{n & 255:02x}") for n in range(5000)}
    assert len(moved) == 5000
    assert ONE.mac("ff:ff:ff:ff:ff:ff") == "ff:ff:ff:ff:ff:ff"
    assert ONE.mac("33:33:00:00:00:01") == "33:33:00:00:00:01"
    assert ONE.mac("ee:ee:ee:ee:ee:ee") == "ee:ee:ee:ee:ee:ee"


def test_an_address_made_of_a_card_follows_it() -> None:
    """Else the card could be read from it."""
    card = "52:54:00:12:34:56"
    moved = ONE.mac(card).split(":")
    made = ONE.ip(ipaddress.ip_address("fe80::5054:ff:fe12:3456"))
    assert made.exploded[-19:].replace(":", "") == "505400fffe" + "".join(moved[3:])
    assert ONE.ip(made, back=True) == ipaddress.ip_address("fe80::5054:ff:fe12:3456")


def test_an_address_of_the_old_family_inside_the_new_one_moves_with_it() -> None:
    """And loopback stays where it is."""
    inner = ONE.ip(ipaddress.ip_address("10.1.2.3"))
    assert ONE.ip(ipaddress.ip_address("::ffff:10.1.2.3")) == ipaddress.ip_address(
        f"::ffff:{inner}"
    )
    loopback = ipaddress.ip_address("::ffff:127.0.0.1")
    assert ONE.ip(loopback) == loopback


def test_neighbours_stay_neighbours() -> None:
    """Addresses of one /24 are in one /24 afterwards, in the same order."""
    moved = [int(ONE.ip(ipaddress.ip_address(f"10.1.2.{n}"))) for n in range(256)]
    assert all(b == a + 1 for a, b in pairwise(moved))


@given(
    st.sets(v4 | st.integers(10 << 24, (10 << 24) + 70000).map(ipaddress.IPv4Address), max_size=40)
)
def test_the_addresses_of_a_snapshot_keep_their_order(found: set[ipaddress.IPv4Address]) -> None:
    """All of them, and prefixes stay as long as they were."""
    two = Addresses(b"k", partings((4, int(a)) for a in found))
    ordered = sorted(found)
    moved = [int(two.ip(a)) for a in ordered]
    assert moved == sorted(moved)
    for (a, b), (x, y) in zip(pairwise(ordered), pairwise(moved), strict=True):
        assert (int(a) ^ int(b)).bit_length() == (x ^ y).bit_length()
    assert [two.ip(two.ip(a), back=True) for a in ordered] == ordered
