"""The Pod of an agent: what it runs, sees and may do on its node."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubectl_netdoctor.cluster.manifest import AgentImage

Json = dict[str, Any]

CONTAINER = "agent"
HOST_ROOT = "/host"
NEWS = "netdoctor/companions"
"""Annotation by which an agent that runs is told the addresses of companions."""
NEWS_MOUNT, NEWS_FILE = "/netdoctor-news", "companions"


def pod_spec(
    node: str,
    plan: str,
    image: AgentImage,
    *,
    deadline: float,
    resources: Json | None,
    news: bool,
) -> Json:
    """On this node whatever its taints, with the host's network and files, and without a token."""
    spec: Json = {
        "nodeName": node,  # no scheduler: cordoned and tainted nodes are the interesting ones
        "tolerations": [{"operator": "Exists"}],
        "hostNetwork": True,
        "hostPID": True,
        "dnsPolicy": "Default",
        "restartPolicy": "Never",
        "activeDeadlineSeconds": math.ceil(deadline),
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "os": {"name": "linux"},
        "containers": [_container(plan, image, resources)],
        "volumes": [{"name": "host", "hostPath": {"path": "/", "type": ""}}],
    }
    if image.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in image.pull_secrets]
    if news:
        spec["volumes"].append(_news_volume())
        (container,) = spec["containers"]
        container["readinessProbe"] = _unharmed()
        container["env"].append({"name": "NETDOCTOR_NEWS", "value": f"{NEWS_MOUNT}/{NEWS_FILE}"})
        container["volumeMounts"].append(
            {"name": "news", "mountPath": NEWS_MOUNT, "readOnly": True}
        )
    return spec


_READY = """
import glob, os
def on(bridge):
    ports = os.listdir(os.path.dirname(bridge) + "/brif")
    return not ports or int(open(os.path.dirname(bridge) + "/flags").read(), 16) & 1
forwards = open("/proc/sys/net/ipv4/ip_forward").read().strip() == "1"
raise SystemExit(not (forwards and all(map(on, glob.glob("/sys/class/net/*/bridge")))))
"""


def _unharmed() -> Json:
    """Ready means that starting a pod changes nothing: the node forwards, its bridges are up.

    CNI plugins switch both on when they start a pod: a companion would repair what the agent has to
    find. Read with the agent's own interpreter, in its network namespace, which is the node's.
    """
    command = ["python3", "-I", "-S", "-c", _READY]
    often = {"periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 1}
    return {"exec": {"command": command}, **often}


def _news_volume() -> Json:
    """An annotation as a file: the kubelet renews it as soon as the annotation is set."""
    field = {"fieldPath": f"metadata.annotations['{NEWS}']"}
    return {"name": "news", "downwardAPI": {"items": [{"path": NEWS_FILE, "fieldRef": field}]}}


def _container(plan: str, image: AgentImage, resources: Json | None) -> Json:
    container: Json = {
        "name": CONTAINER,
        "image": image.name,
        "imagePullPolicy": image.pull_policy,
        "env": [
            {"name": "NETDOCTOR_PLAN", "value": plan},
            {"name": "NETDOCTOR_HOST_ROOT", "value": HOST_ROOT},
        ],
        "securityContext": {"privileged": True, "readOnlyRootFilesystem": True},
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"name": "host", "mountPath": HOST_ROOT, "readOnly": True}],
    }
    if resources is not None:
        container["resources"] = resources
    return container
