"""A run: what comes back from each node, and that nothing stays."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster import answer, node_run
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage, node_hash
from kubectl_netdoctor.cluster.order import Progress, Runner, RunOptions
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.errors import ApiDenied
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.envelope import frame
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from tests.unit.cluster.fake_kubelet import STARTED, Kubelets, plan_for, report_of, terminated
from tests.unit.cluster.fake_server import FakeServer, Response, status
from tests.unit.cluster.fake_store import Json

pytestmark = pytest.mark.usefixtures("kubelets")

IMAGE = AgentImage("agent:1")
OPTIONS = RunOptions("r1", "netdoctor", IMAGE, deadline=10.0)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in seconds for a real cluster waits a moment here."""
    monkeypatch.setattr(node_run, "NO_POD_SECONDS", 0.05)
    monkeypatch.setattr(node_run, "NO_CONTROLLER_SECONDS", 0.15)
    monkeypatch.setattr(node_run, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(node_run, "NO_KUBELET_SECONDS", 0.2)
    monkeypatch.setattr(node_run, "SLOW_START_SECONDS", 0.1)
    monkeypatch.setattr(node_run, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(answer, "RETRY_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(answer, "LOG_SECONDS", 0.4)


def run(api: Api, *nodes: str, options: RunOptions = OPTIONS) -> dict[str, NodeReport]:
    """Run on these nodes; reports by name."""
    outcome = run_agents(api, {n: plan_for("r1", n) for n in nodes}, options)
    return {report.name: report for report in outcome.reports}


def test_every_node_answers(api: Api, server: FakeServer) -> None:
    """Three nodes, three reports in the order asked, and an empty cluster afterwards."""
    names = ("n3", "n1", "n2")
    news: list[Progress] = []
    outcome = run_agents(api, {n: plan_for("r1", n) for n in names}, OPTIONS, progress=news.append)

    assert [r.name for r in outcome.reports] == list(names)
    assert {r.status for r in outcome.reports} == {NodeStatus.ANSWERED}
    assert outcome.reports[0].envelope == report_of("r1", "n3")
    assert (outcome.warnings, outcome.interrupted) == ((), False)
    assert not server.store.of("jobs") + server.store.of("pods")
    assert news[-1] == Progress(3, 0, 0, 0, 3, 0, news[-1].finished)
    assert {n.finished.name for n in news if n.finished} == set(names)
    assert all(n.waiting + n.starting + n.running + n.answered + n.lost == 3 for n in news)


def test_the_end_of_a_run_is_one_call(api: Api, server: FakeServer) -> None:
    """The anchor goes, in the background; the garbage collector does the rest."""
    run(api, "n1", "n2")

    (request,) = server.asked("DELETE", ".")
    assert request.path.endswith("/namespaces/netdoctor/jobs/netdoctor-r1")
    assert request.query == {"propagationPolicy": "Background"}


def test_everything_belongs_to_the_anchor(api: Api, server: FakeServer) -> None:
    """The first object made is the anchor; every other one names it as its owner."""
    run(api, "n1", "n2")

    anchor, *rest = [r.body for r in server.asked("POST", "/jobs$")]
    assert anchor["spec"]["parallelism"] == 0
    assert len(rest) == 2
    for job in rest:
        (owner,) = job["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("Job", anchor["metadata"]["name"])


def test_pods_instead_of_jobs(api: Api, server: FakeServer) -> None:
    """--runner=pod needs no controller: it makes bare Pods, and deletes them itself."""
    server.store.job_pods = False
    options = RunOptions("r1", "netdoctor", IMAGE, runner=Runner.POD, deadline=5.0)

    reports = run(api, "n1", "n2", options=options)

    assert {r.status for r in reports.values()} == {NodeStatus.ANSWERED}
    assert len(server.asked("POST", "/pods$")) == 2
    assert not server.store.of("pods")


def test_many_nodes_get_pods(api: Api, server: FakeServer) -> None:
    """Above fifty nodes the Job controller would be the slowest part."""
    names = [f"n{i}" for i in range(60)]

    reports = run(api, *names)

    assert {r.status for r in reports.values()} == {NodeStatus.ANSWERED}
    assert len(server.asked("POST", "/jobs$")) == 1
    assert len(server.asked("GET", "/pods$")) <= 3  # one watch, whatever the number of nodes


def test_jobs_are_made_in_waves(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """No more than fifty Jobs are in flight."""
    names = [f"n{i}" for i in range(60)]
    kubelets.fates = dict.fromkeys(names)
    options = RunOptions("r1", "netdoctor", IMAGE, runner=Runner.JOB, deadline=1.0)

    reports = run(api, *names, options=options)

    assert len(server.asked("POST", "/jobs$")) == 1 + 50 + 10  # ten after the first were given up
    assert {r.status for r in reports.values()} == {NodeStatus.NOT_REACHED}


def test_no_controller_works_on_jobs(api: Api, server: FakeServer) -> None:
    """Without kube-controller-manager the run goes on with Pods."""
    server.store.job_pods = False

    reports = run(api, "n1", "n2")

    assert {r.status for r in reports.values()} == {NodeStatus.ANSWERED}
    assert not server.store.of("pods")


def test_no_controller_and_jobs_asked_for(api: Api, server: FakeServer) -> None:
    """--runner=job is obeyed, and says what is wrong."""
    server.store.job_pods = False
    options = RunOptions("r1", "netdoctor", IMAGE, runner=Runner.JOB, deadline=5.0)

    report = run(api, "n1", options=options)["n1"]

    assert report.status is NodeStatus.NOT_REACHED
    assert "kube-controller-manager seems to be down" in (report.reason or "")


def test_nodes_to_skip_get_no_pod(api: Api, server: FakeServer) -> None:
    """A skipped node is reported with the caller's reason."""
    outcome = run_agents(
        api,
        {n: plan_for("r1", n) for n in ("n1", "n2")},
        OPTIONS,
        skip={"n1": "NotReady since noon"},
    )

    assert outcome.reports[0] == NodeReport(
        "n1", NodeStatus.NOT_REACHED, "NotReady since noon", None
    )
    assert outcome.reports[1].status is NodeStatus.ANSWERED
    assert len(server.asked("POST", "/jobs$")) == 2


def test_nothing_to_do_makes_nothing(api: Api, server: FakeServer) -> None:
    """A run of skipped nodes only touches nothing."""
    outcome = run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS, skip={"n1": "it is off"})

    assert [r.reason for r in outcome.reports] == ["it is off"]
    assert [r.path for r in server.requests] == ["/version"]


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


def test_keep(api: Api, server: FakeServer) -> None:
    """--keep leaves everything for an hour, and says how to remove it."""
    options = RunOptions("r1", "netdoctor", IMAGE, deadline=30.0, keep=True)

    outcome = run_agents(api, {"n1": plan_for("r1", "n1")}, options)

    (warning,) = outcome.warnings
    assert "61 minutes" in warning
    assert "kubectl delete job -n netdoctor netdoctor-r1" in warning
    anchor = server.store.objects["jobs", "netdoctor", "netdoctor-r1"]
    assert anchor["spec"]["activeDeadlineSeconds"] == 3660
    assert server.store.of("pods")


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (status(500, "InternalError", "dial tcp 10.0.0.1:10250: refused"), "10250: refused"),
        (Response(200, b"x", hold=30.0), "no answer within 0.4 s"),
        (Response(200, frame(report_of("r1", "n1")).encode(), cut=True), "10250: "),
        (Response(200, frame(report_of("r1", "n1")).encode()[:-40]), "the report is cut off"),
        (status(403, "Forbidden", "cannot get pods/log"), "this user may not read the log"),
        (Response(200, b""), "the log holds no report"),
    ],
)
def test_the_summary_where_the_log_fails(
    api: Api, kubelets: Kubelets, log: Response, why: str
) -> None:
    """The termination message travels by another way, and says why it had to."""
    kubelets.logs["n1"] = log

    report = run(api, "n1", "n2")["n1"]

    assert report.status is NodeStatus.SUMMARY
    assert why in str(report.reason)
    assert report.envelope is not None
    assert report.envelope.facts["resolver"] == report_of("r1", "n1").facts["resolver"]
    rest = report.envelope.facts["kernel"]
    assert isinstance(rest, Missing)
    assert rest.reason is Reason.NOT_REPORTED


def test_a_log_that_comes_late(api: Api, server: FakeServer) -> None:
    """A log whose last lines are not yet written is read again."""
    whole = frame(report_of("r1", "n1")).encode()
    server.on("GET", "/log$", Response(200, whole[:-40]), times=1)

    assert run(api, "n1")["n1"].status is NodeStatus.ANSWERED


def test_hanging_logs_do_not_hold_up_others(api: Api, kubelets: Kubelets) -> None:
    """Nodes whose kubelet hangs get their summary, the rest their log."""
    bad = [f"bad{i}" for i in range(12)]
    good = [f"good{i}" for i in range(12)]
    kubelets.logs = dict.fromkeys(bad, Response(200, b"x", hold=30.0))

    reports = run(api, *bad, *good)

    assert {reports[n].status for n in bad} == {NodeStatus.SUMMARY}
    assert {reports[n].status for n in good} == {NodeStatus.ANSWERED}


def hostile(**changes: str) -> bytes:
    """A well-formed report that is not the one asked for."""
    return frame(report_of(changes.get("run", "r1"), changes.get("node", "n1"))).encode()


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (hostile(run="r0"), "the report says that it is of run 'r0', it was asked of 'r1'"),
        (hostile(node="n\x1b[2J2"), "the report says that it is of node 'n [2J2'"),
        (b"\xff\xfe\x00 \x1b]0;pwned\x07 oops\n" * 10, "its last line: �� ]0;pwned oops"),
        (b"netdoctor/begin schema=1 bytes=99999999999 sha256=" + b"0" * 64, "the report is cut"),
        (
            b"netdoctor/begin schema=1 bytes=99999999999 sha256=" + b"0" * 64 + b"\nnetdoctor/end",
            "claims 99999999999 bytes",
        ),
        (b"netdoctor/begin schema=9 bytes=1 sha256=" + b"0" * 64 + b"\nnetdoctor/end", "schema 9"),
    ],
)
def test_hostile_logs_are_only_data(api: Api, kubelets: Kubelets, log: bytes, why: str) -> None:
    """Whatever a node says, it is its own report of this run or none."""
    kubelets.logs["n1"] = Response(200, log)
    kubelets.summaries["n1"] = "netdoctor/summary:99:\x1b["

    report = run(api, "n1")["n1"]

    assert (report.status, report.envelope) == (NodeStatus.FAILED, None)
    assert why in str(report.reason)
    assert "\x1b" not in str(report.reason)


