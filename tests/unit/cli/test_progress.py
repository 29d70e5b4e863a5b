"""The progress line, and findings that are told before the report."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kubectl_netdoctor.analysis.certain import certain, lasting
from kubectl_netdoctor.checks.base import Confidence
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.first_findings import SHOWN, FirstFindings, wanted
from kubectl_netdoctor.cli.outputs import Output
from kubectl_netdoctor.cli.progress import ProgressLine
from kubectl_netdoctor.cluster.order import Progress, Stuck
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus, Snapshot
from tests.unit.recorded import FOLDER, judged, recorded, sysctl

LATER = ("companions", "service_changes")  # read when all nodes have answered


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        """It rewrites its line."""
        return True

    @property
    def shown(self) -> str:
        """What the last rewritten line says."""
        return self.getvalue().rpartition("\r")[2].strip()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the progress line, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr("kubectl_netdoctor.cli.progress.time.monotonic", lambda: now[0])
    return now


def begun(stream: io.StringIO, **changes: Any) -> ProgressLine:
    """A run of a minute that begins now."""
    line = ProgressLine(stream, **{"quiet": False, "verbose": 0, "deadline": 60.0, **changes})
    line.begin("ns", "r1", ("n1", "n2", "n3"), {})
    return line


def test_time_that_has_passed_of_the_deadline(clock: list[float]) -> None:
    """Reading the cluster before the first Pod does not count."""
    screen = Terminal()
    clock[0] += 3
    line = begun(screen)
    clock[0] += 12
    line(Progress(total=3, waiting=0, starting=1, running=1, answered=1, lost=0))
    assert screen.shown == "1/3 nodes done, 1 running, 1 starting (12 s of 60 s)"


def test_stuck_nodes_with_the_reason(clock: list[float]) -> None:
    """The first one by name, the others by number."""
    del clock
    screen = Terminal()
    stuck = (Stuck("n2", "ContainerCreating"), Stuck("n3", "it has no Pod yet"))
    line = begun(screen)
    line(Progress(3, 0, 2, 0, 1, 0, stuck=stuck))
    assert screen.shown.endswith("; stuck: n2 (and 1 more): ContainerCreating")
    line(Progress(3, 0, 1, 1, 1, 0, stuck=stuck[1:]))
    assert screen.shown.endswith("; stuck: n3: it has no Pod yet")
    line(Progress(3, 0, 0, 2, 1, 0))
    assert "stuck" not in screen.shown


def test_why_a_node_was_lost_stays_on_the_line(clock: list[float]) -> None:
    """Also when others have answered since."""
    del clock
    screen = Terminal()
    line = begun(screen)
    lost = NodeReport("n2", NodeStatus.NOT_REACHED, "no pull\x1b[2J (ImagePullBackOff)", None)
    line(Progress(3, 0, 0, 2, 0, 1, finished=lost))
    line(Progress(3, 0, 0, 1, 1, 1))
    assert "; n2: no pull" in screen.shown
    assert "\x1b" not in screen.getvalue()
    assert len(screen.shown) <= 100


def test_without_a_terminal_a_line_now_and_then(clock: list[float]) -> None:
    """And with -q none at all."""
    stream, silent = io.StringIO(), io.StringIO()
    line, quiet = begun(stream), begun(silent, quiet=True)
    for _ in range(25):
        clock[0] += 1
        line(Progress(3, 0, 1, 1, 1, 0))
        quiet(Progress(3, 0, 1, 1, 1, 0))
    assert [x.rpartition("(")[2] for x in stream.getvalue().splitlines()] == [
        "10 s of 60 s)", "20 s of 60 s)",
    ]  # fmt: skip
    assert silent.getvalue() == ""


def begun_with(snapshot: Snapshot) -> dict[str, Any]:
    """What the API has said before the first node answers."""
    return {k: v for k, v in snapshot.cluster.items() if k not in LATER}


def told(snapshot: Snapshot, *order: str, **options: Any) -> list[str]:
    """Lines that stay on the terminal while these nodes answer."""
    screen = Terminal()
    options = {"suppressions": None, **options}
    first = FirstFindings(catalogue(), snapshot.run, begun_with(snapshot), options)
    listen = first.beside(begun(screen))
    reports = {r.name: r for r in snapshot.nodes}
    for number, name in enumerate(order, 1):
        left = len(reports) - number
        listen(Progress(len(reports), 0, 0, left, number, 0, finished=reports[name]))
        listen(Progress(len(reports), 0, 0, left, number, 0))
    pieces = screen.getvalue().replace("\r", "\n").splitlines()
    return [line for line in pieces if line.startswith("seen so far")]


def test_a_certain_finding_is_told_while_others_run() -> None:
    """Once, with its node."""
    (line,) = told(recorded("ip_forward_off"), "n3", "n1")
    assert line.startswith("seen so far: critical RTE-09 on n3: IPv4 forwarding is off")


def test_nothing_is_told_when_nobody_is_awaited() -> None:
    """The report follows at once."""
    assert told(recorded("ip_forward_off"), "n1", "n2", "n3") == []


def test_a_healthy_cluster_has_no_first_findings() -> None:
    """Nor has one whose fault only the comparison of nodes shows."""
    assert told(recorded("healthy"), "n1", "n2") == []
    assert told(recorded("vxlan_port_blocked"), "n3", "n1") == []


def test_accepted_findings_are_not_told(tmp_path: Any) -> None:
    """They are no news."""
    file = tmp_path / "accepted.yaml"
    file.write_text("suppressions:\n- {id: RTE-09, reason: known, nodes: [n3]}\n")
    assert told(recorded("ip_forward_off"), "n3", "n1", suppressions=str(file)) == []


def test_many_nodes_with_one_fault_are_not_many_lines() -> None:
    """One row of the report, a few lines before it."""
    one = recorded("ip_forward_off")
    (report,) = (r for r in one.nodes if r.name == "n3")
    screen = Terminal()
    first = FirstFindings(catalogue(), one.run, begun_with(one), {"suppressions": None})
    listen = first.beside(begun(screen))
    for _ in range(SHOWN + 2):
        listen(Progress(9, 0, 0, 0, 1, 0, finished=report))
    assert screen.getvalue().count("seen so far") == SHOWN


@pytest.mark.parametrize("name", sorted(p.name[: -len(".json.gz")] for p in FOLDER.iterdir()))
def test_what_was_told_is_in_the_report(name: str) -> None:
    """No line is withdrawn by what other nodes say; those that wait for them are not judged."""
    snapshot = recorded(name)
    final = judged(snapshot).findings
    cluster = begun_with(snapshot)
    for report in snapshot.nodes:
        for found in certain(lasting(catalogue().values(), cluster), report, snapshot.run, cluster):
            assert found.confidence is Confidence.CERTAIN
            assert any(
                r.finding.id == found.id and found.nodes <= r.finding.nodes for r in final
            ), found.title


def test_checks_that_others_could_change_are_left_out() -> None:
    """Those that compare nodes, and those that read what comes after all of them."""
    snapshot = recorded("healthy")
    early = {c.id for c in lasting(catalogue().values(), begun_with(snapshot))}
    whole = {c.id for c in lasting(catalogue().values(), {**snapshot.cluster, "companions": None})}
    assert "RTE-09" in early
    assert not early & {"ENC-01", "NIC-03", "CNI-02"}
    assert "CNI-02" in whole


def test_low_and_likely_findings_wait_for_the_report() -> None:
    """An idle time-out that is short is certain, and no fault of medium or above."""
    short = "net.netfilter.nf_conntrack_tcp_timeout_established"
    snapshot = sysctl(recorded("healthy"), "n3", short, "300")
    assert any(r.finding.id == "CT-06" for r in judged(snapshot).findings)
    assert told(snapshot, "n3", "n1") == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True), ({"quiet": True}, False), ({"redact": True}, False), ({"watch": True}, False),
        ({"output": (Output("jsonl"),)}, False), ({"output": (Output("json"),)}, True),
    ],
)  # fmt: skip
def test_who_wants_them(changes: dict[str, Any], expected: bool) -> None:
    """Names are not told where they are to be hidden; a program reads its own lines."""
    options = {"quiet": False, "redact": False, "watch": False, "output": (Output("table"),)}
    assert wanted({**options, **changes}) is expected
