"""Nodes that cannot answer, and answers that cannot be fetched: nothing else is lost."""

from __future__ import annotations

import time

import pytest

from tests.e2e.faults import rule, wait_for
from tests.e2e.netdoctor import environment, scan
from tests.lab import Lab

pytestmark = pytest.mark.lab


def ready(lab: Lab, node: str) -> str:
    """Status of a node's Ready condition."""
    conditions = lab.kubectl_json("get", "node", node)["status"]["conditions"]
    return next(str(c["status"]) for c in conditions if c["type"] == "Ready")


def test_a_node_that_is_off_does_not_hold_up_the_others(lab: Lab) -> None:
    """n2 powered off: before the API notices it and after, the others' results arrive in time."""
    lab.stop("n2")
    try:
        started = time.monotonic()
        at_once = scan(lab, "--all-nodes", "--timeout", "60s")
        seconds = time.monotonic() - started
        wait_for(lambda: ready(lab, "n2") == "Unknown", 60)
        started = time.monotonic()
        later = scan(lab, "--all-nodes", "--timeout", "30s")
        assert time.monotonic() - started < 30
    finally:
        lab.start("n2")
        lab.wait_ready(120)
    for result in (at_once, later):
        states = {n["name"]: n["status"] for n in result.report["nodes"]}
        assert states == {"n1": "answered", "n2": "not-reached", "n3": "answered"}
        assert result.report["verdict"]["complete"] is False
    # While the API calls it Ready its Pod hangs: that is given up early, and that a Ready node
    # answers nobody is what the others have to say.
    assert seconds < 40
    assert at_once.first == "NIC-03", at_once.report["findings"]
    assert at_once.report["findings"][0]["subjects"] == [{"kind": "Node", "name": "n2"}]
    reason = next(n["reason"] for n in later.report["nodes"] if n["name"] == "n2")
    assert reason.startswith("NotReady since 20")
    assert later.serious == []
    assert later.code == 3, later.report["findings"]


def test_a_blocked_kubelet_port_is_a_finding_and_the_summary_arrives(lab: Lab) -> None:
    """10250 blocked: no log, but the termination message, and NF-05 says what that means."""
    with rule(lab, "INPUT", "-p", "tcp", "--dport", "10250", "-j", "DROP"):
        result = scan(lab, "--node", "n3", timeout=90)
    (node,) = result.report["nodes"]
    assert node["status"] == "summary"
    assert result.first == "NF-05", result.report["findings"]
    passed = [c["check"] for c in result.report["coverage"] if c["outcome"] == "passed"]
    assert "NIC-03" in passed
    assert "RTE-09" in passed


def test_the_api_server_away_in_the_middle_loses_nothing_that_was_gathered(lab: Lab) -> None:
    """The API server stops while agents run: an end in time, with reasons, without a stack."""
    process = lab.popen(
        "kubectl", "netdoctor", "scan", "--all-nodes", "--window", "5s", "--timeout", "20s",
        "-o", "short", env=environment(),
    )  # fmt: skip
    try:
        wait_for(lambda: bool(_agents(lab)), 30)
        lab.stop("kube-apiserver")
        out, errors = process.communicate(timeout=60)
    finally:
        lab.start("kube-apiserver")
        lab.wait_ready(120)
        wait_for(lambda: not _agents(lab, phase=None), 120)
    assert process.returncode == 3
    assert "Traceback" not in errors
    assert out.count("[no answer]") == 3


def _agents(lab: Lab, phase: str | None = "Running") -> list[str]:
    chosen = ["--field-selector", f"status.phase={phase}"] if phase else []
    return lab.kubectl("get", "pods", "-A", "-l", "netdoctor/run", *chosen, "-o", "name").split()
