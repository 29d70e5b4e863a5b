"""Links that take every frame, whomever it is for."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact


@fact("promiscuous")
@dataclass(frozen=True, slots=True)
class Promiscuous:
    """Names of the links that were set promiscuous by hand or by a CNI plugin (IFF_PROMISC).

    What packet capture does for a moment does not show here.
    """

    interfaces: tuple[str, ...]
