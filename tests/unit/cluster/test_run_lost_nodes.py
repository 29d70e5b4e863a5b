"""Nodes whose agent never runs, or whose answer never comes: each has a reason."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import node_hash
from kubectl_netdoctor.cluster.order import Progress, RunOptions, Stuck
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.errors import ApiDenied
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from tests.unit.cluster.fake_kubelet import STARTED, Kubelets, plan_for
from tests.unit.cluster.fake_server import FakeServer, Response, status
from tests.unit.cluster.fake_store import Json
from tests.unit.cluster.quick_run import IMAGE, OPTIONS, run

pytestmark = pytest.mark.usefixtures("kubelets", "in_a_hurry")


def waiting(reason: str, message: str) -> Json:
    """A Pod whose container waits."""
    state = {"name": "agent", "state": {"waiting": {"reason": reason, "message": message}}}
    return {"phase": "Pending", "startTime": STARTED, "containerStatuses": [state]}


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        (waiting("ErrImagePull", "dial tcp: refused"), "the image cannot be pulled (ErrImagePull)"),
        (waiting("ErrImageNeverPull", "not there"), "the pull policy is Never"),
        (waiting("InvalidImageName", "bad"), "the image name is not valid"),
        (waiting("RunContainerError", "exec: not found"), "exec: not found"),
        (
            {"phase": "Failed", "reason": "OutOfpods", "message": "Node didn't have enough pods"},
            "the node has no room for the Pod (OutOfpods: Node didn't have enough pods)",
        ),
        (
            {"phase": "Failed", "reason": "TaintToleration", "message": "untolerated taint"},
            "the kubelet refused the Pod (TaintToleration: untolerated taint)",
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "low on memory"},
            "the kubelet evicted the Pod (Evicted: low on memory)",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/3 nodes",
                    }
                ],
            },
            "the Pod cannot be scheduled (Unschedulable): 0/3 nodes",
        ),
    ],
)
def test_a_node_that_cannot_run_the_pod(
    api: Api, server: FakeServer, kubelets: Kubelets, fate: Json, reason: str
) -> None:
    """It is given up at once, in the API's words, and holds nobody up."""
    kubelets.fates["n1"] = fate

    reports = run(api, "n1", "n2")

    assert reports["n1"].status is NodeStatus.NOT_REACHED
    assert reason in (reports["n1"].reason or "")
    assert reports["n2"].status is NodeStatus.ANSWERED
    assert not server.store.of("pods")


