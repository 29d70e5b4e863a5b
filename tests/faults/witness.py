"""Independent witnesses that a fault is in force: ping, sockets and questions of their own.

None of them uses the package under test. Each is a factory of a witness, which gives an empty text
once the fault is there, else what still works or is missing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

from tests.e2e.faults import dns_endpoints
from tests.faults.scenario import Witness
from tests.lab import Lab

_TCP = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()"
IN_CLUSTER = "kubernetes.default.svc.cluster.local."
Address = Callable[[Lab], str]


def pings(lab: Lab, node: str, address: str, *, count: int = 3, size: int = 56) -> int:
    """How many of so many echoes come back to a node."""
    words = ("ping", "-n", "-q", "-c", count, "-i", "0.2", "-W", "1", "-s", size, address)
    said = lab.on(node, *map(str, words), check=False)
    counts = [part for part in said.split(",") if "received" in part]
    return int(counts[0].split()[0]) if counts else 0


def connects(lab: Lab, node: str, address: str, port: int) -> bool:
    """Whether a node opens a TCP connection."""
    said = lab.on(
        node, "sh", "-c", f"python3 -c '{_TCP}' {address} {port} && echo open", check=False
    )
    return "open" in said


def silent(node: str, address: Address) -> Witness:
    """No echo comes back."""

    def look(lab: Lab) -> str:
        count = pings(lab, node, address(lab))
        return f"{count} of 3 echoes from {node} to {address(lab)} still come back" if count else ""

    return look


def lossy(node: str, address: Address, least: int, count: int = 60) -> Witness:
    """So many echoes of the count are lost, at least."""

    def look(lab: Lab) -> str:
        words = ("ping", "-n", "-q", "-c", str(count), "-i", "0.01", "-W", "1")
        said = lab.on(node, *words, address(lab), check=False)
        got = int(next(p for p in said.split(",") if "received" in p).split()[0])
        lost = count - got
        return "" if lost >= least else f"only {lost} of {count} echoes were lost"

    return look


def closed(node: str, address: Address, port: int) -> Witness:
    """No TCP connection is opened."""

    def look(lab: Lab) -> str:
        still = connects(lab, node, address(lab), port)
        return f"{node} still connects to {address(lab)}:{port}" if still else ""

    return look


def shows(node: str, *command: str, text: str, there: bool = True) -> Witness:
    """A command on the node prints a text, or does not."""

    def look(lab: Lab) -> str:
        seen = text in lab.on(node, *command, check=False)
        return "" if seen is there else f"{' '.join(command)} on {node}: {text!r} {seen=}"

    return look


def asks(*words: str, text: str, there: bool = True) -> Witness:
    """`kubectl` prints a text, or does not."""

    def look(lab: Lab) -> str:
        seen = text in lab.kubectl(*words)
        return "" if seen is there else f"kubectl {' '.join(words)}: {text!r} {seen=}"

    return look


def every(*witnesses: Witness) -> Witness:
    """All of them."""

    def look(lab: Lab) -> str:
        return next((said for witness in witnesses if (said := witness(lab))), "")

    return look


_QUESTION = """
import sys, time, dns.message, dns.query
_, server, name, kind, tcp = sys.argv
ask = dns.query.tcp if tcp == "tcp" else dns.query.udp
start = time.monotonic()
try:
    answer = ask(dns.message.make_query(name, kind, use_edns=0, payload=4096), server, timeout=1.5)
except Exception as exc:
    print("none", type(exc).__name__)
else:
    print("answer", len(answer.answer), round(1000 * (time.monotonic() - start)))
"""


def question(
    lab: Lab, node: str, server: str, name: str, kind: str = "A", transport: str = "udp"
) -> tuple[int, int] | None:
    """Records and milliseconds of an answer, None without one; sent from a node."""
    words = (sys.executable, "-c", _QUESTION, server, name, kind, transport)
    said = lab.on(node, *words, check=False).split()
    return (int(said[1]), int(said[2])) if said[:1] == ["answer"] else None


def unanswered(node: str, server: Address, **how: str) -> Witness:
    """A DNS question gets no answer."""

    def look(lab: Lab) -> str:
        answer = question(lab, node, server(lab), **{"name": IN_CLUSTER, **how})
        return "" if answer is None else f"{server(lab)} answers {node}: {answer}"

    return look


def slow(node: str, server: Address, least_ms: int, **how: str) -> Witness:
    """A DNS answer takes that long."""

    def look(lab: Lab) -> str:
        answer = question(lab, node, server(lab), **{"name": IN_CLUSTER, **how})
        return "" if answer and answer[1] >= least_ms else f"{server(lab)} to {node}: {answer}"

    return look


def too_large(node: str, address: Address, size: int) -> Witness:
    """Echoes of that size do not come back, small ones do."""

    def look(lab: Lab) -> str:
        words = ("ping", "-n", "-q", "-c", "2", "-i", "0.2", "-W", "1", "-M", "do")
        large = lab.on(node, *words, "-s", str(size - 28), address(lab), check=False)
        small = pings(lab, node, address(lab))
        if not small:
            return f"{node} does not reach {address(lab)} at all"
        return "" if " 0 received" in large or "errors" in large else f"{size} bytes still pass"

    return look


def fixed(address: str) -> Address:
    """An address that is known beforehand."""
    return lambda _lab: address


def dns_service(lab: Lab) -> str:
    """The ClusterIP of cluster DNS."""
    words = ("-n", "kube-system", "get", "service", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    return lab.kubectl(*words)


def dns_endpoint(number: int) -> Address:
    """One of the pods of cluster DNS, counted from 0 or from the end."""
    return lambda lab: sorted(dns_endpoints(lab))[number]


def first_listed_dns_endpoint(lab: Lab) -> str:
    """The pod of cluster DNS that the API names first."""
    return dns_endpoints(lab)[0]


def node_of(name: str) -> Address:
    """A node's own address."""
    return lambda lab: lab.address(name)


