"""The termination message: the facts that decide most, as many as fit 4,096 bytes."""

from __future__ import annotations

import dataclasses

from kubectl_netdoctor.facts.envelope import Envelope, summarize

ORDER = (
    "path_probes",
    "dns_probes",
    "pod_probes",
    "path_mtu",
    "transport_probes",
    "target_probes",
    "own_service",
    "sysctls",
    "conntrack",
    "kernel",
    "interfaces",
    "addresses",
    "routes",
    "resolver",
    "components",
    "fdb",
    "neighbours",
    "rules",
    "pod_namespaces",
    "promiscuous",
    "conntrack_flows",
    "kube_proxy_sync",
    "dns_cpu",
    "dns_records",
    "protocol_counters",
    "cpu_times",
    "softnet",
    "pressure",
    "softirqs",
    "hops",
    "iptables",
    "nftables",
    "dns_matrix",
)
"""Decisive state first: what was measured, then what a fault would have to be in."""

_WORTH_TRYING = 400
"""Parts of a fact (dataclasses and mapping entries). One with more never fits 3,200 deflated
bytes, and making sure of it would deflate megabytes once per fact."""


def termination_message(envelope: Envelope) -> str:
    """The summary of an envelope; facts too large to fit are not even tried."""
    return summarize(envelope, [k for k in ORDER if _parts(envelope.facts.get(k)) <= _WORTH_TRYING])


def _parts(value: object) -> int:
    """How many dataclasses and mapping entries a fact is made of, counted no further than needed."""
    if isinstance(value, tuple):
        if len(value) > _WORTH_TRYING:
            return len(value)
        return sum(_parts(item) for item in value)
    if isinstance(value, dict):
        return len(value)
    if dataclasses.is_dataclass(value):
        return 1 + sum(_parts(getattr(value, f.name)) for f in dataclasses.fields(value))
    return 0
