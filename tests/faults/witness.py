"""Independent witnesses that a fault is in force: ping, sockets and questions of their own.

None of them uses the package under test. Each is a factory of a witness, which gives an empty text
once the fault is there, else what still works or is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.scenario import Witness
from tests.lab import Lab

_TCP = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()"
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
        said = lab.on(
            node,
            "ping",
            "-n",
            "-q",
            "-c",
            str(count),
            "-i",
            "0.01",
            "-W",
            "1",
            address(lab),
            check=False,
        )
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


def node_of(name: str) -> Address:
    """A node's own address."""
    return lambda lab: lab.address(name)


def tunnel_of(name: str) -> Address:
    """The address of a node's flannel device, as the node itself says."""

    def address(lab: Lab) -> str:
        return lab.on(name, "ip", "-4", "-br", "addr", "show", "flannel.1").split()[2].split("/")[0]

    return address


def healthy(_lab: Lab) -> str:
    """There is nothing to wait for."""
    return ""
