"""What probes between nodes saw, by pair and layer: what heat maps and latency tables show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import KEYS
from kubectl_netdoctor.facts.path_mtu import PathMtu, PathMtus
from kubectl_netdoctor.facts.probe import PathProbe, PathProbes
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.report import numbers

Layer = Literal["node", "overlay"]
LAYERS: dict[Layer, str] = {"node": "underlay", "overlay": "overlay"}


@dataclass(frozen=True, slots=True)
class Path:
    """Echo requests from one node to another; `mtu` None: sizes were not tried."""

    sender: str
    receiver: str
    layer: Layer
    probes: tuple[PathProbe, ...]
    mtu: PathMtu | None

    @property
    def sent(self) -> int:
        """Echo requests."""
        return sum(p.sent for p in self.probes)

    @property
    def lost(self) -> int:
        """Those without an answer."""
        return sum(p.lost for p in self.probes)

    @property
    def errors(self) -> dict[str, int]:
        """What came instead of answers."""
        return dict(sum((Counter(p.errors) for p in self.probes), Counter()))

    @property
    def times(self) -> list[float]:
        """Round trips, ordered, ms."""
        return numbers.finite(t for p in self.probes for t in p.rtt_ms)

    @property
    def loss(self) -> float | None:
        """Share without an answer, 0 to 1; None where nothing was sent."""
        return self.lost / self.sent if self.sent > 0 else None

    @property
    def rtt(self) -> float | None:
        """Median round trip, ms."""
        return numbers.median(times) if (times := self.times) else None

    @property
    def largest(self) -> int | None:
        """The largest packet that was answered; None where no size was, or none was tried."""
        return self.mtu.passes if self.mtu else None


Paths = Mapping[tuple[str, str, Layer], Path]


def paths(snapshot: Snapshot) -> Paths:
    """All pairs of which anything was measured, in the order of nodes."""
    found: dict[tuple[str, str, Layer], Path] = {}
    for report in snapshot.nodes:
        probes = snapshot.node_fact(report.name, KEYS[PathProbes])
        sizes = snapshot.node_fact(report.name, KEYS[PathMtus])
        for layer in LAYERS:
            echoes: dict[str, list[PathProbe]] = {}
            for probe in probes.items if isinstance(probes, PathProbes) else ():
                if probe.peer and probe.role == layer and probe.protocol == "icmp":
                    echoes.setdefault(probe.peer, []).append(probe)
            tried = sizes.items if isinstance(sizes, PathMtus) else ()
            widths = {m.peer: m for m in tried if m.role == layer}
            for peer in dict.fromkeys((*echoes, *widths)):
                found[report.name, peer, layer] = Path(
                    report.name, peer, layer, tuple(echoes.get(peer, ())), widths.get(peer)
                )
    return found


def by_trouble(found: Paths) -> list[Path]:
    """Most loss first, then the smallest packets, then the slowest."""
    return sorted(
        found.values(),
        key=lambda p: (
            -(p.loss or 0.0),
            _shortfall(p),
            -(p.rtt or 0.0),
            p.sender,
            p.receiver,
            p.layer,
        ),
    )


def _shortfall(path: Path) -> int:
    """By how many bytes the largest answered packet is below what the kernel would send."""
    if path.mtu is None or not path.mtu.sizes:
        return 0
    return (path.largest or 0) - path.mtu.allowed
