"""The DNS matrix and the search list, against servers that answer, truncate, pick and stay silent."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.probes import dns_forms, dns_matrix
from kubectl_netdoctor.agent.probes.dns_exchange import Server as Address
from kubectl_netdoctor.agent.probes.search_path import MOST_DOMAINS, SearchPath
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.base import Missing
from kubectl_netdoctor.facts.dns_matrix import DnsCell, DnsMatrix, SearchCost
from kubectl_netdoctor.facts.plan import DnsTarget
from tests.fixtures.plans import plan
from tests.unit.agent.test_dns_probes import NAME, Server

Replies = Callable[[bytes], list[bytes]]
ZONE = "cluster.local"
LARGE = "large.default.svc.cluster.local."
RECORDS = {
    dns.rdatatype.A: "10.96.0.1",
    dns.rdatatype.SRV: f"0 100 53 {'target' * 8}.default.svc.cluster.local.",
}


def proper(wire: bytes, most: int | None = None) -> list[bytes]:
    """As CoreDNS: pads where the query did, cuts what is too large, knows two names."""
    query = dns.message.from_wire(wire)
    answer = dns.message.make_response(query)
    name, kind = query.question[0].name, query.question[0].rdtype
    if name.to_text() not in (NAME, LARGE):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    elif kind in RECORDS:
        answer.answer.append(dns.rrset.from_text(name, 5, "IN", kind, RECORDS[kind]))
    padding = [o for o in query.options if o.otype == dns.edns.OptionType.PADDING]
    limit = 512
    if query.edns >= 0:
        answer.use_edns(0, 0, 1232, request_payload=65535, options=padding)
        limit = query.payload
    whole = answer.to_wire(max_size=65535)
    if len(whole) <= (most or limit):
        return [whole]
    answer.answer.clear()
    answer.flags |= dns.flags.TC
    return [answer.to_wire(max_size=65535)]


def over_tcp_whole(wire: bytes) -> list[bytes]:
    """The same without a limit."""
    return proper(wire, 65535)


def only_a(wire: bytes) -> list[bytes]:
    """Drops AAAA."""
    kind = dns.message.from_wire(wire).question[0].rdtype
    return [] if kind == dns.rdatatype.AAAA else proper(wire)


def small_only(wire: bytes) -> list[bytes]:
    """A path that drops what is above 512 bytes."""
    return [answer for answer in proper(wire) if len(answer) <= 512]


def wildcard(wire: bytes) -> list[bytes]:
    """Answers every name below corp.example."""
    query = dns.message.from_wire(wire)
    name = query.question[0].name
    if not name.to_text().endswith(".corp.example."):
        return proper(wire)
    answer = dns.message.make_response(query)
    if query.question[0].rdtype == dns.rdatatype.A:
        answer.answer.append(dns.rrset.from_text(name, 5, "IN", "A", "203.0.113.7"))
    return [answer.to_wire()]


def silent(wire: bytes) -> list[bytes]:
    """Nothing."""
    del wire
    return []


BEHAVIOURS: dict[str, Replies] = {
    f.__name__: f for f in (proper, over_tcp_whole, only_a, small_only, silent)
}


def probed(behaviours: dict[str, Replies], **changes: object) -> dict[str, list[DnsCell]]:
    """All cells by behaviour."""
    with contextlib.ExitStack() as stack:
        ports = {stack.enter_context(Server(b)): name for name, b in behaviours.items()}
        asked = tuple(DnsTarget("endpoint", "127.0.0.1", p, NAME, "A") for p in ports)
        order = {"dns": asked, "dns_large": LARGE, "window_seconds": 2.0, **changes}
        fact = dns_matrix.dns_matrix(Run(plan(**order), Host()))
        found: dict[str, list[DnsCell]] = {name: [] for name in behaviours}
        for cell in fact.items:
            found[ports[cell.port]].append(cell)
        return found


@pytest.fixture(scope="module")
def cells() -> dict[str, list[DnsCell]]:
    """What one run saw of all servers at once."""
    started = time.monotonic()
    found = probed(BEHAVIOURS)
    assert time.monotonic() - started < 2.0 + 0.3 + 1.5  # window, one time-out, and slack
    return found


def plain(cells: list[DnsCell], kind: str) -> DnsCell:
    """The cell without EDNS, alone."""
    return next(c for c in cells if c.payload is None and not c.paired and c.type == kind)


def filled(
    cells: list[DnsCell], filler: str, transport: str = "udp", payload: int = 1232
) -> DnsCell:
    """The cell of large queries."""
    return next(
        c for c in cells if (c.filler, c.transport, c.payload) == (filler, transport, payload)
    )


def test_sums_fit(cells: dict[str, list[DnsCell]]) -> None:
    """Nothing that was sent is unaccounted for."""
    for cell in (c for some in cells.values() for c in some):
        assert cell.sent == cell.answered + sum(cell.errors.values()) == cell.answered + cell.lost
        assert sum(cell.rcodes.values()) == len(cell.sizes) == len(cell.rtt_ms) == cell.answered


def test_a_proper_server(cells: dict[str, list[DnsCell]]) -> None:
    """Every form is answered; the padded answers are large, the control's is not."""
    found = cells["proper"]
    assert all(c.lost == 0 for c in found)
    a = plain(found, "A")
    assert (a.rcodes, a.records) == ({"NOERROR": a.sent}, 1)
    assert plain(found, "AAAA").records == 0
    assert {c.type for c in found if c.paired} == {"A", "AAAA"}
    assert all(s > 512 for s in filled(found, "padding").sizes)
    assert all(s < 200 for s in filled(found, "ignored").sizes)


