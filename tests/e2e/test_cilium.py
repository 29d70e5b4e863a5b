"""Real Cilium in kube-proxy's place: silent when well, and its faults found at the right place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from tests.e2e.cilium_faults import FAULTS, SHOP
from tests.e2e.conftest import aloud, in_ci, keep, lab_name, settled
from tests.e2e.faults import NODE, Fault
from tests.e2e.netdoctor import netdoctor, scan
from tests.lab import Lab, agent_image, missing
from tests.lab.leftovers import sweep
from tests.lab.process import Process

pytestmark = [pytest.mark.lab, pytest.mark.extended]

NODES = 3
RECOVERY = 180  # seconds: an agent that starts again compiles its programs first


@pytest.fixture(scope="module")
def cilium(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Give a lab of its own beside the session's, whose network is Cilium's."""
    lacking = missing()
    if lacking:
        (pytest.fail if in_ci() else pytest.skip)(" ".join(lacking))
    say = aloud(request.config)
    sweep()
    lab, agent = Lab(f"{lab_name()}-cilium", say), agent_image.ensure(say)
    if keep() and lab.is_up() and lab.is_current() and not settled(lab, RECOVERY):
        lab.load_agent(agent)
    else:
        lab.down()
        lab.up(NODES, "cilium", agent=agent, owner=None if keep() else Process.of(os.getpid()))
    try:
        yield lab
    finally:
        if not keep():
            lab.down()


@pytest.fixture(autouse=True)
def stays_well(cilium: Lab) -> Iterator[None]:
    """Fail a test that leaves the lab other than it found it."""
    yield
    assert settled(cilium, RECOVERY) == []


def test_a_healthy_cluster_is_silent_and_what_is_not_read_is_skipped(cilium: Lab) -> None:
    """No kube-proxy, no KUBE- rule, an empty FDB: that is how it should be, and is not proven well."""
    for _ in range(3):
        clean = scan(cilium, "--all-nodes")
        assert clean.serious == []
        assert clean.code == 0, clean.report["coverage"]
    shown = netdoctor(cilium, "scan", "--node", NODE).stdout
    assert "Service entries live in BPF maps that are not read" in " ".join(shown.split())


def test_the_hop_ledger_names_ciliums_devices(cilium: Lab) -> None:
    """From the NIC to Cilium's tunnel device: that is where a firewall's INPUT chain lies."""
    _, fault = FAULTS["tunnel_port_blocked"]
    with fault(cilium):
        during = scan(cilium, "--all-nodes")
    (row,) = (r for r in during.report["findings"] if r["id"] == "ENC-01")
    said = [e["text"] for e in row["evidence"] if "seen" in e["text"]]
    hop = re.compile(rf"arriving at {NODE} eth0 .*, never on cilium_vxlan$")
    assert any(hop.search(text) for text in said), said
    assert settled(cilium, RECOVERY) == []


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_the_first_row_and_gone_afterwards(
    cilium: Lab, expected: str, fault: Fault
) -> None:
    """First and the only cause while it lasts, silent after the revert."""
    with fault(cilium):
        during = scan(cilium, "--all-nodes")
    assert during.first == expected, during.report["findings"]
    row = during.report["findings"][0]
    assert row["evidence"]
    assert row["fix"]["commands"]
    named = {s["name"] for s in row["subjects"]}
    assert named & {NODE, f"{SHOP}/deny-egress"}
    causes = [r["id"] for r in during.report["findings"] if r["causedBy"] is None]
    assert causes == [expected]
    assert settled(cilium, RECOVERY) == []
    after = scan(cilium, "--all-nodes")
    assert after.serious == []
    assert after.code == 0
