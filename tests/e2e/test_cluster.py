"""A healthy cluster: silence, every format, and clear words for every mistake.

Nothing is injected here, so these tests also run against any cluster that
NETDOCTOR_TEST_KUBECONFIG names, provided that it can get the agent image.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.netdoctor import netdoctor, scan
from tests.lab.cluster import Cluster

pytestmark = pytest.mark.lab


def test_a_healthy_cluster_is_silent(cluster: Cluster) -> None:
    """All nodes, no finding of medium or above, everything measured, exit 0."""
    result = scan(cluster, "--all-nodes")
    assert result.serious == []
    assert result.code == 0, result.report["coverage"]
    assert {n["status"] for n in result.report["nodes"]} == {"answered"}
    assert result.report["verdict"]["complete"] is True
    assert len(result.report["coverage"]) > 30


def test_a_saved_snapshot_gives_the_same_findings(cluster: Cluster, tmp_path: Path) -> None:
    """`analyze` of what `--save` wrote is the same judgement, without a cluster."""
    file = tmp_path / "snapshot.json.gz"
    first = scan(cluster, "--all-nodes", "--save", str(file))
    again = netdoctor(cluster, "analyze", str(file), "-o", "json")
    second = json.loads(again.stdout)
    for part in ("findings", "advice", "coverage", "verdict", "nodes"):
        assert first.report[part] == second[part]


@pytest.mark.parametrize("output", ["table", "wide", "short", "markdown", "yaml"])
def test_stdout_holds_the_result_only(cluster: Cluster, output: str) -> None:
    """Whatever the format, standard output can be piped; progress goes elsewhere."""
    done = netdoctor(cluster, "scan", "--node", cluster.nodes[0], "-o", output, "-v")
    assert done.returncode == 0, done.stderr
    assert "agents for 1 nodes" in done.stderr
    assert "agents for" not in done.stdout
    assert done.stdout.isascii()
    if output == "yaml":
        assert yaml.safe_load(done.stdout)["schemaVersion"] == "1.0"


def test_without_a_node_it_says_how_to_choose(cluster: Cluster) -> None:
    """500 nodes are not scanned by surprise."""
    done = netdoctor(cluster, "scan")
    assert done.returncode == 2
    assert f"The cluster has {len(cluster.nodes)} nodes" in done.stderr
    assert "--all-nodes" in done.stderr
    assert done.stdout == ""


def test_an_unknown_node_is_named_with_its_neighbours(cluster: Cluster) -> None:
    """A typing mistake gets a suggestion."""
    done = netdoctor(cluster, "scan", "--node", f"{cluster.nodes[0]}x")
    assert done.returncode == 2
    assert "there is no node" in done.stderr
    assert cluster.nodes[0] in done.stderr


def test_the_selector_is_the_api_servers(cluster: Cluster) -> None:
    """Any selector that kubectl takes, taken by the API server itself."""
    first = cluster.nodes[0]
    result = scan(cluster, "-l", f"kubernetes.io/hostname in ({first})")
    assert result.report["run"]["nodes"] == [first]
    done = netdoctor(cluster, "scan", "-l", "no=such")
    assert done.returncode == 2
    assert "no node has the labels" in done.stderr


def test_nobody_gets_nothing(cluster: Cluster) -> None:
    """Without permissions: one sentence with the API's words, a hint, exit 4."""
    done = netdoctor(cluster, "scan", "--all-nodes", "--as", "nobody")
    assert done.returncode == 4
    assert "cannot list" in done.stderr
    assert "rbac.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_said_so(cluster: Cluster) -> None:
    """An expired token is a sentence, not a stack."""
    done = netdoctor(cluster, "scan", "--all-nodes", "--token", "expired")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr


def test_an_image_that_cannot_be_pulled_is_a_reason(cluster: Cluster) -> None:
    """The node is reported with the kubelet's words, exit 3, well before the deadline."""
    result = scan(
        cluster, "--node", cluster.nodes[0], "--image", "netdoctor.invalid/none:1", timeout=60
    )
    assert result.code == 3
    (node,) = result.report["nodes"]
    assert node["status"] == "not-reached"
    assert "netdoctor.invalid/none:1" in node["reason"]


def test_a_dry_run_creates_nothing(cluster: Cluster) -> None:
    """An anchor, an agent, a companion: printed, and none of them is there."""
    listed = ("get", "jobs,pods", "-A", "-l", "netdoctor/run", "-o", "name")
    words = netdoctor(cluster, "scan", "--all-nodes", "--dry-run")
    made = netdoctor(cluster, "scan", "--node", cluster.nodes[0], "--dry-run", "-o", "json")
    assert words.returncode == made.returncode == 0, words.stderr + made.stderr
    assert "packets a second" in words.stdout
    (anchor, agent, companion) = json.loads(made.stdout)["items"]
    names = {o["metadata"]["name"] for o in (anchor, agent, companion)}
    left = {line.rpartition("/")[2] for line in cluster.kubectl(*listed).split()}
    assert not names & left


def test_bare_pods_do_as_well_as_jobs(cluster: Cluster) -> None:
    """`--runner pod` needs no Job controller and gives the same."""
    result = scan(cluster, "--all-nodes", "--runner", "pod")
    assert result.code == 0
    assert {n["status"] for n in result.report["nodes"]} == {"answered"}
