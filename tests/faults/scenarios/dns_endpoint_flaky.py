"""A rule on one node takes a half of the questions to one pod of cluster DNS."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Cause, Inject, Scenario, Witness
from tests.lab import Lab

_BURST = """
import contextlib, socket, sys, time, dns.message
_, server, name, count = sys.argv
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.connect((server, 53))
sock.settimeout(1.5)
sent = {}
for number in range(1, int(count) + 1):
    question = dns.message.make_query(name, "A", id=number).to_wire()
    sent[number] = time.monotonic()
    with contextlib.suppress(PermissionError):  # a rule of the sender itself dropped it
        sock.send(question)
slowest, answers = 0.0, 0
try:
    while answers < len(sent):
        number = int.from_bytes(sock.recv(4096)[:2], "big")
        slowest = max(slowest, time.monotonic() - sent[number])
        answers += 1
except OSError:
    pass
print(answers, round(1000 * slowest))
"""


def burst(lab: Lab, node: str, server: str, count: int) -> tuple[int, int]:
    """Answers to so many questions at once, and the milliseconds of the slowest of them."""
    words = (sys.executable, "-c", _BURST, server, witness.IN_CLUSTER, str(count))
    answers, slowest = lab.on(node, *words).split()
    return int(answers), int(slowest)


def inject(node: str, number: int) -> Inject:
    """What the node sends to the endpoint of that number."""

    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        match = ("-d", witness.dns_endpoint(number)(lab), "-p", "udp", "--dport", "53")
        half = ("-m", "statistic", "--mode", "random", "--probability", "0.5")
        rule = ("OUTPUT", *match, *half, "-j", "DROP")
        lab.on(node, "iptables", "-I", *rule)
        try:
            yield
        finally:
            lab.on(node, "iptables", "-D", *rule)

    return fault


def halved(node: str, number: int) -> Witness:
    """Some of forty questions are answered and some are not."""

    def look(lab: Lab) -> str:
        answers, _ = burst(lab, node, witness.dns_endpoint(number)(lab), 40)
        return "" if 5 <= answers <= 35 else f"{answers} of 40 questions were answered"

    return look


SCENARIOS = [
    Scenario(
        f"dns_endpoint_flaky-{node}-{number}",
        inject(node, number),
        halved(node, number),
        (Cause(("DNS-22",), (node,), place=rf"from {node}\n", fix=r"-D OUTPUT .*53"),),
    )
    for node, number in (("n3", 0), ("n1", 1))
]
