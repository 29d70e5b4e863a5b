"""Addresses under a keyed permutation that keeps prefixes, and can be taken back with the key.

Two addresses share as many leading bits after it as before (Xu, Fan, Ammar, Moon: Prefix-Preserving
IP Address Anonymization, 2002). Ranges with a meaning of their own stay where they are or are
permuted within themselves, and the lowest byte stays, so that networks keep their first address.
Where the addresses of a snapshot part, the bit stays: they keep their order, and so do findings.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

# Nothing in them moves.
KEPT = tuple(
    ipaddress.ip_network(n)
    for n in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
        "::/96", "ff00::/8",
    )
)  # fmt: skip
# What is in them moves, and stays in them.
CLASSES = tuple(
    ipaddress.ip_network(n)
    for n in (
        "10.0.0.0/8", "172.16.0.0/12", "172.17.0.0/16", "192.168.0.0/16", "100.64.0.0/10",
        "198.18.0.0/15", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
        "fc00::/8", "fd00::/8", "fe80::/64", "2000::/3", "2001:db8::/32", "64:ff9b::/96",
    )
)  # fmt: skip
LOW_BITS = 8
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Addresses:
    """The permutation of one key, both ways.

    `seen`: all addresses that were asked for. `straight`: prefixes after which no bit is turned.
    """

    def __init__(self, key: bytes, straight: Iterable[str] = ()) -> None:
        self._key = key
        self.seen: set[tuple[int, int]] = set()
        self.straight = frozenset(straight)
        self._flip = lru_cache(maxsize=1 << 18)(self._flip_of)

    def ip(self, address: Address, *, back: bool = False) -> Address:
        """The other address; `back` takes the permutation back."""
        if any(address.version == n.version and address in n for n in KEPT):
            return address
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            inner = self.ip(address.ipv4_mapped, back=back)
            return ipaddress.IPv6Address(0xFFFF << 32 | int(inner))
        if address.version == 6 and _mac_inside(address):
            return self._with_mac(address, back=back)
        width = address.max_prefixlen
        number, before, after = int(address), 0, 0
        self.seen.add((address.version, number))
        for bit in range(width):
            one = number >> (width - 1 - bit) & 1
            other = one ^ self._flip(address.version, bit, after if back else before)
            before, after = before << 1 | one, after << 1 | other
        return type(address)(after)

    def network(self, address: Address, length: int, *, back: bool = False) -> Address:
        """The first address of a network stays the first one of the other network."""
        width = address.max_prefixlen
        moved = self.ip(address, back=back)
        host = (1 << (width - length)) - 1 if 0 <= length <= width else 0
        if int(address) & host:
            return moved
        return type(address)(int(moved) & ~host)

    def mac(self, text: str, *, back: bool = False) -> str:
        """The vendor's half stays; group addresses and those that are no card's stay whole."""
        octets = bytes.fromhex(text.replace(":", "").replace("-", ""))
        if octets[0] & 1 or not any(octets) or len(set(octets)) == 1:
            return text
        vendor, low = octets[:3], int.from_bytes(octets[3:], "big")
        low = self._feistel(vendor, low, back=back)
        return (vendor + low.to_bytes(3, "big")).hex(text[2])

    def token(self, text: str) -> bytes:
        """Bytes that stand for a text, for whoever has the key."""
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")

    def _flip_of(self, version: int, bit: int, prefix: int) -> int:
        """Whether the bit after this prefix is turned."""
        text = f"{version} {bit} {prefix:x}"
        if text in self.straight or not _free(version, bit, prefix):
            return 0
        return hmac.digest(self._key, text.encode(), "sha256")[0] & 1

    def _feistel(self, vendor: bytes, number: int, *, back: bool) -> int:
        """24 bits under four rounds: no two cards of one vendor become the same."""
        left, right = number >> 12, number & 0xFFF
        rounds = range(4)
        for turn in reversed(rounds) if back else rounds:
            if back:
                left, right = right ^ self._round(vendor, turn, left), left
            else:
                left, right = right, left ^ self._round(vendor, turn, right)
        return left << 12 | right

    def _round(self, vendor: bytes, turn: int, half: int) -> int:
        text = b"mac" + vendor + bytes([turn]) + half.to_bytes(2, "big")
        return int.from_bytes(hmac.digest(self._key, text, "sha256")[:2], "big") & 0xFFF

    def _with_mac(self, address: Address, *, back: bool) -> Address:
        """An interface identifier that is made of a MAC (RFC 4291, appendix A) follows it."""
        low = int(address) & (1 << 64) - 1
        octets = low.to_bytes(8, "big")
        mac = bytes([octets[0] ^ 2]) + octets[1:3] + octets[5:]
        moved = bytes.fromhex(self.mac(mac.hex(":"), back=back).replace(":", ""))
        made = bytes([moved[0] ^ 2]) + moved[1:3] + b"\xff\xfe" + moved[3:]
        high = self.ip(ipaddress.IPv6Address(int(address) >> 64 << 64), back=back)
        return ipaddress.IPv6Address(int(high) | int.from_bytes(made, "big"))


def partings(seen: Iterable[tuple[int, int]]) -> frozenset[str]:
    """The prefixes after which two of these addresses part, as Addresses writes them."""
    found = set()
    for (version, one), (other_version, other) in pairwise(sorted(seen)):
        if version == other_version:
            width = 32 if version == 4 else 128
            bit = width - (one ^ other).bit_length()
            found.add(f"{version} {bit} {one >> (width - bit):x}")
    return frozenset(found)


def _mac_inside(address: Address) -> bool:
    return int(address) >> 24 & 0xFFFF == 0xFFFE


def _free(version: int, bit: int, prefix: int) -> bool:
    """Whether the bit after a prefix may be turned: no range of a meaning is torn, none is met."""
    width = 32 if version == 4 else 128
    if bit >= width - LOW_BITS:
        return False
    if version == 6 and bit >= 64:
        # ::1, ::a and the like are told by hand; the rest of the host part is one unit.
        return prefix & ((1 << (bit - 64)) - 1) != 0
    for network in (*KEPT, *CLASSES):
        if network.version == version and network.prefixlen > bit:
            head = int(network.network_address) >> (width - bit) if bit else 0
            if head == prefix:
                return False
    return True
