"""Agents that probe each other over UDP and TCP, on real kernels and at different moments."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.agent.node_question import (
    ANSWER_BYTES,
    MOST_NUMBER,
    MOST_UPLOAD,
    QUESTION_BYTES,
    Answer,
    Question,
    pack_answer,
    pack_head,
    pack_question,
    read_answer,
    read_head,
    read_question,
)
from kubectl_netdoctor.agent.probes.meeting import Life, Path
from kubectl_netdoctor.agent.probes.transport_probes import udp_path
from kubectl_netdoctor.agent.question import token_of
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.envelope import unframe
from kubectl_netdoctor.facts.plan import PeerTarget, Plan, introduced, pack
from kubectl_netdoctor.facts.transport import HOST_PORT, TransportProbes
from tests.fixtures.plans import plan
from tests.unit.agent.agent_process import COMMAND, environment, run_agent
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

TOKEN = "00112233445566778899aabbccddeeff"  # noqa: S105 - of a test
SECRET = token_of(TOKEN)
SESSION = bytes(range(8))
LINK = """
ip link add eth0 type veth peer name eth1 netns {peer}
ip addr add 10.45.0.1/24 dev eth0
ip link set eth0 up
"""
PEER = """
ip addr add 10.45.0.2/24 dev eth1
ip link set eth1 up
"""


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: SECRET + tail))
def test_whatever_comes_in_is_read_or_left(data: bytes) -> None:
    """Nothing without the token is a question or an upload, and nothing breaks the reader."""
    asked, size = read_question(data, SECRET), read_head(data, SECRET)
    if not data.startswith(SECRET):
        assert asked is None
        assert size is None
    assert asked is None or (len(data) == QUESTION_BYTES and asked.number < MOST_NUMBER)
    assert size is None or 0 <= size <= MOST_UPLOAD
    said = read_answer(data, SESSION)
    assert said is None or data[:8] == SESSION


@given(st.binary(min_size=8, max_size=8), st.integers(0, 255), st.integers(0, MOST_NUMBER - 1))
def test_an_answer_is_shorter_and_no_question(session: bytes, path: int, number: int) -> None:
    """No amplification, and two agents cannot be made to talk to each other for ever."""
    asked = Question(session, path, number)
    assert read_question(pack_question(SECRET, asked), SECRET) == asked
    answer = pack_answer(Answer(session, path, number, number, 1 << 40))
    assert len(answer) == ANSWER_BYTES < QUESTION_BYTES
    assert read_question(answer, SECRET) is None
    assert read_answer(answer, session) is not None


def asked(count: int, answers: dict[int, int]) -> Path:
    """A path with that many questions, one a nanosecond, and the count of each answer."""
    path = Path(0, "n2", "node", "10.45.0.2", asked=list(range(1, count + 1)))
    path.answers = {n: (c, 1_000_000) for n, c in answers.items()}
    return path


def test_only_the_peers_life_counts() -> None:
    """Before the first sign of life and after the last nothing is lost."""
    path = asked(100, {n: n - 39 for n in range(40, 60)})
    udp = udp_path(path, Life(41, 60))
    assert (udp.asked, udp.sent, udp.received, udp.lost) == (100, 20, 20, 0)
    assert udp.errors == {"timeout": 80}


def test_directions_are_told_apart() -> None:
    """Of ten questions two never came in, and one answer got lost on its way back."""
    counts = {0: 1, 1: 2, 4: 3, 5: 4, 6: 5, 8: 7, 9: 8}
    udp = udp_path(asked(10, counts), Life(1, 10))
    assert (udp.spanned, udp.arrived, udp.received) == (10, 8, 7)
    assert (udp.lost_there, udp.lost_back, udp.lost) == (2, 1, 3)


def test_a_silent_path_of_a_peer_that_lives_is_lost() -> None:
    """Another path showed that the peer was there."""
    udp = udp_path(asked(10, {}), Life(3, 8))
    assert (udp.sent, udp.received, udp.spanned, udp.arrived) == (6, 0, 0, 0)


def test_a_peer_that_was_never_heard_lost_nothing() -> None:
    """Whether it was there is not known."""
    udp = udp_path(asked(10, {}), Life())
    assert (udp.sent, udp.lost, udp.errors) == (0, 0, {"timeout": 10})


@pytest.fixture
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    """Two nodes with a link."""
    with ExitStack() as stack:
        one, two = stack.enter_context(namespace()), stack.enter_context(namespace())
        one.sh(LINK.format(peer=two.name))
        two.sh(PEER)
        yield one, two


def plans(**changes: object) -> dict[str, Plan]:
    """The plans of both nodes."""
    common = {"run": "r", "facts": ("transport_probes",), "window_seconds": 0.6, **changes}
    return introduced(
        {
            "n1": plan(node="n1", peers=(PeerTarget("n2", "10.45.0.2", None),), **common),
            "n2": plan(node="n2", peers=(PeerTarget("n1", "10.45.0.1", None),), **common),
        },
        TOKEN,
    )


def both(pair: tuple[Namespace, Namespace], delay: float = 0.0) -> list[object]:
    """The facts of two agents, the second one started later."""
    processes = []
    for place, order in zip(pair, plans().values(), strict=True):
        processes.append(
            subprocess.Popen(
                [*place.prefix, *COMMAND],
                env=environment(NETDOCTOR_PLAN=pack(order)),
                stdout=subprocess.PIPE,
            )
        )
        time.sleep(delay)
    return [unframe(p.communicate(timeout=30)[0]).facts["transport_probes"] for p in processes]


def whole(fact: object) -> TransportProbes:
    """The fact of a node whose peer answered everything."""
    assert isinstance(fact, TransportProbes), fact
    (path,) = fact.items
    assert path.answered
    assert path.udp.received == path.udp.sent == path.udp.spanned == path.udp.arrived, path.udp
    assert path.udp.sent >= 95
    assert path.tcp.ending == "done", path.tcp
    assert path.tcp.acked == path.tcp.bytes == 128 << 10
    assert path.tcp.connected == path.tcp.tried >= 3
    assert path.tcp.mss > 1000
    assert path.tcp.pmtu == 1500
    assert fact.dropped == 0
    return fact


@needs_root
@pytest.mark.parametrize("delay", [0.0, 1.2])
def test_a_late_peer_is_no_loss(pair: tuple[Namespace, Namespace], delay: float) -> None:
    """The window of the first is over before the second begins: nothing is lost all the same."""
    for fact in map(whole, both(pair, delay)):
        assert fact.heard[0].questions >= 95


@needs_root
def test_loss_has_a_direction(pair: tuple[Namespace, Namespace]) -> None:
    """30 % of what is sent to the second node are dropped before they are its own."""
    pair[1].nft(
        "table netdev loss { chain in { type filter hook ingress device eth1 priority 0;\n"
        f"udp dport {HOST_PORT} numgen random mod 100 < 30 drop\n}}\n}}"
    )
    there, back = both(pair)
    assert isinstance(there, TransportProbes)
    assert isinstance(back, TransportProbes)
    assert there.items[0].udp.lost_there > 8
    assert there.items[0].udp.lost_back == 0
    assert back.items[0].udp.lost_there == 0
    assert back.items[0].udp.lost_back > 8


@needs_root
def test_damage_is_counted_at_its_receiver(pair: tuple[Namespace, Namespace]) -> None:
    """Wrong checksums: the sender sees silence, the receiver's kernel counts what it threw away."""
    pair[0].sh("command -v ethtool && ethtool -K eth0 tx off || exit 0")
    pair[1].nft(
        "table netdev harm { chain in { type filter hook ingress device eth1 priority 0;\n"
        f"udp dport {HOST_PORT} @th,48,16 set 0xdead\n}}\n}}"
    )
    there, back = both(pair)
    assert isinstance(there, TransportProbes)
    assert isinstance(back, TransportProbes)
    assert there.items[0].udp.received == 0
    assert back.deltas["Udp.InCsumErrors"] > 20


