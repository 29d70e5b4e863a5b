"""Other tools in the benchmark: what they print is read in their favour, and never made up."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.faults.peers import PEERS, troubleshoot
from tests.faults.peers import build as programs
from tests.faults.peers.peer import Failed, Peer
from tests.faults.peers.seen import TOPICS, Seen, alike, judge
from tests.faults.peers.table import cell, cells, columns, figures
from tests.faults.peers.troubleshoot_spec import of_node
from tests.faults.peers.watch import Watch
from tests.faults.report import as_json, from_json, render
from tests.faults.scenario import Cause, Scenario, all_scenarios
from tests.faults.scenarios.quiet_healthy import nothing
from tests.faults.score import Score
from tests.faults.witness import healthy
from tests.lab import Lab

BLOCKED = Cause(("ENC-01",), ("n3",))
GONE = Cause(("DNS-04",))
NAMES = {"n3": ["198.18.0.13", "kube-proxy-x7k2p"]}


def seen(
    *complaints: str, causes: tuple[Cause, ...] = (BLOCKED,), known: tuple[str, ...] = ()
) -> Seen:
    """The judgement of these complaints."""
    return judge("tool", Scenario("one", nothing, healthy, causes), complaints, known, NAMES, 4.04)


class TestJudgement:
    """Found and placed."""

    @pytest.mark.parametrize(
        ("complaint", "found", "placed"),
        [
            ("n3: tunnel does not answer", 1, 1),
            ("something about VXLAN", 1, 0),
            ("connection to 198.18.0.13:10250: timeout", 0, 1),
            ("pod kube-system/kube-proxy-x7k2p is not ready", 0, 1),
            ("connection to 198.18.0.130:10250: timeout", 0, 0),
            ("node n33 is tired", 0, 0),
            ("disk is full", 0, 0),
        ],
    )
    def test_a_word_of_the_topic_and_a_name_of_the_place(
        self, complaint: str, found: int, placed: int
    ) -> None:
        """Neither needs the other."""
        look = seen(complaint)
        assert (look.found, look.placed, look.new) == (found, placed, (complaint,))

    def test_what_the_healthy_lab_had_counts_for_nothing(self) -> None:
        """Even in other words for the same pod, number or port."""
        look = seen(
            "flannel-9x4zt on n3: restarted 4 times",
            known=("flannel-kq8vd on n3: restarted 2 times",),
        )
        assert (look.found, look.placed, look.new, look.healthy) == (0, 0, (), 1)

    def test_a_cause_without_a_node_has_its_topic_for_a_place(self) -> None:
        """Cluster DNS is where it is."""
        look = seen("coredns has no ready replica", causes=(GONE,))
        assert (look.found, look.placed) == (1, 1)

    def test_of_two_causes_each_is_looked_for(self) -> None:
        """One of two is one."""
        look = seen("coredns has no ready replica", causes=(GONE, BLOCKED))
        assert (look.causes, look.found, look.placed) == (2, 1, 1)

    def test_addresses_and_ports_tell_complaints_apart(self) -> None:
        """Only what differs each time is left out."""
        assert alike("a 10.0.0.1:53 took 12ms") == alike("a 10.0.0.1:53 took 7ms")
        assert alike("read 10.0.0.1:4711->10.0.0.2:53") == alike("read 10.0.0.1:42->10.0.0.2:53")
        assert alike("a 10.0.0.1:53") != alike("a 10.0.0.1:54")
        assert alike("a 10.0.0.1:53") != alike("a 10.0.0.2:53")
        assert alike("n1 fails") != alike("n2 fails")

    def test_every_scenario_has_a_topic(self) -> None:
        """A new area of checks needs words of its own."""
        ids = {i for s in all_scenarios().values() for cause in s.causes for i in cause.ids}
        assert {i.split("-")[0] for i in ids} <= set(TOPICS)


class FakeLab(Lab):
    """A lab that has nodes and nothing else."""

    nodes = ("n1", "n2")

    def run(self, *argv: str | Path, **_how: Any) -> subprocess.CompletedProcess[str]:
        """Nothing of ours is left to wait for."""
        return subprocess.CompletedProcess([str(word) for word in argv], 0, "", "")

    def kubectl_json(self, *_args: str | Path) -> dict[str, Any]:
        """One pod on whatever node is asked for."""
        return {"items": [{"metadata": {"name": "kube-proxy-x7k2p"}, "status": {}}]}


class TestWatch:
    """Which tools run, and what becomes of those that do not."""

    def watch(self, tmp_path: Path, *outputs: str | Exception) -> Watch:
        """A tool that prints these, one after the other, and one that is not there."""
        program = tmp_path / "tool"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        told = iter(outputs)

        def ask(_lab: Lab, _program: Path) -> str:
            output = next(told)
            if isinstance(output, Exception):
                raise output
            return output

        tools = (
            Peer("tool", "tool", ask, str.splitlines),
            Peer("other", "other", ask, str.splitlines),
        )
        return Watch(FakeLab("peers"), tools, tmp_path, lambda _sentence: None)

    def test_only_what_is_new(self, tmp_path: Path) -> None:
        """The healthy lab first, then the fault; a tool without a program is not judged."""
        watch = self.watch(tmp_path, "always", "always\nvxlan on kube-proxy-x7k2p")
        tool, other = watch.look(Scenario("one", nothing, healthy, (BLOCKED,)))
        assert (tool.found, tool.placed, tool.new) == (1, 1, ("vxlan on kube-proxy-x7k2p",))
        assert "PATH" in other.not_run
        assert cell(other) == "not run"

    def test_a_tool_that_fails_in_a_fault_has_named_nothing(self, tmp_path: Path) -> None:
        """It ran."""
        tool, _ = self.watch(tmp_path, "", Failed("crash of vxlan on n3")).look(
            Scenario("one", nothing, healthy, (BLOCKED,))
        )
        assert (tool.failed, tool.found, tool.not_run) == ("crash of vxlan on n3", 0, "")

    def test_a_tool_that_fails_on_a_healthy_lab_is_not_run(self, tmp_path: Path) -> None:
        """It cannot be blamed for faults."""
        tool, _ = self.watch(tmp_path, ValueError("no JSON")).look(
            Scenario("one", nothing, healthy, (BLOCKED,))
        )
        assert "no JSON" in tool.not_run

    def test_a_fault_that_is_over_is_not_looked_at(self, tmp_path: Path) -> None:
        """Nobody misses what is not there."""
        over = Scenario("one", nothing, lambda _lab: "it works again", (BLOCKED,))
        tool, _ = self.watch(tmp_path, "").look(over)
        assert "it works again" in tool.not_run


class TestTable:
    """Columns and figures."""

    QUIET = Seen("a", new=("x",), seconds=2)
    LOOKS = (
        (Seen("a", 1, 1, 1, ("x", "y"), seconds=4, healthy=3), Seen("b", not_run="no b on PATH")),
        (QUIET, Seen("b", not_run="no b on PATH")),
    )

    @pytest.mark.parametrize(
        ("look", "words"),
        [
            (Seen("a", 1, 1, 1, ("x",)), "fault and place, 1 new"),
            (Seen("a", 1, 0, 1, ("x",)), "place, 1 new"),
            (Seen("a", 2, 1, 2, ("x",)), "fault 1 of 2 and place 2 of 2, 1 new"),
            (Seen("a", 2, 0, 1, ("x",)), "place 1 of 2, 1 new"),
            (Seen("a", 1), "missed"),
            (Seen("a", 1, new=("x",)), "missed, 1 new"),
            (Seen("a", 1, failed="crash"), "failed"),
            (Seen("a", not_run="no a"), "not run"),
            (Seen("a"), "silent"),
            (QUIET, "1 new"),
        ],
    )
    def test_cells(self, look: Seen, words: str) -> None:
        """One look in words."""
        assert cell(look) == words

    def test_a_column_for_each_tool(self) -> None:
        """A scenario that was not measured leaves them empty."""
        names = columns(self.LOOKS)
        assert names == ["a", "b"]
        assert cells([self.LOOKS[1]], names) == ["1 new", "not run"]
        assert cells([()], names) == ["", ""]

    def test_runs_of_one_scenario_that_differ(self) -> None:
        """Each is told, once."""
        runs = [(Seen("a", 1),), (Seen("a", 1, 1, 1, ("x",)),), (Seen("a", 1),)]
        assert cells(runs, ["a"]) == ["missed; fault and place, 1 new"]

    def test_figures(self) -> None:
        """Faults and quiet cases apart; what was not run has no figure."""
        ran, not_run = figures(self.LOOKS)
        assert ran == ("a", "1 of 1", "1 of 1", "2.0", "1.0", "3", "3")
        assert not_run[:2] == ("b", "not run: no b on PATH")
        assert not any(not_run[2:])


class TestReport:
    """Other tools in the benchmark's own table."""

    SCORE = Score("one", False, (1,), (), (), (), 2, 4.0, peers=TestTable.LOOKS[0])

    @pytest.mark.parametrize("form", ["table", "markdown"])
    def test_a_column_and_a_line_each(self, form: str) -> None:
        """Beside our rank, and below our figures."""
        text = render([self.SCORE], form, "command")
        row = next(line for line in text.splitlines() if "fault and place, 2 new" in line)
        assert "one" in row
        assert "not run" in row
        assert "no b on PATH" in text

    def test_nothing_of_them_where_they_were_not_asked(self) -> None:
        """The table is as without them."""
        text = render([dataclasses.replace(self.SCORE, peers=())], "table", "command")
        assert "named the fault" not in text

    def test_a_score_is_read_back_from_a_log(self) -> None:
        """With what they saw."""
        assert from_json(json.loads(json.dumps(as_json(self.SCORE)))) == self.SCORE


def test_a_node_is_asked_for_every_kubelet_but_its_own() -> None:
    """And for what all nodes need; each collector is analysed."""
    wanted = troubleshoot.targets(FakeLab("peers"), "n1", "10.96.0.10")
    assert wanted["cluster DNS"] == "10.96.0.10:53"
    assert [name for name in wanted if "kubelet" in name] == ["kubelet of n2"]
    spec = of_node("n1", wanted, "pod")["spec"]
    kinds = [[next(iter(part)) for part in spec[k]] for k in ("hostCollectors", "hostAnalyzers")]
    assert kinds[0] == kinds[1]


def test_every_tool_of_the_issue_has_an_adapter() -> None:
    """By name, in the table's order."""
    names = [peer.name for peer in PEERS]
    assert names == sorted(names)
    assert len(names) == 5


def test_what_is_built_is_pinned() -> None:
    """Each program's folder has a go.mod that requires its module at one version, and its sums."""
    for source, package in programs.PROGRAMS.values():
        folder = programs.SOURCES / source
        module = "/".join(package.split("/")[:3])
        assert f"{module} v" in (folder / "go.mod").read_text()
        assert f"{module} v" in (folder / "go.sum").read_text()
