"""node-problem-detector: a daemon on each node that runs check scripts and reports to the API.

Run: the DaemonSet of its README ("Installation", deployment/node-problem-detector.yaml) with the
configuration that its release brings: kernel-monitor.json and readonly-monitor.json, and as custom
plugins network-problem-monitor.json and, where its health-checker is there, health-checker-kubelet
(config/ in kubernetes/node-problem-detector; the archive of a release has bin/ and config/). It stays
in the lab as the monitor that it is; a look waits for one round of its plugins, 30 s. Read: events
about Nodes from its monitors since the look began, and the conditions of Nodes that it alone sets and
that are true (README "Problem API"). Written from these sources: the module proxy does not have it.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

from tests.faults.peers import daemon_set
from tests.faults.peers.peer import Peer
from tests.lab import Lab

NAME = "node-problem-detector"
NAMESPACE = "kube-system"
IMAGE = "netlab.local/node-problem-detector:1"
ROUND = 40.0  # seconds until each plugin has run and was reported once more
LOGS = ("kernel-monitor", "readonly-monitor")
PLUGINS = ("network-problem-monitor",)
# Conditions that kubelet and the cloud's controllers set.
OTHERS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


def configuration(program: Path) -> Path:
    """The folder that a release has beside that of its programs."""
    return program.resolve().parent.parent / "config"


def lacks(program: Path) -> str:
    """Its configuration, without which it checks nothing."""
    folder = configuration(program)
    wanted = [folder / f"{name}.json" for name in (*LOGS, *PLUGINS)]
    missing = [str(file) for file in wanted if not file.exists()]
    return f"no {missing[0]}" if missing else ""


def ask(lab: Lab, program: Path) -> str:
    """Its events and conditions after one round."""
    if not daemon_set.installed(lab, NAME, NAMESPACE):
        _install(lab, program)
    since = dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    time.sleep(ROUND)
    events = lab.kubectl_json("get", "events", "-A", "--field-selector", "involvedObject.kind=Node")
    nodes = lab.kubectl_json("get", "nodes")
    return json.dumps({"since": since, "events": events["items"], "nodes": nodes["items"]})


def read(output: str) -> list[str]:
    """A line for each event since then, and for each condition that is true."""
    seen = json.loads(output)
    complaints = [
        f"{event['involvedObject']['name']}: {event['reason']}: {event['message']}"
        for event in seen["events"]
        if event["type"] == "Warning" and _of_a_monitor(event) and _last(event) >= seen["since"]
    ]
    complaints += [
        f"{node['metadata']['name']}: {condition['type']}: {condition.get('message', '')}"
        for node in seen["nodes"]
        for condition in node["status"]["conditions"]
        if condition["status"] == "True" and condition["type"] not in OTHERS
    ]
    return complaints


def _of_a_monitor(event: dict[str, Any]) -> bool:
    return str(event.get("source", {}).get("component", "")).endswith(("-monitor", "checker"))


def _last(event: dict[str, Any]) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or ""


def _install(lab: Lab, program: Path) -> None:
    files = {NAME: program, "config": configuration(program)}
    daemon_set.image(lab, IMAGE, files, debian_below=True)
    logs, plugins = (
        ",".join(f"/config/{name}.json" for name in names) for names in (LOGS, PLUGINS)
    )
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            f"/{NAME}",
            "--logtostderr",
            f"--config.system-log-monitor={logs}",
            f"--config.custom-plugin-monitor={plugins}",
        ],
        "securityContext": {"privileged": True},
        "env": [daemon_set.on_node("NODE_NAME")],
        "volumeMounts": [{"name": "kmsg", "mountPath": "/dev/kmsg", "readOnly": True}],
    }
    volume = {"name": "kmsg", "hostPath": {"path": "/dev/kmsg"}}
    pod = {"containers": [container], "volumes": [volume]}
    daemon_set.install(
        lab,
        NAME,
        NAMESPACE,
        pod,
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch", "update"]},
    )


PEER = Peer(NAME, NAME, ask, read, lacks)
