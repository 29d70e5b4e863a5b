"""NODE-10: see the check's docstring."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netdoctor.checks.base import Evidence, Finding, Fix, Severity, check
from kubectl_netdoctor.facts.netfilter import Conntrack
from kubectl_netdoctor.facts.system import Sysctls

# The profile of a busy node, and which of its numbers is compared (the last one is the maximum).
PROFILE = {
    "fs.file-max": "2097152",
    "net.netfilter.nf_conntrack_max": "262144",
    "net.ipv4.ip_forward": "1",
    "net.core.rmem_max": "16777216",
    "net.core.wmem_max": "16777216",
    "net.ipv4.tcp_rmem": "4096 87380 16777216",
    "net.ipv4.tcp_wmem": "4096 65536 16777216",
}


@check("NODE-10", Severity.INFO, since="0.1", sysctls=tuple(PROFILE))
def sysctl_profile(sysctls: Sysctls, conntrack: Conntrack | None) -> Iterator[Finding]:
    """Kernel parameters are below the profile of a busy node.

    Meaning: limits of files, tracked connections and socket buffers are lower than a busy
      Kubernetes node is often given.
    Impact: none by itself. It can matter in a traffic spike; faults are reported by their own
      counters (CT-01, listen overflows), never by this comparison.
    Diagnosis: only values below the profile are named; higher ones are left alone.
    Mitigation: raise only what this node needs. nf_conntrack_max belongs to kube-proxy
      (conntrack.min, maxPerCore) where that runs.
    Source: a 2023 article's profile; kernel documentation, admin-guide/sysctl.
    """
    below = [
        (name, have, wanted)
        for name, wanted in PROFILE.items()
        if (have := sysctls.get(name)) is not None and last(have) < last(wanted)
    ]
    if not below:
        return
    owned = any(name == "net.netfilter.nf_conntrack_max" for name, _, _ in below)
    note = (
        " nf_conntrack_max: set conntrack.min in kube-proxy's configuration instead, it owns the value."
        if owned
        else ""
    )
    seen = [Evidence(f"{name} = {have}, profile {wanted}") for name, have, wanted in below]
    if owned and conntrack and conntrack.limit:
        seen.append(
            Evidence(f"conntrack uses {conntrack.entries} of {conntrack.limit} entries now")
        )
    lines = "\\n".join(f"{name} = {wanted}" for name, _, wanted in below)
    yield Finding(
        title="Kernel parameters are below the profile of a busy node",
        evidence=tuple(seen),
        fix=Fix(
            f"Worth it on nodes with many connections or long fat paths.{note}",
            (
                f"printf '{lines}\\n' > /etc/sysctl.d/98-netdoctor-profile.conf",
                "sysctl -p /etc/sysctl.d/98-netdoctor-profile.conf",
            ),
            verify="sysctl " + " ".join(name for name, _, _ in below),
            rollback="rm /etc/sysctl.d/98-netdoctor-profile.conf; sysctl -w "
            + " ".join(f"'{name}={have}'" for name, have, _ in below),
        ),
    )


def last(value: str) -> int:
    """The maximum of a value such as `4096 87380 16777216`; 0 where it is no number."""
    word = value.rsplit(maxsplit=1)[-1] if value.split() else ""
    return int(word) if word.isdigit() else 0
