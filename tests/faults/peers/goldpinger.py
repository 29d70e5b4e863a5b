"""goldpinger: its pods, one on each node, call each other over HTTP.

Run: the DaemonSet of its README ("Manual Installation"), asked for /check_all, with cluster DNS to
resolve as the README's "Note on DNS" suggests, each instance asked on its own node (bloomberg/goldpinger README.md, Dockerfile,
pkg/goldpinger/config.go). It stays in the lab as the monitor that it is; a look waits for one
refresh, 30 s by default. Read: in the answer every pod's view of every other, each with OK and an
error, and every probe with its error (swagger.yml, pkg/models). What is not OK is a complaint, with
both nodes by name. Written from these sources: the module proxy does not have it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.faults.peers import daemon_set
from tests.faults.peers.peer import Failed, Peer
from tests.lab import Lab

NAME = "goldpinger"
IMAGE = "netlab.local/goldpinger:1"
REFRESH = 35.0  # seconds until every instance has called every other since the fault
PORT = 8080
_ASK = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=10).read().decode())"


def ask(lab: Lab, program: Path) -> str:
    """The answer of the first node whose instance gives one."""
    if not daemon_set.installed(lab, NAME, "default"):
        _install(lab, program)
    time.sleep(REFRESH)
    pods = lab.kubectl_json("-n", "default", "get", "pods", "-l", f"app={NAME}")["items"]
    hosts = {lab.address(name): name for name in lab.nodes}
    for pod in pods:
        url = f"http://{pod['status'].get('podIP')}:{PORT}/check_all"
        said = lab.on(pod["spec"]["nodeName"], "python3", "-c", _ASK, url, check=False).strip()
        if said.startswith("{"):
            return json.dumps({"hosts": hosts, "answer": json.loads(said)})
    raise Failed("no instance answers")


def read(output: str) -> list[str]:
    """A line for each call that failed."""
    whole = json.loads(output)
    hosts: dict[str, str] = whole["hosts"]
    complaints = []
    for pod, view in sorted((whole["answer"].get("responses") or {}).items()):
        source = hosts.get(view.get("HostIP", ""), pod)
        if not view.get("OK"):
            complaints.append(f"instance on {source} does not answer: {view.get('error', '')}")
        inner = view.get("response") or {}
        for result in (inner.get("podResults") or {}).values():
            if not result.get("OK"):
                target = hosts.get(result.get("HostIP", ""), result.get("PodIP", "?"))
                complaints.append(f"ping from {source} to {target}: {result.get('error', '')}")
        complaints += _probes(source, inner.get("probeResults") or {})
    return complaints


def _probes(source: str, probes: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [
        f"{probe.get('protocol', '')} probe of {host} from {source}: {probe['error']}"
        for host, results in sorted(probes.items())
        for probe in results
        if probe.get("error")
    ]


def _install(lab: Lab, program: Path) -> None:
    daemon_set.image(lab, IMAGE, {"goldpinger": program}, debian_below=False)
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/goldpinger"],
        "env": [
            {"name": "HOST", "value": "0.0.0.0"},
            {"name": "PORT", "value": str(PORT)},
            daemon_set.on_node("HOSTNAME"),
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "HOSTS_TO_RESOLVE", "value": "kubernetes.default.svc.cluster.local"},
        ],
        "ports": [{"containerPort": PORT}],
    }
    may_list = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "get", "watch"]}
    daemon_set.install(lab, NAME, "default", {"containers": [container]}, may_list)


PEER = Peer("goldpinger", NAME, ask, read)
