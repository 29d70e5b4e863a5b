"""Nothing of a run is left, however it ends: proven by listing every namespaced kind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.netdoctor import environment, netdoctor
from tests.lab import Lab

pytestmark = pytest.mark.lab

# Events tell what happened and expire by themselves; Leases are the nodes' own heartbeat.
OTHERS = {"events", "events.events.k8s.io", "leases.coordination.k8s.io"}


def objects(lab: Lab) -> set[str]:
    """Every namespaced object there is, as `kind/namespace/name`."""
    kinds = lab.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    wanted = ",".join(sorted(set(kinds) - OTHERS))
    names = "{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{'\\n'}{end}"
    listed = lab.kubectl("get", wanted, "-A", "--ignore-not-found", "-o", f"jsonpath={names}")
    return set(listed.split())


def of_runs(lab: Lab) -> list[str]:
    """What carries our label."""
    selector = ("-l", "app.kubernetes.io/managed-by=netdoctor")
    return lab.kubectl("get", "jobs,pods", "-A", *selector, "-o", "name").split()


@pytest.fixture
def before(lab: Lab) -> set[str]:
    """All objects before the run."""
    return objects(lab)


@pytest.fixture
def running(lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """A scan in full swing: its agents run, and its window is long."""
    scan = ("scan", "--all-nodes", "--window", "18s", "--timeout", "26s", "-o", "json")
    process = lab.popen("kubectl", "netdoctor", *scan, env=environment())
    try:
        wait_until(lambda: running_pods(lab) == len(lab.nodes), "the agents run")
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)


def running_pods(lab: Lab) -> int:
    """How many agents run."""
    selector = ("-l", "netdoctor/role=agent", "--field-selector", "status.phase=Running")
    return len(lab.kubectl("get", "pods", "-A", *selector, "-o", "name").split())


def wait_until(condition: object, what: str, seconds: float = 30) -> None:
    """Wait for a condition."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def test_a_normal_end_leaves_nothing(lab: Lab) -> None:
    """The anchor is deleted by the run, and the garbage collector takes the rest."""
    before = objects(lab)
    done = netdoctor(lab, "scan", "--all-nodes", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: not of_runs(lab), "the garbage collector is done")
    assert objects(lab) - before == set()


def test_ctrl_c_leaves_nothing_when_it_returns(
    lab: Lab, before: set[str], running: subprocess.Popen[str]
) -> None:
    """Ctrl-C in the middle: when the command has returned, nothing of the run is there."""
    assert of_runs(lab)
    started = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert objects(lab) - before == set()
    assert running.returncode == 130, errors
    assert time.monotonic() - started < 20


def test_sigterm_cleans_up_like_ctrl_c(lab: Lab, running: subprocess.Popen[str]) -> None:
    """A terminal that closes or a CI that gives up leaves nothing either."""
    os.kill(running.pid, signal.SIGTERM)
    running.communicate(timeout=30)
    assert of_runs(lab) == []
    assert running.returncode == 130


def test_kill_9_leaves_nothing_after_deadline_and_ttl(
    lab: Lab, before: set[str], running: subprocess.Popen[str]
) -> None:
    """With no client alive, the API server itself removes the run once its deadline has passed."""
    anchor = next(
        job
        for job in lab.kubectl_json("get", "jobs", "-A", "-l", "netdoctor/run")["items"]
        if job["spec"]["parallelism"] == 0
    )
    deadline = anchor["spec"]["activeDeadlineSeconds"]
    ttl = anchor["spec"]["ttlSecondsAfterFinished"]
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert of_runs(lab)
    assert deadline <= 90
    wait_until(lambda: not of_runs(lab), "the anchor's deadline and TTL", deadline + ttl + 20)
    assert objects(lab) - before == set()


def test_clean_removes_leftovers_at_once(lab: Lab, running: subprocess.Popen[str]) -> None:
    """`clean` does not wait for any deadline."""
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert of_runs(lab)
    done = netdoctor(lab, "clean", "-A")
    assert done.returncode == 0, done.stderr
    assert "removed" in done.stdout
    wait_until(lambda: not of_runs(lab), "clean removed everything", 10)


def test_the_run_owns_everything_that_it_makes(lab: Lab, running: subprocess.Popen[str]) -> None:
    """Every Job has the anchor as its owner, every Pod its Job: one deletion takes all."""
    assert running.poll() is None
    jobs = lab.kubectl_json("get", "jobs", "-A", "-l", "netdoctor/run")["items"]
    pods = lab.kubectl_json("get", "pods", "-A", "-l", "netdoctor/run")["items"]
    anchors = {j["metadata"]["uid"] for j in jobs if j["spec"]["parallelism"] == 0}
    owners = [o["uid"] for j in jobs for o in j["metadata"].get("ownerReferences", [])]
    assert len(anchors) == 1
    assert set(owners) == anchors
    made = {j["metadata"]["uid"] for j in jobs}
    assert {o["uid"] for p in pods for o in p["metadata"]["ownerReferences"]} <= made
    assert all(p["spec"]["automountServiceAccountToken"] is False for p in pods)
    assert all(json.dumps(p["spec"]).find("serviceAccountToken") == -1 for p in pods)
