"""CT-02."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.checks.service_samples import with_rules
from tests.unit.conntrack_samples import counted, use, with_flows
from tests.unit.recorded import findings, judged

MASQUERADE = "nat POSTROUTING -s 198.19.0.0/17 -j MASQUERADE"
SHARED = use(client=None, entries=300, translated=300)


def clashing(
    failed: int, *, rule: str = MASQUERADE, moved: int | None = 9, **more: Any
) -> Snapshot:
    """n3 with translated connections to one place, and so many that could not be entered."""
    flows = with_flows(**{"ports": (SHARED,), **more})
    return counted(with_rules(flows, [rule], moved=moved), insert_failed=failed)


@pytest.mark.parametrize(("failed", "fires"), [(9, False), (10, True)])
def test_more_than_background_fires(failed: int, fires: bool) -> None:
    """The edge is pinned."""
    assert bool(findings("CT-02", clashing(failed))) is fires


def test_what_is_said() -> None:
    """Number, destination and rule."""
    (found,) = findings("CT-02", clashing(40))
    assert found.nodes == {"n3"}
    assert "203.0.113.9:443" in found.title
    assert "-j MASQUERADE" in found.evidence[2].text


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(clashing(40, rule=f"{MASQUERADE} --random-fully"), id="random ports"),
        pytest.param(clashing(40, moved=0), id="rule not in use"),
        pytest.param(clashing(40, moved=None), id="rule not known to be in use"),
        pytest.param(clashing(40, ports=(use(entries=300),)), id="not translated"),
        pytest.param(clashing(40, ports=(use(client=None, entries=49),)), id="few connections"),
        pytest.param(
            clashing(40, ports=(use(client=None, entries=300, protocol="udp"),)), id="UDP: DNS"
        ),
    ],
)
def test_look_alikes_are_silent(snapshot: Snapshot) -> None:
    """insert_failed alone proves nothing."""
    assert findings("CT-02", snapshot) == []


def test_used_up_ports_explain_it() -> None:
    """The cause is CT-05, this is what it does."""
    narrow = "nat POSTROUTING -p tcp -j MASQUERADE --to-ports 40000-40299"
    used = use(client=None, entries=300, translated=300, lowest=40000, highest=40299)
    rows = judged(clashing(40, rule=narrow, ports=(used,))).findings
    found = {r.finding.id: r for r in rows}
    assert found["CT-02"].caused_by == found["CT-05"].finding.key
