"""What is a complaint in each tool's output; troubleshoot's is recorded, the others' is their form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.faults.peers import (
    goldpinger,
    kubeskoop,
    node_problem_detector,
    popeye,
    troubleshoot,
)

RECORDED = Path(__file__).parent / "peers"


def test_troubleshoot_on_a_healthy_lab() -> None:
    """Recorded: everything passes."""
    assert troubleshoot.read((RECORDED / "troubleshoot-healthy.json").read_text()) == []


def test_troubleshoot_without_cluster_dns() -> None:
    """Recorded with CoreDNS scaled to zero."""
    lines = troubleshoot.read((RECORDED / "troubleshoot-no-dns.json").read_text())
    assert "rack: coredns Status: coredns has no ready replica" in lines
    assert any(line.startswith("n1: cluster DNS: connection to") for line in lines)


def test_popeye() -> None:
    """Warnings and errors, not what is well or only told."""
    issues = [
        {"group": "__root__", "gvr": "v1/pods", "level": level, "message": f"[POP-20{level}] m"}
        for level in range(4)
    ]
    section = {"linter": "pods", "gvr": "v1/pods", "issues": {"shop/front": issues}}
    sections = [section, {"linter": "nodes", "gvr": "v1/nodes"}]
    output = json.dumps({"popeye": {"score": 80, "sections": sections}})
    assert popeye.read(output) == [
        "pods shop/front: [POP-202] m",
        "pods shop/front: [POP-203] m",
    ]


def test_goldpinger() -> None:
    """A call that failed names both nodes, a probe its own."""
    good = {"HostIP": "198.18.0.11", "OK": True, "PodIP": "10.1.0.2"}
    bad = {"HostIP": "198.18.0.13", "OK": False, "PodIP": "10.1.2.2", "error": "deadline"}
    probes = {"kubernetes": [{"protocol": "dns", "error": "no answer"}, {"protocol": "dns"}]}
    view = {"podResults": {"a": good, "c": bad}, "probeResults": probes}
    responses = {
        "a": {"HostIP": "198.18.0.11", "OK": True, "response": view},
        "c": {"HostIP": "198.18.0.13", "OK": False, "error": "refused"},
    }
    hosts = {"198.18.0.11": "n1", "198.18.0.13": "n3"}
    assert goldpinger.read(json.dumps({"hosts": hosts, "answer": {"responses": responses}})) == [
        "ping from n1 to n3: deadline",
        "dns probe of kubernetes from n1: no answer",
        "instance on n3 does not answer: refused",
    ]


def test_node_problem_detector() -> None:
    """Its own events since the look began, its own conditions that are true."""

    def event(reason: str, source: str, at: str, kind: str = "Warning") -> dict[str, Any]:
        about = {"kind": "Node", "name": "n3"}
        head = {"reason": reason, "message": "m", "type": kind, "lastTimestamp": at}
        return {**head, "involvedObject": about, "source": {"component": source}}

    monitor = "network-custom-plugin-monitor"
    events = [
        event("DNSUnreachable", monitor, "2026-11-23T23:00:10Z"),
        event("ConntrackFull", monitor, "2026-11-23T22:00:10Z"),
        event("NodeNotReady", "node-controller", "2026-11-23T23:00:10Z"),
        event("Restored", monitor, "2026-11-23T23:00:10Z", "Normal"),
    ]
    conditions = [
        {"type": "Ready", "status": "True"},
        {"type": "KernelDeadlock", "status": "False"},
        {"type": "KubeletUnhealthy", "status": "True", "message": "down"},
    ]
    node = {"metadata": {"name": "n3"}, "status": {"conditions": conditions}}
    output = {"since": "2026-11-23T23:00:00Z", "events": events, "nodes": [node]}
    assert node_problem_detector.read(json.dumps(output)) == [
        "n3: DNSUnreachable: m",
        "n3: KubeletUnhealthy: down",
    ]


def test_node_problem_detector_needs_its_configuration(tmp_path: Path) -> None:
    """Without it it would check nothing, and look as if all were well."""
    program = tmp_path / "bin" / "node-problem-detector"
    assert "config" in node_problem_detector.lacks(program)
    for name in (*node_problem_detector.LOGS, *node_problem_detector.PLUGINS):
        file = tmp_path / "config" / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}")
    assert node_problem_detector.lacks(program) == ""


def test_kubeskoop() -> None:
    """Suspicions above information, once for all flows."""
    suspicions = [{"level": 0, "message": "fine"}, {"level": 3, "message": "no route"}]
    node = {"id": "n3", "type": "Node", "suspicions": suspicions}
    cluster = {"suspicions": [{"level": 1, "message": "old"}]}
    answer = {
        "cluster": cluster,
        "nodes": [node, {"id": "n1", "type": "Node", "suspicions": None}],
    }
    output = json.dumps([answer, answer])
    assert kubeskoop.read(output) == ["cluster: old", "Node n3: no route"]
