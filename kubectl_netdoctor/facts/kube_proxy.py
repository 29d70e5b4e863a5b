"""What kube-proxy tells about itself on its own node."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import fact


@dataclass(frozen=True, slots=True)
class RuleSync:
    """One IP family: when a change was last queued, and when rules were last written.

    Seconds since 1970 by the node's clock, None where kube-proxy has not said so.
    """

    family: str  # IPv4, IPv6; empty where kube-proxy does not tell families apart
    queued: float | None
    synced: float | None


@fact("kube_proxy_sync")
@dataclass(frozen=True, slots=True)
class KubeProxySync:
    """kube-proxy's process, and its sync metrics of 127.0.0.1:10249/metrics at the window's end.

    `state`: its letter in /proc/PID/stat at both ends of the window, each read after its health port
    was asked (proc(5): R runs or waits for a CPU, S sleeps, T is stopped); empty where no such
    process was seen. `answered` of `asked` requests to its health port (10256) and its
    metrics got an answer; `listens`: one of these ports took the connection. `clock`: the node's
    time when the metrics were read. `pending`: changes that are not in the rules yet, by kind
    (`endpoint`, `service`).
    """

    window_seconds: float
    state: tuple[str, ...]
    asked: int
    answered: int
    listens: bool
    clock: float
    families: tuple[RuleSync, ...]
    pending: dict[str, int]
