"""The second vantage: faults that only pods feel, their fold under causes, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.companion_faults import FAULTS, SYMPTOMS
from tests.e2e.faults import NODE, Fault, ip_forward_off
from tests.e2e.netdoctor import Scan, broken, environment, netdoctor, scan, silent
from tests.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.extended]

COMPANIONS = ("-l", "netdoctor/role=companion")


def causes(seen: Scan) -> list[str]:
    """IDs of the rows that nothing explains."""
    return [row["id"] for row in seen.report["findings"] if row["causedBy"] is None]


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_of_the_pod_network_is_the_first_row(lab: Lab, expected: str, fault: Fault) -> None:
    """Silent before, the only cause while it lasts, silent afterwards."""
    silent(lab)
    broken(lab)
    with fault(lab):
        during = scan(lab, "--all-nodes")
    assert causes(during) == [expected], during.report["findings"]
    row = during.report["findings"][0]
    assert NODE in {s["name"] for s in row["subjects"]}
    assert row["fix"]["commands"]
    silent(lab)


@pytest.mark.parametrize(("expected", "fault"), SYMPTOMS.values(), ids=SYMPTOMS.keys())
def test_what_pods_feel_is_folded_under_its_cause(lab: Lab, expected: str, fault: Fault) -> None:
    """The host vantage names the cause; that pods are cut off stands under it."""
    with fault(lab):
        during = scan(lab, "--all-nodes")
    broken(lab)
    assert causes(during) == [expected], during.report["findings"]
    assert "RTE-13" in {row["id"] for row in during.report["findings"]}


def test_a_scan_does_not_switch_forwarding_on(lab: Lab) -> None:
    """A bridge plugin would when it adds a pod: the finding is there, and its cause stays."""
    with ip_forward_off(lab):
        during = scan(lab, "--all-nodes")
        after = lab.on(NODE, "sysctl", "-n", "net.ipv4.ip_forward").strip()
    broken(lab)
    assert causes(during) == ["RTE-09"], during.report["findings"]
    assert after == "0"


def test_a_healthy_cluster_is_silent_with_companions(lab: Lab) -> None:
    """Five times in a row."""
    for _ in range(5):
        seen = scan(lab, "--all-nodes")
        assert seen.serious == []
        assert seen.code == 0, seen.report["coverage"]


def test_without_companions(lab: Lab) -> None:
    """The checks that need them are reported as skipped, with the reason."""
    done = netdoctor(lab, "scan", "--all-nodes", "--no-companion")
    assert done.returncode == 0
    assert "RTE-13" in done.stdout


@pytest.fixture
def running(lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """A scan in full swing, with a companion on each node."""
    arguments = (
        "scan",
        "--all-nodes",
        "--window",
        "18s",
        "--timeout",
        "30s",
        "-o",
        "json",
    )
    process = lab.popen("kubectl", "netdoctor", *arguments, env=environment())
    try:
        wait_until(lambda: len(companions(lab)) == len(lab.nodes), "companions run")
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=40)


def companions(lab: Lab) -> list[dict[str, Any]]:
    """Companions that run."""
    pods: list[dict[str, Any]] = lab.kubectl_json("get", "pods", "-A", *COMPANIONS)["items"]
    return [p for p in pods if p["status"].get("phase") == "Running"]


def left(lab: Lab) -> list[str]:
    """All objects of runs."""
    ours = ("-l", "app.kubernetes.io/managed-by=netdoctor")
    return lab.kubectl("get", "jobs,pods", "-A", *ours, "-o", "name").split()


def wait_until(condition: Any, what: str, seconds: float = 30) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def test_a_companion_is_given_nothing(lab: Lab, running: subprocess.Popen[str]) -> None:
    """Not the host's network, no rights, no token; the run owns it."""
    assert running.poll() is None
    for pod in companions(lab):
        spec = pod["spec"]
        assert not spec.get("hostNetwork")
        assert not spec.get("hostPID")
        assert spec["automountServiceAccountToken"] is False
        assert not spec.get("volumes")
        (container,) = spec["containers"]
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert pod["metadata"]["ownerReferences"][0]["name"].startswith("netdoctor-")


def test_ctrl_c_takes_the_companions_too(lab: Lab, running: subprocess.Popen[str]) -> None:
    """When the command has returned, nothing of the run is there."""
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=40)
    assert running.returncode == 130, errors
    assert left(lab) == []


def test_clean_takes_the_companions_too(lab: Lab, running: subprocess.Popen[str]) -> None:
    """Leftovers of a run that was killed go at once."""
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert companions(lab)
    assert netdoctor(lab, "clean", "-A").returncode == 0
    wait_until(lambda: not left(lab), "clean removed everything", 15)


def test_kill_9_leaves_no_companion_after_the_deadline(
    lab: Lab, running: subprocess.Popen[str]
) -> None:
    """The anchor's deadline and TTL take everything, with no client alive."""
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert companions(lab)
    wait_until(lambda: not left(lab), "the anchor's deadline and TTL", 90)
