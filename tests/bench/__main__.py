"""What a scan costs, as ratios to what Kubernetes and Python themselves cost in the same run.

python -m tests.bench [--runs N] [--window 1s]     needs the lab; starts one of its own
python -m tests.bench hops [HOP ...]               drops at known hops, and what the ledger says
python -m tests.bench fleet [NODES] [RUNS]         many nodes: silence, time, CPU and memory of agents
python -m tests.bench html [RUNS]                  opening reports of many nodes, to an empty page

single-node scan   to one empty Job created, waited for and read back with kubectl
three-node scan    to the same
--help, completion to `python -c pass`

Each pair is measured in turn, A B A B, after one round that does not count; the ratio is taken pair
by pair, so that it holds while the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import json
import sys

from kubectl_netdoctor.cli.app import DEFAULT_IMAGE
from tests.bench import fleet, hops, html
from tests.bench.ratio import compare
from tests.e2e.netdoctor import BIN, netdoctor
from tests.lab import Lab, agent_image

NODE = "n3"


def empty_job(lab: Lab, name: str) -> None:
    """One Job that does nothing, on the node, from creation to its log."""
    container = {
        "name": "empty",
        "image": DEFAULT_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/netdoctor/bin/python3", "-c", "print('done')"],
    }
    pod = {
        "nodeName": NODE,
        "restartPolicy": "Never",
        "hostNetwork": True,
        "containers": [container],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }
    lab.kubectl("create", "-f", "-", input=json.dumps(job))
    lab.kubectl("wait", "--for=condition=complete", f"job/{name}", "--timeout=60s")
    if lab.kubectl("logs", f"job/{name}") != "done\n":
        message = "the empty Job's log is not what it printed"
        raise AssertionError(message)


def scan(lab: Lab, *arguments: str) -> None:
    """One scan that must be clean."""
    done = netdoctor(lab, "scan", "-q", *arguments)
    if done.returncode:
        message = f"scan {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        raise AssertionError(message)


def main() -> None:
    """Run all comparisons."""
    others = {"hops": hops.main, "fleet": fleet.main, "html": html.main}
    if other := others.get("".join(sys.argv[1:2])):
        other(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description="What a scan costs, as ratios.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--window", default="1s")
    options = parser.parse_args()
    host = Lab("ndbench")
    plugin, window = str(BIN / "kubectl-netdoctor"), ("--window", options.window)

    def start(*command: str) -> None:
        host.run(*command, check=True, timeout=60)

    host.up(3, agent=agent_image.ensure(print))
    try:
        compare(
            "--help",
            options.runs * 4,
            lambda _: start(plugin, "--help"),
            lambda _: start(sys.executable, "-c", "pass"),
        )
        compare(
            "completion",
            options.runs * 4,
            lambda _: start(str(BIN / "kubectl_complete-netdoctor"), "scan", "--"),
            lambda _: start(sys.executable, "-c", "pass"),
        )
        compare(
            "single-node scan",
            options.runs,
            lambda _: scan(host, "--node", NODE, *window),
            lambda n: empty_job(host, f"empty-one-{n}"),
        )
        compare(
            "three-node scan",
            options.runs,
            lambda _: scan(host, "--all-nodes", *window),
            lambda n: empty_job(host, f"empty-three-{n}"),
        )
    finally:
        host.down()


if __name__ == "__main__":
    main()
