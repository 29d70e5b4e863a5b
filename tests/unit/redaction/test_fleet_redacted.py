"""The fleet view of a redacted snapshot: the same outliers, and no name of a pool."""

from __future__ import annotations

from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.redaction.redact import Redaction, redact
from tests.unit.analysis import fleets


def test_pools_stay_apart_and_lose_their_names() -> None:
    """What users call their node pools is theirs."""
    names = [f"w{n}" for n in range(8)]
    labels = {
        n: {"eks.amazonaws.com/nodegroup": "zanzibar" if n < "w4" else "quokka"} for n in names
    }
    snapshot = fleets.labelled(fleets.kernel(fleets.of(*names), "w1"), labels)
    before, after = fleet(snapshot), fleet(redact(snapshot, Redaction()))
    assert sorted(map(len, after.pools.values())) == sorted(map(len, before.pools.values()))
    assert not any("zanzibar" in p or "quokka" in p for p in after.pools)
    assert [(t.name, len(t.outliers)) for t in after.odd] == [("kernel", 1)]
