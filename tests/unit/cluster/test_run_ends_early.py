"""Runs that end before their time: Ctrl-C, bugs, and an API server that goes away."""

from __future__ import annotations

import itertools
import signal
import threading

import pytest

from kubectl_netdoctor.cluster import answer, node_run, sweep
from kubectl_netdoctor.cluster import run as run_module
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import AgentImage
from kubectl_netdoctor.cluster.order import Progress, RunOptions
from kubectl_netdoctor.cluster.run import run_agents
from kubectl_netdoctor.cluster.signals import as_interrupts
from kubectl_netdoctor.errors import CouldNotRun, ExitCode, Interrupted
from kubectl_netdoctor.facts.snapshot import NodeStatus
from tests.unit.cluster.fake_kubelet import STARTED, Kubelets, plan_for
from tests.unit.cluster.fake_server import FakeServer, Response, status
from tests.unit.cluster.fake_store import Json

pytestmark = pytest.mark.usefixtures("kubelets")

OPTIONS = RunOptions("r1", "netdoctor", AgentImage("agent:1"), deadline=10.0)
RUNNING = {
    "phase": "Running",
    "startTime": STARTED,
    "containerStatuses": [{"name": "agent", "state": {"running": {}}}],
}


@pytest.mark.parametrize("moment", range(1, 6))
def test_ctrl_c_leaves_nothing(
    api: Api, server: FakeServer, kubelets: Kubelets, moment: int
) -> None:
    """Whenever it comes, everything of the run is gone afterwards."""
    kubelets.fates["n2"] = RUNNING
    count = itertools.count(1)

    def interrupt(_news: Progress) -> None:
        if next(count) == moment:
            raise KeyboardInterrupt

    plans = {n: plan_for("r1", n) for n in ("n1", "n2", "n3")}
    try:
        outcome = run_agents(api, plans, OPTIONS, progress=interrupt)
    except Interrupted as exc:
        assert exc.exit_code == ExitCode.INTERRUPTED  # noqa: PT017 - both ends are right
    else:
        assert outcome.interrupted
        assert any(r.envelope for r in outcome.reports)
        assert all(r.reason for r in outcome.reports if r.status is not NodeStatus.ANSWERED)
    assert not server.store.of("jobs") + server.store.of("pods")


def test_ctrl_c_removes_pods_of_dead_nodes(
    api: Api, server: FakeServer, kubelets: Kubelets
) -> None:
    """Pods go without grace: the kubelet that would confirm it may be dead."""
    kubelets.fates["n1"] = RUNNING

    def interrupt(news: Progress) -> None:
        if news.running:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="before any node answered"):
        run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS, progress=interrupt)

    deletions = server.asked("DELETE", "/pods$")
    assert len(deletions) == 2  # what the first look does not see is there at the second
    for pods in deletions:
        assert pods.query["gracePeriodSeconds"] == "0"
        assert pods.query["labelSelector"] == "netdoctor/run=r1"


def test_a_second_ctrl_c_leaves(
    api: Api, server: FakeServer, kubelets: Kubelets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells what to type, and does not wait."""

    def interrupt_again(_seconds: float) -> None:
        raise KeyboardInterrupt

    kubelets.fates["n2"] = RUNNING
    server.on("DELETE", ".", Response(200, b"{}"))  # accepted, and nothing goes
    monkeypatch.setattr("kubectl_netdoctor.cluster.sweep.time.sleep", interrupt_again)

    def interrupt(news: Progress) -> None:
        if news.answered:
            raise KeyboardInterrupt

    plans = {n: plan_for("r1", n) for n in ("n1", "n2")}
    outcome = run_agents(api, plans, OPTIONS, progress=interrupt)

    assert outcome.interrupted
    (warning,) = outcome.warnings
    assert "the removal was interrupted" in warning
    assert "kubectl delete job -n netdoctor netdoctor-r1" in warning


def test_objects_that_do_not_go(
    api: Api, server: FakeServer, kubelets: Kubelets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for the removal is bounded, and the warning names what is left."""
    server.on("DELETE", ".", Response(200, b"{}"))
    monkeypatch.setattr(sweep, "PATIENCE_SECONDS", 0.1)
    kubelets.fates["n1"] = RUNNING

    def interrupt(news: Progress) -> None:
        if news.running:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS, progress=interrupt)

    assert "3 objects are still there, such as job/netdoctor-r1" in str(caught.value.hint)