def test_a_silent_kubelet(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """A Pod that nobody takes up is given up, with the age of the node's Lease, and removed."""
    kubelets.fates["n1"] = None
    server.store.add(
        "leases",
        {
            "metadata": {"name": "n1", "namespace": "kube-node-lease"},
            "spec": {"renewTime": "2026-01-01T00:00:00.000000Z"},
        },
    )

    report = run(api, "n1")["n1"]

    assert report.status is NodeStatus.NOT_REACHED
    assert "the kubelet has not acted on the Pod for 0 s; its Lease was renewed" in str(
        report.reason
    )
    (forced,) = server.asked("DELETE", "/pods/")
    assert forced.query["gracePeriodSeconds"] == "0"


def test_a_silent_kubelet_without_lease(api: Api, kubelets: Kubelets) -> None:
    """Without a Lease it takes longer, and says so."""
    kubelets.fates["n1"] = None

    assert "its Lease cannot be read" in str(run(api, "n1")["n1"].reason)


def test_admission_forbids_the_jobs_pod(api: Api, server: FakeServer) -> None:
    """The Job is accepted and gets no Pod: the event's text is the reason."""
    server.store.refuse_pod = lambda pod: (
        (403, "Forbidden", 'violates PodSecurity "baseline"')
        if pod["spec"]["nodeName"] == "n1"
        else None
    )

    reports = run(api, "n1", "n2")

    assert reports["n1"].reason == (
        'the Job controller cannot make its Pod: violates PodSecurity "baseline"'
    )
    assert reports["n2"].status is NodeStatus.ANSWERED


def test_the_api_refuses_the_job(api: Api, server: FakeServer) -> None:
    """A webhook that denies the Job itself costs that node only."""
    server.rules.append(
        lambda r: (
            status(400, "Invalid", "admission webhook denied it")
            if r.method == "POST" and r.body["metadata"]["name"].endswith(node_hash("n1"))
            else None
        )
    )

    reports = run(api, "n1", "n2")

    assert reports["n1"].reason == "the API refuses its Job: admission webhook denied it"
    assert reports["n2"].status is NodeStatus.ANSWERED


def test_the_api_refuses_the_anchor(api: Api, server: FakeServer) -> None:
    """Without its first object a run does not begin."""
    server.on("POST", "/jobs$", status(403, "Forbidden", 'User "x" cannot create jobs'))

    with pytest.raises(ApiDenied, match='User "x" cannot create jobs') as caught:
        run(api, "n1")

    assert "manifests/rbac.yaml" in str(caught.value.hint)


def test_a_lost_answer_to_a_create(api: Api, server: FakeServer) -> None:
    """The Job was made, its answer was lost: asking again finds it there."""
    lost = [1]

    def lose(request: object) -> Response | None:
        body = getattr(request, "body", None)
        if not isinstance(body, dict) or node_hash("n1") not in body["metadata"]["name"]:
            return None
        if lost and lost.pop():
            body["metadata"]["namespace"] = "netdoctor"
            server.store.run_controllers("jobs", server.store.add("jobs", body))
            return Response(201, b'{"metadata": {}}' * 1000, cut=True)
        return None

    server.rules.append(lose)

    assert run(api, "n1")["n1"].status is NodeStatus.ANSWERED


def test_busy_api(api: Api, server: FakeServer) -> None:
    """429 answers are waited out, for creates too."""
    server.on("POST", "/jobs$", Response(429, b"{}", {"Retry-After": "0"}), times=3)

    assert run(api, "n1")["n1"].status is NodeStatus.ANSWERED


def test_pod_deleted_by_somebody(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """A Pod that vanishes is no reason to wait for the deadline."""
    kubelets.fates["n1"] = {"phase": "Running", "startTime": STARTED}

    def delete(news: Progress) -> None:
        for pod in server.store.of("pods") if news.running or news.starting else ():
            server.store.remove("pods", pod)

    server.store.kubelet = lambda pod: server.store.remove("pods", pod)
    report = run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS, progress=delete).reports[0]

    assert report.status is NodeStatus.NOT_REACHED
    assert report.reason == "the Pod was deleted by somebody else before it answered"


def test_deadline(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """Every node that did not answer has a reason."""
    creating = waiting("ContainerCreating", "")
    running = {"name": "agent", "state": {"running": {}}}
    kubelets.fates = {
        "n1": creating,
        "n2": {"phase": "Running", "startTime": STARTED, "containerStatuses": [running]},
    }
    pod = f"netdoctor-r1-{node_hash('n1')}-x7k2p"
    server.store.add(
        "events",
        {
            "metadata": {"name": "e", "namespace": "netdoctor"},
            "involvedObject": {"kind": "Pod", "name": pod},
            "type": "Warning",
            "reason": "FailedMount",
            "message": "no such volume",
        },
    )
    options = RunOptions("r1", "netdoctor", IMAGE, deadline=0.6)

    reports = run(api, "n1", "n2", "n3", options=options)

    why = "the run's deadline of 0.6 s passed"
    assert reports["n1"].reason == (
        f"the agent's container had not started (FailedMount: no such volume): {why}"
    )
    assert reports["n2"] == NodeReport(
        "n2", NodeStatus.FAILED, f"the agent had not ended: {why}", None
    )
    assert reports["n3"].status is NodeStatus.ANSWERED
    assert not server.store.of("pods")


def test_nodes_that_are_stuck_are_named_while_the_run_goes_on(
    api: Api, kubelets: Kubelets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the kubelet says; whoever runs or has answered is not among them."""
    monkeypatch.setattr("kubectl_netdoctor.cluster.node_run.NO_KUBELET_SECONDS", 60.0)
    running = {"name": "agent", "state": {"running": {}}}
    kubelets.fates = {
        "n1": waiting("ContainerCreating", ""),
        "n2": {"phase": "Running", "startTime": STARTED, "containerStatuses": [running]},
        "n3": {"phase": "Pending"},
    }
    creating = Stuck("n1", "ContainerCreating")
    bound = Stuck("n3", "its kubelet has not taken up the Pod")
    last: list[Progress] = []

    def listen(news: Progress) -> None:
        last[:] = [news]
        if news.answered and news.running and {creating, bound} <= {*news.stuck}:
            raise KeyboardInterrupt  # seen: the deadline need not come

    plans = {n: plan_for("r1", n) for n in ("n1", "n2", "n3", "n4")}
    run_agents(api, plans, OPTIONS, progress=listen)

    assert {*last[0].stuck} == {creating, bound}
