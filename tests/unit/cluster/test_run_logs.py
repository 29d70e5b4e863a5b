"""From a log to a report: what is late, damaged or hostile, and the summary instead."""

from __future__ import annotations

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.envelope import frame
from kubectl_netdoctor.facts.snapshot import NodeStatus
from tests.unit.cluster.fake_kubelet import STARTED, Kubelets, report_of, terminated
from tests.unit.cluster.fake_server import FakeServer, Response, status
from tests.unit.cluster.quick_run import run

pytestmark = pytest.mark.usefixtures("kubelets", "in_a_hurry")


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (status(500, "InternalError", "dial tcp 10.0.0.1:10250: refused"), "10250: refused"),
        (
            Response(200, b"x", hold=30.0),
            "10250: no answer within 0.4 s; asked again: no answer within 0.2 s",
        ),
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


def test_a_kubelet_that_is_slow_once(api: Api, server: FakeServer) -> None:
    """A busy node is asked again; a blocked port would be silent twice."""
    server.on("GET", "/log$", Response(200, b"x", hold=30.0), times=1)

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
