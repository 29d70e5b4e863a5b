"""The companion, and probes between two pods and their nodes, on real kernels."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.agent.question import QUESTION_BYTES, TOKEN_BYTES, answer, question, token_of
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.companion import PORT
from kubectl_netdoctor.facts.plan import CompanionNews, CompanionTarget, PeerTarget, news_text
from kubectl_netdoctor.facts.pod_probe import PodPathProbe, PodProbes
from tests.fixtures.plans import plan
from tests.unit.agent.agent_process import COMMAND, environment, run_agent
from tests.unit.agent.namespaces import Namespace, namespace, needs_root

RUN = "r-companion"
TOKEN = "00112233445566778899aabbccddeeff"  # noqa: S105 - of a test
NONCE = bytes(range(24))
POD = """
ip link add eth0 type veth peer name eth1 netns {peer}
ip addr add 10.44.0.1/24 dev eth0
ip link set eth0 up
"""
PEER = """
ip addr add 10.44.0.2/24 dev eth1
ip link set eth1 up
"""
ASK = """
import socket, sys
data = bytes.fromhex(sys.argv[1])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(0.5)
udp.sendto(data, ("10.44.0.1", {port}))
try:
    print(udp.recv(999).hex())
except TimeoutError:
    print("silence")
tcp = socket.create_connection(("10.44.0.1", {port}), 2)
tcp.sendall(data)
print(tcp.recv(999).hex())
"""


@given(st.binary(max_size=80))
def test_nothing_else_is_answered(data: bytes) -> None:
    """Whatever is no question of the run gets no answer, and no answer is longer than it."""
    said = answer(data, token_of(TOKEN))
    assert said is None or (data.startswith(token_of(TOKEN)) and len(said) < len(data))


def test_an_answer_is_no_question() -> None:
    """Two companions cannot be made to talk to each other."""
    said = answer(question(token_of(TOKEN), NONCE), token_of(TOKEN))
    assert said == NONCE
    assert answer(said, token_of(TOKEN)) is None
    assert TOKEN_BYTES + len(NONCE) == QUESTION_BYTES


def test_a_bad_call_is_a_status() -> None:
    """Without a token it does not start."""
    done = subprocess.run(
        [*COMMAND, "--respond", RUN],
        env=environment(NETDOCTOR_DEADLINE="1"),
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"netdoctor companion: ")


def companion(pod: Namespace, seconds: str = "30") -> subprocess.Popen[bytes]:
    """A companion that listens in that namespace."""
    process = subprocess.Popen(
        [*pod.prefix, *COMMAND, "--respond", RUN],
        env=environment(NETDOCTOR_TOKEN=TOKEN, NETDOCTOR_DEADLINE=seconds),
    )
    end = time.monotonic() + 20
    listening = [*pod.prefix, "ss", "-Hlnt", f"sport = :{PORT}"]
    while not subprocess.run(listening, capture_output=True, check=True).stdout:
        assert time.monotonic() < end
        time.sleep(0.05)
    return process


@pytest.fixture(scope="module")
def pods() -> Iterator[tuple[Namespace, Namespace]]:
    """Two pods that reach each other, the first one with a companion."""
    with namespace() as own, namespace() as peer:
        own.sh(POD.format(peer=peer.name))
        peer.sh(PEER)
        process = companion(own)
        try:
            yield own, peer
        finally:
            process.kill()
            process.wait()


def ask(peer: Namespace, data: bytes) -> list[str]:
    """What is said over UDP and TCP to these bytes."""
    script = [sys.executable, "-c", ASK.format(port=PORT), data.hex()]
    done = subprocess.run([*peer.prefix, *script], capture_output=True, check=True, timeout=20)
    return done.stdout.decode().splitlines()


@needs_root
def test_it_answers_the_run_and_nobody_else(pods: tuple[Namespace, Namespace]) -> None:
    """UDP: silence; TCP: the connection ends without a word."""
    right = question(token_of(TOKEN), NONCE)
    assert ask(pods[1], right) == [NONCE.hex(), NONCE.hex()]
    for wrong in (b"\0" * QUESTION_BYTES, right[:-1], right + b"x"):
        assert ask(pods[1], wrong) == ["silence", ""]


@needs_root
def test_it_ends_at_its_deadline() -> None:
    """By itself, with status 0."""
    with namespace() as pod:
        process = companion(pod, "1.5")
        assert process.wait(20) == 0


@needs_root
def test_it_ends_on_sigterm() -> None:
    """At once, as process 1 of its container too."""
    with namespace() as pod:
        process = companion(pod)
        process.terminate()
        assert process.wait(5) == 143


ORDERS = plan(
    run=RUN,
    facts=("pod_probes",),
    window_seconds=0.6,
    companions_within=1.0,
    responder_token=TOKEN,
    peers=(PeerTarget("n2", "10.44.0.2", None),),
)


def report(folder: Path, news: CompanionNews | None) -> object:
    """The fact that an agent brings when it is told this."""
    file = folder / "news"
    file.write_text(news_text(news) if news else "")
    return run_agent(ORDERS, NETDOCTOR_NEWS=str(file)).facts["pod_probes"]


def seen(fact: PodProbes) -> dict[tuple[str, str | None, str, str], PodPathProbe]:
    """Probes by vantage, peer, role and protocol."""
    return {(p.vantage, p.peer, p.role, p.protocol): p for p in fact.items}


@needs_root
def test_probes_start_in_the_pod(pods: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    """The pod reaches its peer; this machine, which is in neither namespace, reaches nobody."""
    assert pods
    targets = (CompanionTarget("n2", "10.44.0.2"), CompanionTarget("n3", "10.44.0.66"))
    fact = report(tmp_path, CompanionNews("10.44.0.1", targets))
    assert isinstance(fact, PodProbes)
    assert (fact.address, fact.inside) == ("10.44.0.1", None)
    found = seen(fact)
    for probe in found.values():
        assert probe.sent == probe.received + sum(probe.errors.values())
        assert len(probe.rtt_ms) == probe.received
    assert found["pod", "n2", "companion", "icmp"].errors == {}
    assert found["pod", "n2", "node", "icmp"].errors == {}
    refused = found["pod", "n2", "companion", "tcp"]
    assert refused.errors == {"refused": refused.sent}  # nobody listens there
    assert found["pod", "n2", "companion", "udp"].received == 0
    assert set(found["pod", "n3", "companion", "icmp"].errors) <= {"timeout", "neighbour-failed"}
    assert found["node", "n2", "companion", "icmp"].received == 0


@needs_root
def test_an_address_that_is_not_there(pods: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    """A process with the right words in another namespace is not believed."""
    assert pods
    fact = report(tmp_path, CompanionNews("10.44.0.99", ()))
    assert isinstance(fact, PodProbes)
    assert fact.inside == "no companion of this run has the address 10.44.0.99 here"
    assert {p.vantage for p in fact.items} == {"node"}


@pytest.mark.parametrize("news", [None, CompanionNews("", ())])
def test_no_news_are_no_companions(news: CompanionNews | None, tmp_path: Path) -> None:
    """The agent does not wait for ever, and says why there is nothing."""
    started = time.monotonic()
    fact = report(tmp_path, news)
    assert isinstance(fact, Missing)
    assert fact.reason is Reason.NOT_PRESENT
    assert time.monotonic() - started < 15
