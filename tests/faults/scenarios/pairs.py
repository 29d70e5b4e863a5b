"""Two faults at once: both must be rows of their own, the first two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witness
from tests.faults.scenario import Inject, Scenario, all_scenarios
from tests.lab import Lab


def both(first: Scenario, second: Scenario) -> Scenario:
    """One fault within the other."""
    return Scenario(
        f"pair-{first.name}+{second.name}",
        _nested(first.inject, second.inject),
        witness.every(first.witness, second.witness),
        (*first.causes, *second.causes),
        scan=max(first.scan, second.scan, key=len),
    )


def _nested(first: Inject, second: Inject) -> Inject:
    @contextmanager
    def fault(lab: Lab) -> Iterator[None]:
        with first(lab), second(lab):
            yield

    return fault


_NAMED = all_scenarios(without=__name__)
_PAIRS = (
    ("ip_forward_off-n1", "kubelet_port_drop-n3"),
    ("ip_forward_off-n3", "coredns_scaled_to_zero"),
    ("vxlan_port_blocked-n3-input", "kubelet_port_reject-n2"),
    ("vxlan_port_blocked-n1-input", "dns_search_wildcard"),
    ("fdb_entry_deleted-n1-n2", "kubelet_port_drop-n3"),
    ("forward_policy_drop-n1", "virtual_address_twice"),
    ("pod_route_missing-n1-n3", "kubelet_port_reject-n2"),
    ("packet_loss-30-leaving-n1", "kubelet_port_drop-n3"),
    ("dns_endpoint_dropped-n1-1-udp", "kubelet_port_drop-n3"),
    ("coredns_scaled_to_zero", "kube_proxy_gone"),
    ("dns_aaaa_dropped", "kubelet_port_drop-n1"),
    ("switch_port_small", "kubelet_port_drop-n1"),
    ("forward_policy_drop-n3", "vxlan_port_blocked-n1-input"),
)

SCENARIOS = [both(_NAMED[first], _NAMED[second]) for first, second in _PAIRS]
