"""What servers say of their zone: serial, denials, names of Services; silence and other zones."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import pytest

from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.probes.dns_records import SERVERS, chosen, dns_records
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.dns_records import DnsName, DnsZone
from kubectl_netdoctor.facts.plan import DnsTarget
from tests.fixtures.plans import plan
from tests.unit.agent.test_dns_probes import NAME, Replies, Server, silent

ZONE = "cluster.local"
SOA = "ns.dns.cluster.local. hostmaster.cluster.local. 1700000000 7200 1800 86400 {}"


def coredns(wire: bytes) -> list[bytes]:
    """A zone whose SOA may be kept for 30 s, and denials for 5."""
    query = dns.message.from_wire(wire)
    message = dns.message.make_response(query)
    asked = str(query.question[0].name)
    if asked == f"{ZONE}.":
        message.answer.append(dns.rrset.from_text(asked, 30, "IN", "SOA", SOA.format(5)))
    elif asked == NAME:
        message.answer.append(dns.rrset.from_text(asked, 30, "IN", "A", "10.96.0.1"))
    else:
        message.set_rcode(dns.rcode.NXDOMAIN)
        message.authority.append(dns.rrset.from_text(f"{ZONE}.", 30, "IN", "SOA", SOA.format(5)))
    return [message.to_wire()]


def other(wire: bytes) -> list[bytes]:
    """A server that refuses whatever it is asked."""
    message = dns.message.make_response(dns.message.from_wire(wire))
    message.set_rcode(dns.rcode.REFUSED)
    return [message.to_wire()]


def asked(replies: Replies) -> DnsZone:
    """What one endpoint told."""
    with Server(replies) as port:
        target = DnsTarget("endpoint", "127.0.0.1", port, NAME, "A")
        run = Run(plan(dns=(target,), dns_zone=ZONE, dns_names=(NAME, "gone.default.svc.")), Host())
        fact = dns_records(run)
    assert fact.zone == ZONE
    (item,) = fact.items
    return item


def test_a_zone() -> None:
    """Serial, TTL, the smaller of the two times of a denial, and the names."""
    item = asked(coredns)
    assert (item.serial, item.kept, item.denied_for) == (1_700_000_000, 30, 5)
    assert item.names == (
        DnsName(NAME, "NOERROR", ("10.96.0.1",)),
        DnsName("gone.default.svc.", "NXDOMAIN", ()),
    )


@pytest.mark.parametrize(("replies", "rcode"), [(silent, ""), (other, "REFUSED")])
def test_nothing_is_made_up(replies: Replies, rcode: str) -> None:
    """Silence, and a server of other zones."""
    item = asked(replies)
    assert (item.serial, item.kept, item.denied_for) == (None, None, None)
    assert {n.rcode for n in item.names} == {rcode}


def test_without_a_cluster_nothing_is_asked() -> None:
    """No zone, no question."""
    with pytest.raises(NotPresent):
        dns_records(Run(plan(), Host()))


def test_a_bounded_number_of_servers() -> None:
    """The ClusterIP, and other endpoints from each node; no server of the outside."""
    ends = [DnsTarget("endpoint", f"10.0.0.{n}", 53, NAME, "A") for n in range(20)]
    outside = DnsTarget("upstream", "192.0.2.1", 53, ".", "NS")
    service = DnsTarget("service", "10.96.0.10", 53, NAME, "A")
    picked = [chosen([service, outside, *ends], f"node-{n}") for n in range(40)]
    assert all(len(p) == SERVERS + 1 and p[0] == service and outside not in p for p in picked)
    assert {t.server for p in picked for t in p} >= {t.server for t in ends}
