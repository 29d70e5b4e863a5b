"""`scan --bundle --pcap`: from what agents kept to one file for each node."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cli.pcapng import Frame, pcapng
from kubectl_netdoctor.facts import captures
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.plan import Plan
from kubectl_netdoctor.report.terminal import clean

FOLDER = "captures"
REDACTED = "no captures are in the bundle: packets hold addresses, and --redact was given"
_PLAIN = re.compile(r"[0-9A-Za-z]([0-9A-Za-z-]|\.(?!\.)){0,62}")
_NAMED = 3  # nodes in one warning


@dataclass(slots=True)
class NodeCaptures:
    """The captures of one run's nodes, filled by the threads that read logs, a node each."""

    plans: Mapping[str, Plan]
    files: dict[str, bytes] = field(default_factory=dict)  # pcapng, by node
    story: dict[str, str] = field(default_factory=dict)  # what there is of each node, in words
    refused: dict[str, str] = field(default_factory=dict)

    def heard(self, node: str, log: bytes) -> None:
        """Take the packets out of the log of a node that answered; bad ones are noted."""
        plan = self.plans[node]
        if not plan.keep_packets:
            return
        try:
            found = captures.unframe(log, plan.run, node, plan.keep_packets)
        except DecodeError as exc:
            self.refused[node] = clean(str(exc))
            return
        self.story[node] = f"{len(found.packets)} packets, {found.left_out} more seen and not kept"
        if found.packets:
            self.files[node] = _file(found)

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Name in the bundle and content of each file."""
        for node, data in tuple(self.files.items()):  # after Ctrl-C, a late thread may add to it
            yield f"{FOLDER}/{file_name(node)}", data

    def lines(self) -> Iterator[str]:
        """For the bundle's log: where each node's packets are."""
        for node, words in sorted({**self.story, **self.refused}.items()):
            name = f" in {FOLDER}/{file_name(node)}" if node in self.files else ""
            yield clean(f"{node}: captures: {words}{name}")

    def warning(self) -> str | None:
        """What is wrong with those that are left out, in one sentence."""
        if not self.refused:
            return None
        some = [f"{clean(node)}: {why}" for node, why in sorted(self.refused.items())[:_NAMED]]
        more = len(self.refused) - len(some)
        return f"captures left out: {'; '.join(some)}" + (f"; and {more} more" if more else "")


def file_name(node: str) -> str:
    """A name that stays in its folder, differs from node to node, and fits into an archive."""
    if _PLAIN.fullmatch(node):
        return f"{node}.pcapng"
    digest = hashlib.sha256(node.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub('[^0-9A-Za-z-]', '_', node)[:50]}-{digest[:8]}.pcapng"


def _file(found: captures.Captures) -> bytes:
    frames = (
        Frame((packet.interface, packet.role), packet.at, bytes.fromhex(packet.head), packet.size)
        for packet in found.packets
    )
    return pcapng(
        frames,
        program=f"kubectl-netdoctor {__version__}",
        comment=(
            f"run {found.run}, node {clean(found.node)}: marked probes of this run, the first "
            f"{captures.FLOW_PACKETS} of each flow on each interface; {found.left_out} more seen "
            "and not kept; the run's token is zeroed; times by the node's clock"
        ),
        most=captures.HEADER_BYTES + captures.PACKET_BYTES,
    )
