"""A node was joined with another cluster's DNS address."""

from __future__ import annotations

from tests.e2e.dns_faults import kubelet_dns_wrong
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "kubelet_dns_wrong",
        kubelet_dns_wrong,
        witness.shows("n3", "cat", "/etc/kubernetes/kubelet.yaml", text="198.19.128.99"),
        (Cause(("DNS-19",), ("n3",), place=r"198\.19\.128\.99", fix=r"clusterDNS"),),
    )
]
