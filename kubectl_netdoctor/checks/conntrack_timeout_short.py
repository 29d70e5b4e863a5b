"""CT-06: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.system import Sysctls

ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
SHORT = 600  # seconds; idle connections of databases and gRPC live longer
USUAL = 86400  # kube-proxy's own value


@check("CT-06", Severity.LOW, since="0.1", sysctls=(ESTABLISHED,))
def conntrack_timeout_short(sysctls: Sysctls) -> Iterator[Finding]:
    """Idle TCP connections are forgotten too early.

    Meaning: the kernel drops the entry of an established connection after less than ten minutes
      without a packet.
    Impact: translated connections that were idle that long are broken: their next packet gets a
      reset or no answer. Connection pools and long-lived watches show it.
    Diagnosis: nf_conntrack_tcp_timeout_established. kube-proxy sets a day; the kernel's own five
      days are no fault. Without such connections a short value does no harm.
    Mitigation: conntrack.tcpEstablishedTimeout of kube-proxy, or the sysctl; keep-alives.
    Source: kernel documentation, networking/nf_conntrack-sysctl; kubernetes/kubernetes#32551.
    """
    value = sysctls.number(ESTABLISHED)
    if value is None:
        raise Inconclusive(f"{ESTABLISHED} could not be read")
    if value >= SHORT:
        return
    yield Finding(
        title="Idle TCP connections are forgotten after less than ten minutes",
        confidence=Confidence.POSSIBLE,
        evidence=evidence(f"{ESTABLISHED} = {value} s; kube-proxy's own value is {USUAL}"),
        fix=Fix(
            "Raise it where it is owned: conntrack.tcpEstablishedTimeout in kube-proxy's "
            "configuration, or a file in /etc/sysctl.d.",
            (f"sysctl -w {ESTABLISHED}={USUAL}", "grep -rs conntrack_tcp_timeout /etc/sysctl.d"),
            verify=f"sysctl {ESTABLISHED}",
            rollback=f"sysctl -w {ESTABLISHED}={value}",
        ),
    )