def field(kind: str, name: str, path: str) -> Address:
    """A field of an object of the default namespace."""
    return lambda lab: lab.kubectl("get", kind, name, "-o", f"jsonpath={{.{path}}}")


def tunnel_of(name: str) -> Address:
    """The address of a node's flannel device, as the node itself says."""

    def address(lab: Lab) -> str:
        return lab.on(name, "ip", "-4", "-br", "addr", "show", "flannel.1").split()[2].split("/")[0]

    return address


def healthy(_lab: Lab) -> str:
    """There is nothing to wait for."""
    return ""


_HEAR = """
import socket, sys
_, kind, address, port, count = sys.argv
sock = socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind((address, int(port)))
sock.settimeout(2)
kind == "tcp" and sock.listen()
print("ready", flush=True)
heard = 0
try:
    if kind == "tcp":
        sock = sock.accept()[0]
        sock.settimeout(2)
    while heard < int(count) and (data := sock.recv(65536)):
        heard += 1 if kind == "udp" else len(data)
except OSError:
    pass
print(heard)
"""
_SAY = """
import socket, sys, time
_, kind, address, port, count = sys.argv
if kind == "udp":
    sock = socket.socket(type=socket.SOCK_DGRAM)
    for _ in range(int(count)):
        sock.sendto(b"x", (address, int(port)))
        time.sleep(0.002)
else:
    sock = socket.create_connection((address, int(port)), 2)
    sock.settimeout(2)
    sock.sendall(b"x" * int(count))
"""
FREE_PORT = 28999  # nobody's


def unheard(
    sender: str,
    receiver: str,
    address: Address,
    *,
    least: int = 5,
    count: int = 5,
    kind: str = "udp",
    port: int = FREE_PORT,
) -> Witness:
    """Of so many datagrams (or bytes of one TCP connection) to a socket, these are lost at least."""

    def look(lab: Lab) -> str:
        words = (kind, address(lab), str(port), str(count))
        argv = [*lab._where(receiver), sys.executable, "-c", _HEAR, *words]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as hearer:
            assert hearer.stdout
            assert hearer.stdout.readline() == "ready\n"
            lab.on(sender, sys.executable, "-c", _SAY, *words, check=False)
            came = int(hearer.stdout.read())
        return "" if count - came >= least else f"{sender} to {receiver}: {came} of {count} came"

    return look


def works(witness: Witness) -> Witness:
    """What the fault leaves alone: the other witness does not see it there."""

    def look(lab: Lab) -> str:
        return "" if witness(lab) else "what should still work is broken as well"

    return look


def grows(node: str, *command: str, pattern: str, meanwhile: Witness = healthy) -> Witness:
    """Numbers that a command on the node prints grow within half a second, or with another look."""

    def total(lab: Lab) -> int:
        return sum(map(int, re.findall(pattern, lab.on(node, *command, check=False))))

    def look(lab: Lab) -> str:
        before = total(lab)
        lab.on(node, "sleep", "0.5")
        if said := meanwhile(lab):
            return said
        return "" if total(lab) > before else f"{' '.join(command)} on {node}: still {before}"

    return look


def pod_closed(pod: str, address: Address, port: int) -> Witness:
    """A pod of the default namespace opens no TCP connection."""

    def look(lab: Lab) -> str:
        words = ("exec", pod, "--", "python3", "-c", _TCP, address(lab), str(port))
        done = lab.run("kubectl", *words, timeout=60)
        broken = done.returncode != 0 and "timed out" in done.stderr
        return "" if broken else f"{pod} to {address(lab)}:{port}: {done.stderr[-200:] or 'open'}"

    return look
