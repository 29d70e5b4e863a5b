"""Choosing scenarios."""

from __future__ import annotations

import pytest

from tests.faults.scenario import all_scenarios


@pytest.mark.parametrize(
    ("text", "expected", "other"),
    [
        ("ENC-10", "vxlan_port_flaky-half-n2", "vxlan_port_blocked-n1-input"),
        ("hairpin", "hairpin_off", "stale_backend"),
        ("NF-05", "pair-dns_aaaa_dropped+kubelet_port_drop-n1", "dns_aaaa_dropped"),
    ],
)
def test_a_scenario_is_chosen_by_its_name_or_its_id(text: str, expected: str, other: str) -> None:
    """An ID chooses single faults and pairs; a part of an ID chooses nothing."""
    chosen = {name for name, s in all_scenarios().items() if s.answers_to(text)}
    assert expected in chosen
    assert other not in chosen
    assert not [s for s in all_scenarios().values() if s.answers_to("ENC-")]