@needs_root
def test_a_firewall_that_knows_nothing_of_us(pair: tuple[Namespace, Namespace]) -> None:
    """Replies pass, new flows do not: UDP is measured in spite of it, TCP is not."""
    pair[1].nft(
        "table inet wall { chain in { type filter hook input priority 0; policy drop;\n"
        "ct state established,related accept\nicmp type echo-request accept\n}\n}"
    )
    there, back = both(pair)
    assert isinstance(there, TransportProbes)
    assert isinstance(back, TransportProbes)
    assert there.items[0].tcp.ending == "not-connected"
    assert there.items[0].tcp.errors.keys() == {"timeout"}
    assert back.items[0].udp.lost == 0
    assert back.items[0].tcp.ending == "done"


@needs_root
def test_a_taken_port_is_a_reason() -> None:
    """Another program has it: the fact is missing, and nothing breaks."""
    with namespace() as place:
        place.sh("ip addr add 10.45.0.1/24 dev lo")
        script = (
            "import socket,time; s=socket.socket(2,2); "
            f"s.bind(('0.0.0.0',{HOST_PORT})); print(1,flush=True); time.sleep(20)"
        )
        other = subprocess.Popen(
            [*place.prefix, "python3", "-c", script], stdout=subprocess.PIPE, env=dict(os.environ)
        )
        try:
            assert other.stdout
            other.stdout.readline()
            fact = run_agent(plans()["n1"], prefix=place.prefix).facts["transport_probes"]
        finally:
            other.kill()
            other.communicate()
    assert isinstance(fact, Missing)
    assert fact.reason is Reason.NOT_PRESENT
    assert str(HOST_PORT) in fact.detail


def test_nobody_to_ask_costs_nothing() -> None:
    """A node that is scanned alone opens no port and waits for nobody."""
    started = time.monotonic()
    alone = plan(facts=("transport_probes",), responder_token=TOKEN)
    fact = run_agent(alone).facts["transport_probes"]
    assert isinstance(fact, Missing)
    assert time.monotonic() - started < 5


def test_an_upload_starts_with_the_token() -> None:
    """Its head says how large it is, and no more than is allowed."""
    assert read_head(pack_head(SECRET, 1000), SECRET) == 1000
    assert read_head(pack_head(SECRET, MOST_UPLOAD + 1), SECRET) is None