def test_truncation(cells: dict[str, list[DnsCell]]) -> None:
    """What does not fit 512 bytes comes with TC, and whole over TCP."""
    cut = filled(cells["proper"], "padding", payload=512)
    assert cut.truncated == cut.answered == cut.sent
    whole = filled(cells["over_tcp_whole"], "padding", "tcp", 512)
    assert (whole.truncated, whole.answered) == (0, whole.sent)
    assert min(whole.sizes) > 512


def test_what_is_lost(cells: dict[str, list[DnsCell]]) -> None:
    """By type, by size, all of it."""
    only_a = cells["only_a"]
    assert plain(only_a, "AAAA").errors == {"timeout": plain(only_a, "AAAA").sent}
    assert plain(only_a, "A").lost == 0
    assert filled(cells["small_only"], "padding").answered == 0
    assert filled(cells["small_only"], "ignored").lost == 0
    pair = {c.type: c for c in only_a if c.paired}
    assert (pair["A"].lost, pair["AAAA"].answered) == (0, 0)
    assert all(c.answered == 0 for c in cells["silent"])


def test_queries_fit_what_servers_take() -> None:
    """A filled query stays below 512 bytes, whatever its name is."""
    for name in (NAME, ".", f"{'x' * 60}.{'y' * 60}.svc.cluster.local."):
        for form in dns_forms.forms("A", (name, "SRV")):
            for kind in form.types:
                assert len(form.query(name, kind).to_wire()) <= 500


def test_counts_follow_the_bound() -> None:
    """Plain questions are raised first, the others after, none above the most."""
    wanted = dns_forms.forms("A", (LARGE, "SRV"))
    bare = dns_forms.least(wanted)
    assert dns_forms.raised(wanted, bare) == wanted
    more = dns_forms.raised(wanted, bare + 9)
    assert (more[0].count, more[1:]) == (wanted[0].count + 9, wanted[1:])
    assert all(form.count <= dns_forms.MOST for form in dns_forms.raised(wanted, 10_000))
    for packets in range(bare, 600, 7):
        assert dns_forms.least(dns_forms.raised(wanted, packets)) <= packets


def test_servers_beyond_the_bound_are_named() -> None:
    """They are not known, which is not healthy."""
    ends = tuple(DnsTarget("endpoint", f"192.0.2.{n}", 53, NAME, "A") for n in range(1, 17))
    service = DnsTarget("service", "198.51.100.10", 53, NAME, "A")
    run = Run(plan(dns=(*ends, service), window_seconds=1.0), Host())
    known = dns_matrix.servers(run)
    chosen, left = dns_matrix.chosen_within(dns_matrix.packets_in(1.0), known)
    assert chosen[0].role == "service"
    assert len(chosen) + len(left) == 17
    assert sum(dns_forms.least(s.forms) for s in chosen) <= budget.DNS_MATRIX
    other = dns_matrix.servers(Run(plan(dns=(*ends, service), node="node-2"), Host()))
    assert [s.server for s in other] != [s.server for s in known]


