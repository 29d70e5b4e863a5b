"""
Look at a node, or probe from it: `on_node.py`, run on the node; reads and prints JSON.

`{"look": true}` prints the node's addresses and its network settings; `{"ping": [...], "dns":
[[server, name], ...], "seconds": 1}` prints which of these did not answer.
"""

import contextlib
import json
import os
import re
import secrets
import select
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NET = Path("/proc/sys/net")
# Settings that change by themselves, or that are not this node's.
RESTLESS = re.compile(
    r"(^netfilter/nf_conntrack_(count|max|buckets|expect_max)$)|(_key|stable_secret|/flush)$"
    r"|(^|/)lo/"
)
POD_LINK = re.compile(r"veth")
# A bridge that has lost its last pod falls back to another MTU.
POD_BRIDGE = "cni0"
RULE = re.compile(r"-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) |:\S+ (DROP|REJECT)\b")
SPLIT = 0.25  # seconds between two tries of a probe
ECHO_REQUEST, ECHO_REPLY = 8, 0
IP_HEADER = 20


def look() -> dict[str, Any]:
    """Return the node's addresses and settings."""
    links = ip("address")
    addresses = {
        a["local"]: link["ifname"]
        for link in links
        if "UP" in link["flags"]
        for a in link["addr_info"]
    }
    return {"addresses": addresses, "stopped": stopped(), "settings": dict(settings(links))}


def stopped() -> list[str]:
    """Return the daemons that the node should run and does not."""
    records = Path("/run/lab").glob("*.pid")
    return sorted(r.stem for r in records if not Path("/proc", r.read_text().strip()).exists())


def settings(links: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the settings by name that a test may change and must put back."""
    names = [link["ifname"] for link in links]
    passing = {name for name in names if POD_LINK.match(name)}
    passing |= set() if passing else {POD_BRIDGE}
    yield from sysctls(passing)
    for link in links:
        if link["ifname"] not in passing:
            up = "up" if "UP" in link["flags"] else "down"
            yield f"link {link['ifname']}", f"{up} mtu {link['mtu']} qdisc {link.get('qdisc')}"
    for route in ip("route", "show", "table", "all"):
        device = route.get("dev", "-")
        if device not in passing and route.get("type", "unicast") not in {"local", "broadcast"}:
            via = route.get("gateway", "-")
            yield f"route {route['dst']} dev {device}", f"via {via} type {route.get('type')}"
    for rule in ip("rule"):
        yield f"ip rule {rule['priority']}", json.dumps(rule, sort_keys=True)
    yield from filters()


def sysctls(passing: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the network's kernel parameters that this node may set."""
    for folder, below, files in os.walk(NET):
        below[:] = [name for name in below if name not in passing]
        for file in files:
            path = Path(folder, file)
            name = str(path.relative_to(NET))
            if not RESTLESS.search(name):
                with contextlib.suppress(OSError):
                    yield f"sysctl net/{name}", path.read_text().strip()


def filters() -> Iterator[tuple[str, str]]:
    """Yield the rules of built-in chains, their policies, and tables that are not iptables'."""
    commands = ["iptables-save", "ip6tables-save"]
    # Asking the older backend would make its tables; so only where it has some.
    if Path("/proc/net/ip_tables_names").exists() and Path("/proc/net/ip_tables_names").read_text():
        commands.append("iptables-legacy-save")
    for command in commands:
        table = ""
        for line in output(command).splitlines():
            table = line[1:] if line.startswith("*") else table
            if RULE.match(line):
                rule = re.sub(r" \[\d+:\d+\]$", "", line)
                yield f"{command.removesuffix('-save')} -t {table} {rule}", "there"
    tables = Counter(output("nft", "list", "tables").splitlines())
    for table in tables:
        if not re.fullmatch(r"table ip6? (filter|nat|mangle|raw|security)", table):
            yield f"nft {table}", "there"


def ip(*words: str) -> list[dict[str, Any]]:
    """Return what the ip command says, as objects."""
    found: list[dict[str, Any]] = json.loads(output("ip", "-j", *words) or "[]")
    return found


def output(*argv: str) -> str:
    """Return what a command prints."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def probe(targets: list[str], questions: list[list[str]], seconds: float) -> dict[str, Any]:
    """Ping and ask all of them at once, more than once, and return who did not answer."""
    pinged, asked = set(targets), {tuple(question) for question in questions}
    with contextlib.ExitStack() as stack:
        icmp = stack.enter_context(
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        )
        udp = {
            question: stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for question in asked
        }
        for question, sock in udp.items():
            sock.connect((question[0], 53))
        start = again = time.monotonic()
        while (pinged or asked) and time.monotonic() < start + seconds:
            if time.monotonic() >= again:
                again += SPLIT
                send(icmp, pinged, {question: udp[question] for question in asked})
            ready, _, _ = select.select([icmp, *(udp[q] for q in asked)], [], [], 0.05)
            if icmp in ready:
                pinged.discard(echo_from(icmp))
            asked -= {q for q in asked if udp[q] in ready and answered(udp[q])}
    return {"silent": sorted(pinged), "unanswered": sorted(map(list, asked))}


def send(icmp: socket.socket, targets: set[str], questions: dict[Any, socket.socket]) -> None:
    """Send a round of probes; one that cannot be sent counts as not answered."""
    for target in targets:
        with contextlib.suppress(OSError):
            icmp.sendto(echo_request(), (target, 0))
    for (_, name), sock in questions.items():
        with contextlib.suppress(OSError):
            sock.send(dns_query(name))


def echo_request() -> bytes:
    """Return an ICMP echo request with a checksum."""
    body = struct.pack("!HH", os.getpid() & 0xFFFF, 1) + bytes(16)
    total = sum(struct.unpack(f"!{(len(body) + 2) // 2}H", bytes((ECHO_REQUEST, 0)) + body))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBH", ECHO_REQUEST, 0, ~(total + (total >> 16)) & 0xFFFF) + body


def echo_from(icmp: socket.socket) -> str:
    """Return who sent the echo reply that has come in; nobody, if it was something else."""
    packet, (sender, _) = icmp.recvfrom(256)
    kind, identity = packet[IP_HEADER], packet[IP_HEADER + 4 : IP_HEADER + 6]
    ours = identity == struct.pack("!H", os.getpid() & 0xFFFF)
    return str(sender) if kind == ECHO_REPLY and ours else ""


def dns_query(name: str) -> bytes:
    """Return a query for the address of a name."""
    header = secrets.token_bytes(2) + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    return header + labels + b"\x00" + struct.pack("!HH", 1, 1)


def answered(sock: socket.socket) -> bool:
    """Tell whether the reply that has come in holds an answer."""
    try:
        reply = sock.recv(4096)
    except OSError:
        return False
    flags, answers = int.from_bytes(reply[2:4]), int.from_bytes(reply[6:8])
    return flags & 0x800F == 0x8000 and answers > 0


def main() -> None:
    """Do what was asked on stdin."""
    asked = json.load(sys.stdin)
    done = look() if "look" in asked else probe(asked["ping"], asked["dns"], asked["seconds"])
    print(json.dumps(done))


if __name__ == "__main__":
    main()
