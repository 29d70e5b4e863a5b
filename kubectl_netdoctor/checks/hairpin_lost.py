"""SVC-13: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Finding,
    Fix,
    Inconclusive,
    Severity,
    check,
    evidence,
)
from kubectl_netdoctor.facts.own_service import OwnService

ENOUGH = 5  # connections


@check("SVC-13", Severity.LOW, since="0.1")
def hairpin_lost(own: OwnService) -> Iterator[Finding]:
    """A pod does not reach itself through its own Service.

    Meaning: the run's companion connected to a Service whose only backend it is (--convergence), and
      was not answered, while the node itself was.
    Impact: a pod that connects to a Service whose chosen backend is itself gets no answer.
    Diagnosis: measured, whatever the CNI; where a bridge carries the pods, SVC-06 names the setting.
    Mitigation: hairpin mode of the pods' bridge, or masquerading of a pod's own traffic to a Service
      (the mark KUBE-MARK-MASQ of its endpoint's own address).
    Source: Kubernetes, debug Services: "A Pod fails to reach itself via the Service IP".
    """
    if own.seconds is None:
        raise Inconclusive("the run's own Service did not answer the node either")
    if own.hairpin is None:
        raise Inconclusive(f"the companion could not be entered: {own.inside}")
    if own.hairpin.received or own.hairpin.sent < ENOUGH:
        return
    errors = ", ".join(f"{n} {e}" for e, n in sorted(own.hairpin.errors.items()))
    yield Finding(
        title="Pods do not reach themselves through their own Service",
        evidence=evidence(
            f"from its own backend {own.address}:{own.port}: 0/{own.hairpin.sent} ({errors})",
            f"from the node: answered after {own.seconds:.1f} s",
        ),
        fix=Fix(
            'Set "hairpinMode": true in the CNI configuration of a bridge, and see that Services are '
            "masqueraded for their own endpoints.",
            (
                "bridge -d link show | grep -c 'hairpin off'",
                "iptables-save -t nat | grep MARK-MASQ",
            ),
        ),
    )
