"""How old a Service's last change is: what changed just now may be right tomorrow's rules.

The inventory is read before the nodes, so everything that was written since, or shortly before, is
no ground for a finding about rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_netdoctor.facts.service_changes import ServiceChanges
from kubectl_netdoctor.facts.snapshot import RunInfo

SETTLED = timedelta(seconds=60)  # two sync periods of kube-proxy; of nodes and pods that start, too


@dataclass(frozen=True, slots=True)
class Ages:
    """Seconds between each Service's last write and the start of the run, by `namespace/name`."""

    seconds: Mapping[str, float | None]
    hinted: frozenset[str]
    others: frozenset[str]  # Services that are another proxy's

    def settled(self, service: str) -> bool:
        """Whether nothing was written since SETTLED before the run; a deleted one was never."""
        age = self.seconds.get(service)
        return age is not None and age >= SETTLED.total_seconds()

    def moving(self, service: str) -> bool:
        """Whether it was written while the run went on: what was measured may be gone by now.

        The API's times are whole seconds: what was written in the second of the start was before it.
        """
        age = self.seconds.get(service)
        return age is not None and age < 0


def ages(changes: ServiceChanges, run: RunInfo) -> Ages:
    """Ages by the API server's clock; the run's own length is measured by ours."""
    clock, local, started = (time(t) for t in (changes.clock, changes.local, run.started))
    found: dict[str, float | None] = {}
    for item in changes.items:
        written = time(item.written) if item.written else None
        known = clock and local and started and written
        found[f"{item.namespace}/{item.name}"] = (
            ((clock - written) - (local - started)).total_seconds()
            if known and clock and written and local and started
            else None
        )
    return Ages(
        found,
        frozenset(f"{i.namespace}/{i.name}" for i in changes.items if i.hints),
        frozenset(f"{i.namespace}/{i.name}" for i in changes.items if i.proxy),
    )


def time(text: str) -> datetime | None:
    """A time of the API; None where it is none, or has no zone to compare it by."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
