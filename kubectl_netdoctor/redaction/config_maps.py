"""ConfigMaps without secrets: by the syntax of cluster DNS, and by the names of their keys."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.cluster import ConfigMapInfo, ConfigMaps
from kubectl_netdoctor.redaction.corefile import IN_ZONE, without_arguments
from kubectl_netdoctor.redaction.secrets import is_named_secret
from kubectl_netdoctor.redaction.spoken import GONE

CLUSTER_DNS = frozenset(
    {
        ("kube-system", "coredns"),
        ("kube-system", "coredns-custom"),
        ("kube-system", "rke2-coredns-rke2-coredns"),
        ("kube-system", "node-local-dns"),
        ("openshift-dns", "dns-default"),
    }
)
"""ConfigMaps of which every key holds a Corefile, or a piece of one."""


def without_config_map_secrets(maps: ConfigMaps) -> ConfigMaps:
    """The same ConfigMaps with three stars where a secret stood."""
    return ConfigMaps(tuple(map(_clean, maps.items)))


def _clean(found: ConfigMapInfo) -> ConfigMapInfo:
    dns = (found.namespace, found.name) in CLUSTER_DNS
    data = {key: _value(key, text, dns=dns) for key, text in found.data.items()}
    return dataclasses.replace(found, data=data)


def _value(key: str, text: str, *, dns: bool) -> str:
    if is_named_secret(key, text):
        return GONE
    return without_arguments(text, 0 if key == "Corefile" else IN_ZONE) if dns else text
