"""A chosen set of the fault benchmark, scored as the benchmark does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.netdoctor import broken, netdoctor
from tests.faults.chosen import CHOSEN
from tests.faults.run import one, words
from tests.faults.scenario import all_scenarios
from tests.lab import Lab

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("name", CHOSEN)
def test_a_scenario_is_judged_rightly(lab: Lab, name: str, tmp_path: Path) -> None:
    """Causes first, in their place, with their fix, nothing beside them; silence afterwards."""
    broken(lab)
    file = tmp_path / "snapshot.json.gz"
    result = one(lab, all_scenarios()[name], file, before=False)
    assert result.good, f"{words(result)}\n{netdoctor(lab, 'analyze', str(file)).stdout}"
