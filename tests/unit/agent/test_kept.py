"""What agents keep of their probes: only marked packets, by a real agent between two namespaces."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kubectl_netdoctor.agent.kept import Kept
from kubectl_netdoctor.agent.mark import magic
from kubectl_netdoctor.agent.probes.sightings import Book
from kubectl_netdoctor.agent.probes.taps import Listener
from kubectl_netdoctor.facts import captures
from kubectl_netdoctor.facts.captures import FLOW_PACKETS, PACKET_BYTES
from kubectl_netdoctor.facts.envelope import unframe
from kubectl_netdoctor.facts.hops import Hops
from kubectl_netdoctor.facts.plan import PeerTarget
from tests.fixtures.plans import plan
from tests.unit.agent.agent_process import agent_log
from tests.unit.agent.marked_packets import MAGIC, OTHERS, PACKETS, RUN, ip, udp
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

SOURCE = ("eth0", 0x0800, 0, 1, bytes(6))


class _Waiting(Listener):
    """An interface on which these packets wait."""

    def __init__(self, *packets: bytes) -> None:
        super().__init__("eth0", "nic")
        self._packets = packets

    def packets(self) -> Iterator[tuple[bytes, tuple[str, int, int, int, bytes], int]]:
        """All of them."""
        return ((data, SOURCE, 5) for data in self._packets)


def kept_of(*packets: bytes, most: int = 1000, token: bytes = b"") -> Kept:
    """What is kept of these."""
    found = Kept(most, token)
    Book(MAGIC, found).drain([_Waiting(*packets)])
    return found


def test_only_marked_packets_of_this_run_are_kept() -> None:
    """The kernel's filter looks at half of a mark; what passes it by chance is not kept."""
    chance = ip(17, udp(MAGIC[:4] + b"password" * 8))
    found = kept_of(*PACKETS.values(), *OTHERS.values(), chance)
    assert len(found.packets) == len(PACKETS)
    assert found.left_out == 0
    heads = [bytes.fromhex(packet.head) for packet in found.packets]
    assert all(MAGIC in head and len(head) <= 16 + PACKET_BYTES for head in heads)
    assert not any(b"password" in head for head in heads)


def test_every_packet_is_kept_as_far_as_its_mark() -> None:
    """In the deepest tunnel, too."""
    longest = max(len(data) for data in PACKETS.values() if len(data) < 500)
    assert longest <= PACKET_BYTES


def test_a_large_packet_keeps_its_size() -> None:
    """Its head is kept, and how much was cut off."""
    (packet,) = kept_of(PACKETS["large"]).packets
    assert packet.size == 16 + len(PACKETS["large"])
    assert len(packet.head) == 2 * (16 + PACKET_BYTES)


def test_a_flow_cannot_use_up_the_room_of_others() -> None:
    """The first packets of each are kept, the rest is counted."""
    found = kept_of(*[PACKETS["plain"]] * (FLOW_PACKETS + 5), PACKETS["reply"])
    assert (len(found.packets), found.left_out) == (FLOW_PACKETS + 1, 5)
    found = kept_of(*PACKETS.values(), most=3)
    assert (len(found.packets), found.left_out) == (3, len(PACKETS) - 3)


def test_a_late_flow_takes_the_room_of_later_packets() -> None:
    """In a large cluster, too, each flow is there: those of pods come last."""
    early, late = PACKETS["plain"], PACKETS["reply"]
    found = kept_of(*[early] * 6, *[late] * 6, most=4)
    heads = [bytes.fromhex(packet.head)[16:] for packet in found.packets]
    assert sorted(heads) == sorted([early, early, late, late])
    assert found.left_out == 8


def test_the_token_of_the_run_is_not_kept() -> None:
    """Companions answer to it; a bundle is read by others."""
    token = bytes(range(0x40, 0x50))
    asked = PACKETS["question"].replace(bytes(16), token)
    assert token in asked
    (packet,) = kept_of(asked, token=token).packets
    assert bytes.fromhex(packet.head)[16:] == PACKETS["question"]


def test_without_an_order_nothing_is_kept() -> None:
    """And nothing is printed but the report."""
    assert Kept.by(plan()) is None
    assert b"netdoctor/captures" not in agent_log(plan())


@pytest.fixture
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    """Two nodes on one wire."""
    with namespace() as one, namespace() as two:
        one.sh(f"ip link add up0 type veth peer name up0 netns {two.name}")
        for number, own in enumerate((one, two), 1):
            own.sh(f"ip addr add 10.60.0.{number}/24 dev up0; ip link set up0 up")
        yield one, two


@needs_root
def test_a_real_agent_hands_over_its_own_probes(pair: tuple[Namespace, Namespace]) -> None:
    """Questions out, answers in, each with the kernel's time; what else passes is not there."""
    one, _ = pair
    before = time.time_ns()
    asked = plan(
        run=RUN, node="n1", facts=("hops", "path_probes"), window_seconds=1.0, keep_packets=50,
        peers=(PeerTarget("n2", "10.60.0.2", None),), responder_token="ab" * 16,
    )  # fmt: skip
    foreign = ("sh", "-c", 'ping -q -i 0.2 -c 9 10.60.0.2 >/dev/null 2>&1 & exec "$@"', "sh")
    log = agent_log(asked, prefix=(*one.prefix, *foreign))
    found = captures.unframe(log, RUN, "n1", 50)
    hops = unframe(log).facts["hops"]
    assert isinstance(hops, Hops)
    assert sum(s.packets for s in hops.sightings) == len(found.packets) + found.left_out
    assert 2 < len(found.packets) <= 50
    kinds = {bytes.fromhex(p.head)[1] for p in found.packets}
    assert kinds == {0, 4}  # to us, from us
    assert all(magic(RUN) in bytes.fromhex(p.head) for p in found.packets)
    assert all(before < p.at < time.time_ns() for p in found.packets)
    assert len({p.at for p in found.packets}) == len(found.packets)
