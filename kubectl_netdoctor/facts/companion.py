"""The companions of a run: one small Pod in the pod network of each scanned node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubectl_netdoctor.facts.base import Scope, fact

PORT = 46847
"""UDP and TCP, of the companion's own address: neither privileged nor ephemeral anywhere usual."""

CompanionStatus = Literal["running", "late", "not-started", "refused", "ended"]


@dataclass(frozen=True, slots=True)
class Companion:
    """What became of one node's companion.

    `running`: it had its address when the agents began. `late`: it came up after that. `ended`: it
    ran and was gone before the run was over. `not-started`: its node never ran it; `trouble` is then
    the reason of the latest event (FailedCreatePodSandBox …) and `said` its words. `refused`: the
    API did not accept it. `seconds`: from the request to the first sight of its address.
    """

    node: str
    status: CompanionStatus
    address: str | None
    seconds: float | None
    trouble: str | None
    said: str | None


@fact("companions", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class Companions:
    """All companions of the run, and the namespace that they are in."""

    namespace: str
    items: tuple[Companion, ...]

    def of(self, node: str) -> Companion | None:
        """That node's companion."""
        return next((c for c in self.items if c.node == node), None)
