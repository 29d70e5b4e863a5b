"""Node components that run, and whether kube-proxy calls itself healthy."""

from __future__ import annotations

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.system import Components

_HEALTHZ_PORT = 10256  # kube-proxy's --healthz-bind-address


@collector("components")
def components(run: Run) -> Components:
    """Names only. Raises NotPresent where the node's processes cannot be seen."""
    names = {process.name for process in processes.known(run.host)}
    return Components(tuple(sorted(names)), run.host.http_status(_HEALTHZ_PORT, "/healthz"))
