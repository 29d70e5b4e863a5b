"""How names are resolved on a node: resolv.conf(5) of the node and of its kubelet."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import Missing, fact


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """One parsed resolv.conf."""

    path: str
    nameservers: tuple[str, ...]
    search: tuple[str, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KubeletDns:
    """The DNS part of a KubeletConfiguration and of the kubelet's flags."""

    resolv_conf: str | None
    cluster_dns: tuple[str, ...]
    cluster_domain: str | None


@fact("resolver")
@dataclass(frozen=True, slots=True)
class Resolver:
    """The node's own file, the one that its kubelet hands to pods, and the kubelet's settings."""

    node: ResolvConf | Missing
    pods: ResolvConf | Missing
    kubelet: KubeletDns | Missing