def test_an_agent_that_crashed(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """Its exit code and its last words are the reason; its log is not read again and again."""
    kubelets.fates["n1"] = {
        "phase": "Failed",
        "startTime": STARTED,
        "containerStatuses": [terminated(code=2, reason="Error")],
    }
    server.logs["n1"] = lambda: Response(200, b"Traceback\nnetdoctor agent: cannot read the plan\n")

    report = run(api, "n1")["n1"]

    assert report.status is NodeStatus.FAILED
    assert report.reason == (
        "the agent ended with exit code 2 (Error); the log holds no report of the agent; "
        "its last line: netdoctor agent: cannot read the plan"
    )
    assert len(server.asked("GET", "/log$")) == 1


def test_a_plan_too_large_for_a_variable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused here: on the node it would be an error of execve."""
    monkeypatch.setattr("kubectl_netdoctor.cluster.manifest.MAX_VARIABLE_BYTES", 10)

    assert "more than one variable may hold" in str(run(api, "n1")["n1"].reason)


def test_two_names_of_one_hash(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects are named by a hash; of two nodes that share it the second is not mixed up."""
    monkeypatch.setattr("kubectl_netdoctor.cluster.manifest.node_hash", lambda _name: "00000000")

    reports = run(api, "n1", "n2")

    assert reports["n1"].status is NodeStatus.ANSWERED
    assert reports["n2"].reason == "its name has the hash of n1's: scan it alone"
