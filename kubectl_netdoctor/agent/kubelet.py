"""The DNS settings of a running kubelet: from its flags, then from the file that they name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.host import Host, resolve
from kubectl_netdoctor.facts.resolver import KubeletDns

_FLAGS = ("resolv-conf", "cluster-dns", "cluster-domain", "config")
_KEYS = ("resolvConf", "clusterDNS", "clusterDomain")


def settings(host: Host, pid: int) -> KubeletDns:
    """What the kubelet with that process id was told. A flag goes before the file.

    None and empty: neither said so, or the file cannot be read.
    """
    given = flags(processes.arguments(host, pid))
    config = parse_config(_config_text(host, pid, given.get("config")))
    servers = given["cluster-dns"].split(",") if given.get("cluster-dns") else config.cluster_dns
    return KubeletDns(
        resolv_conf=given.get("resolv-conf", config.resolv_conf),
        cluster_dns=tuple(servers),
        cluster_domain=given.get("cluster-domain") or config.cluster_domain,
    )


def flags(args: Iterable[str]) -> dict[str, str]:
    """The flags that matter here, both `--name=value` and `--name value`; no other is looked at."""
    found: dict[str, str] = {}
    waiting: str | None = None
    for arg in args:
        if waiting is not None:
            found[waiting], waiting = arg, None
            continue
        if not arg.startswith("-"):
            continue
        name, has_value, value = arg.lstrip("-").partition("=")
        if name in _FLAGS:
            if has_value:
                found[name] = value
            else:
                waiting = name
    return found


def parse_config(text: str) -> KubeletDns:
    """A KubeletConfiguration, JSON or YAML, from which only the DNS part is read."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = yaml_top_level(text)
    if not isinstance(values, dict):
        values = {}
    servers = values.get("clusterDNS")
    return KubeletDns(
        resolv_conf=_text(values.get("resolvConf")),
        cluster_dns=tuple(str(s) for s in servers) if isinstance(servers, list) else (),
        cluster_domain=_text(values.get("clusterDomain")),
    )


def yaml_top_level(text: str) -> dict[str, Any]:
    """The three DNS keys of a YAML mapping: scalars, flow lists and block lists of scalars.

    Not a YAML reader: a KubeletConfiguration is written by kubeadm or by hand in this plain form.
    """
    values: dict[str, Any] = {}
    block: list[str] | None = None
    for line in text.splitlines():
        bare = line.split(" #", 1)[0].rstrip()
        if not bare or bare.lstrip().startswith("#"):
            continue
        if block is not None and bare.lstrip().startswith("- "):
            block.append(_scalar(bare.lstrip()[2:]))
            continue
        if bare[0] in " \t-":
            continue
        block = None
        key, colon, value = bare.partition(":")
        if not colon or key not in _KEYS:
            continue
        value = value.strip()
        if value.startswith("["):
            inner = value.strip("[]").split(",")
            values[key] = [_scalar(item) for item in inner if item.strip()]
        elif value:
            values[key] = _scalar(value)
        else:
            values[key] = block = []
    return values


def _scalar(text: str) -> str:
    bare = text.strip()
    if len(bare) > 1 and bare[0] in "\"'" and bare[-1] == bare[0]:
        return bare[1:-1]
    return "" if bare in ("null", "~") else bare


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _config_text(host: Host, pid: int, path: str | None) -> str:
    """The file as the kubelet itself sees it, which matters when it runs in a container."""
    if not path:
        return ""
    try:
        return host.kernel(resolve(host.proc / str(pid) / "root", path))
    except Absence:
        pass
    try:
        return host.file(path)
    except Absence:
        return ""
