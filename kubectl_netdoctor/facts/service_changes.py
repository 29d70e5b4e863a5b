"""When Services and their endpoints were last written, read after the nodes had answered."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import Scope, fact


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """One Service that was there at the end of the run.

    `written`: the newest time (RFC 3339, by the API server's clock) at which the Service or one of
    its EndpointSlices was made or written, as managedFields say; None where one of them says nothing.
    `proxy`: its label service.kubernetes.io/service-proxy-name. `hints`: whether one of its
    endpoints has topology hints.
    """

    namespace: str
    name: str
    written: str | None
    proxy: str | None
    hints: bool


@fact("service_changes", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class ServiceChanges:
    """All Services, read a second time.

    `clock`: the API server's time when this reading was done; `local`: the same moment by the
    clock that RunInfo's times are of. RFC 3339, UTC.
    """

    clock: str
    local: str
    items: tuple[ServiceChange, ...]
