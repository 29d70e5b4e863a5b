"""What each DNS server of the cluster knows: how new its view of the API is, and some names."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact
from kubectl_netdoctor.facts.dns_matrix import DnsMatrixRole


@dataclass(frozen=True, slots=True)
class DnsName:
    """One A question; `rcode` is empty where no answer came."""

    name: str
    rcode: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DnsZone:
    """One server's answers about the cluster's zone, each None where there was none.

    `serial`: of the zone's SOA record; CoreDNS puts the time there (Unix seconds, its node's clock)
    at which it last saw a Service, an endpoint or a pod change. `kept`: the TTL with which it gave
    that. `denied_for`: seconds for which a resolver may keep its answer to a name that nobody has
    (RFC 2308: the smaller of the SOA's TTL and its last field).
    """

    server: str
    port: int
    role: DnsMatrixRole
    serial: int | None
    kept: int | None
    denied_for: int | None
    names: tuple[DnsName, ...]


@fact("dns_records")
@dataclass(frozen=True, slots=True)
class DnsRecords:
    """All servers that were asked; `zone` is the zone's name."""

    zone: str
    items: tuple[DnsZone, ...]
