"""The ports of the pods' bridge lost hairpin mode."""

from __future__ import annotations

from tests.e2e.service_faults import hairpin_off
from tests.faults import witness
from tests.faults.scenario import Cause, Scenario

SCENARIOS = [
    Scenario(
        "hairpin_off",
        hairpin_off,
        witness.shows("n3", "bridge", "-d", "link", "show", text="hairpin off"),
        (Cause(("SVC-06",), ("n3",), place=r"hairpin", fix=r"hairpin"),),
    )
]
