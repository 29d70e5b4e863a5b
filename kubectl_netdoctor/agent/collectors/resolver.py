"""resolv.conf(5) of the node, the one that its kubelet hands to pods, and the kubelet's settings."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.agent import kubelet, processes
from kubectl_netdoctor.agent.absence import Absence, NotPresent
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.resolver import KubeletDns, ResolvConf, Resolver

NODE_FILE = "/etc/resolv.conf"
_COMMENTS = ("#", ";")


@collector("resolver")
def resolver(run: Run) -> Resolver:
    """Each part is there or Missing on its own."""
    node = _file(run.host, NODE_FILE)
    settings: KubeletDns | Missing
    try:
        settings = _kubelet(run.host)
    except Absence as absence:
        return Resolver(node, node, absence.missing())
    return Resolver(node, _pods(run.host, settings, node), settings)


def name_servers(host: Host) -> tuple[str, ...]:
    """Every server of the node's file and of the one for pods, each once."""
    node = _file(host, NODE_FILE)
    try:
        pods = _pods(host, _kubelet(host), node)
    except Absence:
        pods = node
    servers = [s for f in (node, pods) if isinstance(f, ResolvConf) for s in f.nameservers]
    return tuple(dict.fromkeys(servers))


def _kubelet(host: Host) -> KubeletDns:
    """Settings of the running kubelet. Raises NotPresent where no process is a kubelet."""
    found = next((p for p in processes.known(host) if p.name == "kubelet"), None)
    if found is None:
        raise NotPresent("no kubelet process (k3s and rke2 have it inside their own)")
    return kubelet.settings(host, found.pid)


def _pods(host: Host, settings: KubeletDns, node: ResolvConf | Missing) -> ResolvConf | Missing:
    """The file that the kubelet's resolvConf names; empty means none, unset the node's own."""
    path = settings.resolv_conf
    if path is None or path == NODE_FILE:
        return node
    if not path:
        return Missing(
            Reason.NOT_PRESENT, "the kubelet's resolvConf is empty: pods get no servers of the node"
        )
    return _file(host, path)


def _file(host: Host, path: str) -> ResolvConf | Missing:
    try:
        return dataclasses.replace(parse(host.file(path)), path=path)
    except Absence as absence:
        return absence.missing()


def parse(text: str) -> ResolvConf:
    """Servers, search list and options; the last `search` or `domain` line counts, resolv.conf(5)."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    for line in text.splitlines():
        if line.startswith(_COMMENTS):
            continue
        word, *values = line.split() or [""]
        if word == "nameserver" and values:
            servers.append(values[0])
        elif word in ("search", "domain"):
            search = tuple(values if word == "search" else values[:1])
        elif word == "options":
            options += values
    return ResolvConf("", tuple(servers), search, tuple(options))
