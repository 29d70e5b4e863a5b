"""Names of DNS: which of their labels are public, and the addresses that reverse names hold."""

from __future__ import annotations

import ipaddress
import re
from functools import cache

from kubectl_netdoctor.redaction import public
from kubectl_netdoctor.redaction.addresses import Addresses

# Endings of names that somebody registers, and of those that companies give themselves.
ENDING = re.compile(
    r"com|net|org|info|biz|dev|app|cloud|tech|online|site|shop|[a-z]{2}"
    r"|local|internal|intern|intra|intranet|corp|lan|home"
)
HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
# Clouds and registries of everybody: what stands before them is a customer's, or a region.
SHARED = frozenset(
    (
        "docker.io", "quay.io", "ghcr.io", "gcr.io", "pkg.dev", "ecr.aws", "amazonaws.com",
        "compute.internal", "ec2.internal", "azmk8s.io", "azurecr.io",
    )
)  # fmt: skip
INFRASTRUCTURE = frozenset(("k8s.io", "x-k8s.io", "kubernetes.io", "coreos.com", "cilium.io"))
REVERSE = re.compile(
    r"(?:(?P<four>(?:\d{1,3}\.){1,4})in-addr|(?P<six>(?:[0-9a-f]\.){1,32})ip6)\.arpa$"
)


def foreign(labels: list[str]) -> int:
    """How many labels of a name may be a company's, from the left; 0 where it is no name of the DNS.

    A word of our source may be one, too: outside the domains that our source names, none is public.
    """
    if not HOST.fullmatch(".".join(labels).lower()) or not ENDING.fullmatch(labels[-1].lower()):
        return 0
    for start in range(len(labels) - 1):
        rest = ".".join(labels[start:]).lower()
        if rest in _ours():
            return 0
        if rest in SHARED:
            return start
    return len(labels) - 1


@cache
def _ours() -> frozenset[str]:
    """Names of hosts and domains in our source."""
    found = {host for text in public.texts() for host in HOST.findall(text)}
    return INFRASTRUCTURE | {h for h in found if ENDING.fullmatch(h.rpartition(".")[2])}


def reverse(name: str, addresses: Addresses, *, back: bool = False) -> tuple[str, str] | None:
    """What stands before the address of a reverse name, and that name of the other address."""
    found = REVERSE.search(name)
    if found is None or name[: found.start()][-1:] not in ("", "."):
        return None
    labels = (found["four"] or found["six"]).split(".")[-2::-1]
    if found["four"]:
        numbers = [int(n) for n in labels]
        if max(numbers) > 255 or [str(n) for n in numbers] != labels:
            return None
        value = bytes([*numbers, 0, 0, 0, 0][:4])
        moved = addresses.network(ipaddress.IPv4Address(value), 8 * len(labels), back=back)
        new, ending = moved.exploded.split("."), "in-addr.arpa"
    else:
        six = ipaddress.IPv6Address(int("".join(labels).ljust(32, "0"), 16))
        moved = addresses.network(six, 4 * len(labels), back=back)
        new, ending = list(moved.exploded.replace(":", "")), "ip6.arpa"
    return name[: found.start()], ".".join([*new[: len(labels)][::-1], ending])
