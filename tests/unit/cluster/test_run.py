"""A run: its objects, its order, and that nothing stays."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.order import Progress, Runner, RunOptions
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus
from tests.unit.cluster.fake_kubelet import Kubelets, plan_for, report_of
from tests.unit.cluster.fake_server import FakeServer
from tests.unit.cluster.quick_run import IMAGE, OPTIONS, run

pytestmark = pytest.mark.usefixtures("kubelets", "in_a_hurry")


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
