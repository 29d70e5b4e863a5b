"""The forms of text in which something stands: times, addresses, digests, words."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from kubectl_netdoctor.redaction.addresses import Addresses

_V4 = r"(?:\d{1,3}\.){3}\d{1,3}"
_V6 = (
    r"(?:[0-9A-Fa-f]{0,4}:){2,7}"
    r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4}|(?<=::))"
)
TOKEN = re.compile(
    rf"""
    (?P<time>\b\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)
  | (?P<uuid>(?<![\w-])[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}(?![\w-]))
  | (?P<mac>(?<![\w:-])[0-9A-Fa-f]{{2}}(?:(?P<sep>[:-])[0-9A-Fa-f]{{2}})(?:(?P=sep)[0-9A-Fa-f]{{2}}){{4}}(?!:?\w))
  | (?P<dotted>(?<![\w.])[0-9A-Fa-f]{{4}}(?:\.[0-9A-Fa-f]{{4}}){{2}}(?!\w|\.\w))
  | "addr":\s*"(?P<json>{_V4}|{_V6})",\s*"len":\s*(?P<len>\d{{1,3}})
  | (?<![\w.])(?P<ip>{_V4})(?:/(?P<mask>\d{{1,2}})(?!\d))?(?![\w]|\.\d|\.in-addr\.)
  | (?<![\w:.])(?P<ip6>{_V6})(?:/(?P<mask6>\d{{1,3}})(?!\d))?(?!:?\w)
  | (?P<chain>\bKUBE-(?:SVC|SVL|SEP|FW|EXT|XLB|POD-FW)-)(?P<digest>[A-Z2-7]{{16}})\b
  | (?P<port>\b(?:veth|cali|lxc|tap|azv|eni|gke))(?P<hex>[0-9a-f]{{6,11}})\b
  | (?P<word>[^\W_]+(?:[._-]*[^\W_]+)*)
    """,
    re.VERBOSE,
)
# An address in a name, as clouds make them: ip-10-0-3-7, nginx-10.0.3.7.
# Not in the number of a pseudonym before it.
INNER = re.compile(
    r"(?<![\d.])(?<!(?<![^\W_])q)\d{1,3}(?P<dot>[.-])(?:\d{1,3}(?P=dot)){2}\d{1,3}(?![\d]|\.\d)"
)
PAIR = re.compile("..")


def with_inner(
    text: str, addresses: Addresses, other: Callable[[str], str], *, back: bool = False
) -> str:
    """A name with its addresses moved, and `other` done to what is between them."""
    out, at = [], 0
    for found in INNER.finditer(text):
        try:
            address = ipaddress.ip_address(found[0].replace("-", "."))
        except ValueError:
            continue
        new = str(addresses.ip(address, back=back)).replace(".", found["dot"])
        out += [other(text[at : found.start()]), new]
        at = found.end()
    return "".join([*out, other(text[at:])])


def moved(found: re.Match[str], addresses: Addresses, *, back: bool = False) -> str | None:
    """The other address of a token that is one; None: it only looks like one, or is none."""
    if found["mac"]:
        return addresses.mac(found["mac"], back=back)
    if found["dotted"]:
        plain = found["dotted"].replace(".", "")
        new = addresses.mac(":".join(PAIR.findall(plain)), back=back).replace(":", "")
        return f"{new[:4]}.{new[4:8]}.{new[8:]}"
    if found["json"]:
        other = _ip(found["json"], found["len"], addresses, back=back)
        return other and found[0].replace(found["json"], other, 1)
    mask = found["mask"] or found["mask6"]
    other = _ip(found["ip"] or found["ip6"] or "", mask, addresses, back=back)
    return other and other + (f"/{mask}" if mask else "")


def _ip(text: str, mask: str | None, addresses: Addresses, *, back: bool) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    inner = int(address)
    if address.version == 6 and 1 << 24 <= inner < 1 << 32 and int(mask or 128) >= 96:
        four = ipaddress.IPv4Address(inner)  # ::10.1.2.3, of before RFC 4291
        new = addresses.network(four, int(mask or 128) - 96, back=back)
        return text if new == four else f"::{new}"
    if mask:
        other = addresses.network(address, int(mask), back=back)
    else:
        other = addresses.ip(address, back=back)
    return text if other == address else str(other)  # what stays is written as before