def test_what_the_kubelet_hands_out_is_asked(tmp_path: Path) -> None:
    """No kubelet here: nobody is added, and nothing breaks."""
    run = Run(plan(node_resolvers=True), Host(tmp_path, proc=tmp_path))
    assert [s for s in dns_matrix.servers(run) if s.role == "pod-resolver"] == []


def walked(
    replies: Replies, text: str, node: Callable[..., Run], patience: float = 3.0
) -> DnsMatrix:
    """The walk of a node with that resolv.conf, whose cluster DNS is this server."""
    with Server(replies) as port:
        target = DnsTarget("service", "127.0.0.1", port, NAME, "A")
        order = {"dns": (target,), "dns_zone": ZONE, "probe_timeout_seconds": patience}
        run = node({"etc/resolv.conf": text}, **order)
        return dns_matrix.dns_matrix(run)


def test_the_walk(node: Callable[..., Run]) -> None:
    """The cluster's domains, then the node's, then the name itself, two queries each."""
    search = walked(proper, "search corp.example. lab.example svc.cluster.local\n", node).search
    assert isinstance(search, SearchCost)
    assert [d.domain for d in search.domains] == [
        f"default.svc.{ZONE}",
        f"svc.{ZONE}",
        ZONE,
        "corp.example",
        "lab.example",
    ]
    assert [d.of_node for d in search.domains] == [False] * 3 + [True] * 2
    assert search.queries == 12
    assert len(search.relative_ms) == len(search.absolute_ms) >= 2
    assert all(d.rcodes == {"NXDOMAIN": 2 * d.asked} for d in search.domains)
    assert (search.invented, search.errors) == ((), {})


def test_the_walk_meets_a_wildcard(node: Callable[..., Run]) -> None:
    """The libc would end there; the domain behind it is looked at nevertheless."""
    search = walked(wildcard, "search corp.example lab.example\n", node).search
    assert isinstance(search, SearchCost)
    found = {d.domain: d for d in search.domains}
    assert found["corp.example"].addresses == ("203.0.113.7",)
    assert found["lab.example"].addresses == ()
    assert search.queries == 8


def test_a_wildcard_is_met_where_walks_break(node: Callable[..., Run]) -> None:
    """One of two DNS pods is dead: the domain is asked again, from other ports."""
    turns = itertools.count()

    def every_second(wire: bytes) -> list[bytes]:
        return wildcard(wire) if next(turns) % 2 else []

    search = walked(every_second, "search corp.example\n", node, patience=0.3).search
    assert isinstance(search, SearchCost)
    assert search.errors == {"timeout": 2}
    found = search.domains[-1]
    assert len(found.rtt_ms) >= 2
    assert found.addresses == ("203.0.113.7",)
    assert set(found.rcodes) == {"NOERROR"}


def test_the_walk_ends_at_silence(node: Callable[..., Run]) -> None:
    """One time-out, and no times."""
    started = time.monotonic()
    search = walked(silent, "search corp.example\n", node, patience=0.3).search
    assert time.monotonic() - started < 0.2 + 0.3 + 1.5
    assert isinstance(search, SearchCost)
    assert (search.relative_ms, search.absolute_ms) == ((), ())
    assert search.errors == {"timeout": 2}


def test_nobody_to_ask(node: Callable[..., Run]) -> None:
    """Without cluster DNS there is no walk, and the reason is told."""
    fact = dns_matrix.dns_matrix(node({"etc/resolv.conf": "search corp.example\n"}))
    assert isinstance(fact.search, Missing)
    assert fact.items == ()


def test_a_long_list_is_bounded() -> None:
    """The walk looks at the first domains of the node only."""
    names = [f"d{n}.example" for n in range(30)]
    path = SearchPath.of_pod(Address("127.0.0.1", 53), ZONE, names)
    assert len(path.domains) == 3 + MOST_DOMAINS
    assert path.walks(10) == 2
