"""The masquerading rule is gone, and the CNI does not put it back."""

from __future__ import annotations

from tests.e2e.service_faults import masquerade_missing
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "masquerade_missing",
        masquerade_missing,
        witness.shows("n3", "iptables-save", "-t", "nat", text="-A FLANNEL-POSTRTG", there=False),
        (
            Cause(
                ("NF-08",),
                ("n3",),
                place=r"pods of n3 to everything outside",
                fix=r"-A POSTROUTING -s 198\.19\.\d\.0/24 .*MASQUERADE",
            ),
        ),
    )
]
