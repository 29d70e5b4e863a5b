"""The scenarios that CI runs: one of each kind, none that must wait for its age, in some minutes.

The eight faults of tests/e2e/faults.py are injected by tests of their own and are not repeated.
"""

from __future__ import annotations

CHOSEN = (
    "bridge_does_not_forward",
    "cni_plugin_missing",
    "dns_upstream_dead",
    "firewall_rejects_input",
    "large_lost_one_way",
    "nic_small",
    "packet_loss-50-on-the-wire-n3",
    "pod_route_unreachable-n2",
    "vtep_mac_changed",
    "vxlan_cut_between_a_pair",
    "vxlan_port_blocked-n1-output",
    "vxlan_port_flaky-half-n2",
    "pair-forward_policy_drop-n3+vxlan_port_blocked-n1-input",
    "pair-vxlan_port_blocked-n1-input+dns_search_wildcard",
    "quiet-cordoned",
    "quiet-firewall-closed-but-for-the-cluster",
    "quiet-healthy-long-window",
    "quiet-rollout-coredns",
    "quiet-service-headless",
)