def test_a_bug_cleans_up_too(api: Api, server: FakeServer, kubelets: Kubelets) -> None:
    """Any exception on the way removes the run, and is raised."""

    def broken(news: Progress) -> None:
        if news.running:
            raise ZeroDivisionError

    kubelets.fates["n1"] = RUNNING
    with pytest.raises(ZeroDivisionError):
        run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS, progress=broken)

    assert not server.store.of("jobs") + server.store.of("pods")


def test_a_bug_in_a_worker_cleans_up_too(
    api: Api, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks in another thread is raised in the caller's."""

    def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(answer, "read_answer", broken)
    with pytest.raises(ZeroDivisionError):
        run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS)

    assert not server.store.of("jobs") + server.store.of("pods")


def test_the_api_goes_away(
    api: Api, server: FakeServer, kubelets: Kubelets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was gathered is kept, the rest has the reason, and cleanup is a warning."""
    monkeypatch.setattr(run_module, "GIVE_UP_SECONDS", 0.3)
    kubelets.fates["n2"] = RUNNING

    def stop(news: Progress) -> None:
        if news.answered and news.running:
            server.stop()

    plans = {n: plan_for("r1", n) for n in ("n1", "n2")}
    outcome = run_agents(api, plans, OPTIONS, progress=stop)

    first, second = outcome.reports
    assert first.status is NodeStatus.ANSWERED
    assert second.status is NodeStatus.FAILED
    assert "the API server has not answered for 0.3 s: connection refused" in str(second.reason)
    assert "objects of run r1 may be left in namespace netdoctor" in outcome.warnings[-1]
    assert not outcome.interrupted


def test_the_api_is_away_for_a_moment(
    api: Api, server: FakeServer, kubelets: Kubelets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that breaks is taken up again; what happened meanwhile is seen."""
    monkeypatch.setattr(node_run, "AGAIN_SECONDS", 0.05)
    away = [status(503, "ServiceUnavailable", "apiserver is shutting down")] * 3
    timers: list[threading.Timer] = []

    def act_later(pod: Json) -> None:
        timers.append(threading.Timer(0.3, kubelets.act, (pod,)))
        timers[0].start()

    server.store.kubelet = act_later
    server.watch_seconds = 0.05
    server.rules.append(
        lambda r: away.pop() if timers and away and "watch" not in r.query else None
    )

    outcome = run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS)

    assert outcome.reports[0].status is NodeStatus.ANSWERED
    assert away == []
    timers[0].join()


def test_pods_may_not_be_watched(api: Api, server: FakeServer) -> None:
    """Without a view of the Pods a run ends at once."""
    server.on("GET", "/pods$", status(403, "Forbidden", 'User "x" cannot list pods'))

    outcome = run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS)

    assert 'the Pods of the run cannot be watched: User "x" cannot list pods' in str(
        outcome.reports[0].reason
    )


def test_no_api_at_the_start(api: Api, server: FakeServer) -> None:
    """A server that vanished after connect() is an error, not an empty report."""
    server.stop()

    with pytest.raises(CouldNotRun, match="connection refused"):
        run_agents(api, {"n1": plan_for("r1", "n1")}, OPTIONS)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_are_interrupts(name: str) -> None:
    """They end a run as Ctrl-C does; afterwards all is as before."""
    number = getattr(signal, name)
    before = signal.getsignal(number)

    with pytest.raises(KeyboardInterrupt, match=name), as_interrupts():
        signal.raise_signal(number)

    assert signal.getsignal(number) is before
