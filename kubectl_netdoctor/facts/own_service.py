"""How soon, and from where, the run's own Service leads to the companion of the node."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact

PATIENCE = 15.0
"""Seconds for which the Service is tried: a plan has to leave them."""


@dataclass(frozen=True, slots=True)
class ServiceTries:
    """Connections to the Service from one vantage; `errors` has the keys of PathProbe."""

    sent: int
    received: int
    errors: dict[str, int]


@fact("own_service")
@dataclass(frozen=True, slots=True)
class OwnService:
    """A Service with internalTrafficPolicy Local, whose only backend here is the node's companion.

    It is made when the first agent runs; its endpoint on this node is new when the agent is told of
    the companions. `seconds` runs on the agent's own clock from that news to the first connection
    that was answered, None where none was: the change of the EndpointSlice, which follows the
    companion's readiness, and the writing of rules are both in it, so it is an upper bound that
    needs no common clock. `hairpin`: from the companion itself, once that was so; None where the
    companion could not be entered, `inside` says why.
    """

    address: str
    port: int
    waited: float  # seconds, at most, that were tried
    seconds: float | None
    node: ServiceTries
    hairpin: ServiceTries | None
    inside: str | None
