"""
Ask the API server what is there: `on_api.py KUBECONFIG`, run in the rack; prints JSON.

One connection for everything: a second kubectl would already take longer than all of this.
"""

import base64
import hashlib
import http.client
import json
import ssl
import sys
import urllib.parse
from pathlib import Path
from typing import Any

SECONDS = 2
OURS = urllib.parse.quote("app.kubernetes.io/managed-by=netdoctor")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
# Every kind that a run or an installation of the project could leave behind.
KINDS = (
    *("/api/v1/pods", "/api/v1/configmaps", "/api/v1/secrets", "/api/v1/services"),
    *("/api/v1/serviceaccounts", "/api/v1/namespaces", "/apis/batch/v1/jobs"),
    *("/apis/apps/v1/daemonsets", "/apis/apps/v1/deployments"),
    *(f"{RBAC}/clusterroles", f"{RBAC}/clusterrolebindings"),
    *(f"{RBAC}/roles", f"{RBAC}/rolebindings"),
    "/apis/networking.k8s.io/v1/networkpolicies",
)
# What a healthy lab has as it had it after its start, by the part of the object that says so.
SETTINGS = {
    "/api/v1/namespaces/kube-system/configmaps": "data",
    "/api/v1/namespaces/kube-system/services": "spec",
    "/apis/apps/v1/namespaces/kube-system/daemonsets": "spec",
    "/apis/apps/v1/namespaces/kube-system/deployments": "spec",
    "/apis/networking.k8s.io/v1/namespaces/kube-system/networkpolicies": "spec",
}
DNS_SLICES = (
    "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
    "?labelSelector=kubernetes.io/service-name=kube-dns"
)
RESTARTED = "kubectl.kubernetes.io/restartedAt"


class Api:
    """A connection to the API server of a kubeconfig that holds a token."""

    def __init__(self, kubeconfig: Path) -> None:
        """Read where the server is and open a connection on the first question."""
        config = json.loads(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        server = urllib.parse.urlsplit(cluster["server"])
        self.headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self.connection = http.client.HTTPSConnection(
            server.hostname or "",
            server.port,
            timeout=SECONDS,
            context=ssl.create_default_context(cadata=authority),
        )

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a list."""
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            message = f"{path}: {answer.status} {answer.reason}"
            raise OSError(message)
        found: list[dict[str, Any]] = json.loads(body)["items"]
        return found


def node(item: dict[str, Any]) -> dict[str, Any]:
    """Return what matters of a node."""
    conditions = {c["type"]: c["status"] for c in item["status"].get("conditions", [])}
    spec = item["spec"]
    return {
        "name": item["metadata"]["name"],
        "ready": conditions.get("Ready") == "True",
        "pod_cidr": spec.get("podCIDR", ""),
        "cordoned": spec.get("unschedulable", False),
        "taints": [f"{t['key']}:{t['effect']}" for t in spec.get("taints", [])],
    }


def pod(item: dict[str, Any]) -> dict[str, Any]:
    """Return what matters of a pod."""
    conditions = {c["type"]: c["status"] for c in item["status"].get("conditions", [])}
    return {
        "name": item["metadata"]["name"],
        "node": item["spec"].get("nodeName", ""),
        "phase": item["status"]["phase"],
        "ready": conditions.get("Ready") == "True",
        "ending": "deletionTimestamp" in item["metadata"],
    }


def digest(item: dict[str, Any], part: str) -> str:
    """Return a short hash of a part of an object, blind to a mere restart."""
    content = item.get(part, {})
    template = content.get("template", {}) if part == "spec" else {}
    annotations = template.get("metadata", {}).get("annotations", {})
    annotations.pop(RESTARTED, None)
    if template and not annotations:
        template["metadata"].pop("annotations", None)
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def label(path: str, item: dict[str, Any]) -> str:
    """Return a name for an object: its kind, namespace and name."""
    kind = path.rsplit("/", 1)[-1].removesuffix("s").replace("policie", "policy")
    metadata = item["metadata"]
    return f"{kind} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"


def look(api: Api) -> dict[str, Any]:
    """Return everything that tells a healthy cluster from another."""
    slices = api.items(DNS_SLICES)
    endpoints = [e for s in slices for e in s.get("endpoints") or []]
    return {
        "nodes": [node(item) for item in api.items("/api/v1/nodes")],
        "pods": [pod(item) for item in api.items("/api/v1/namespaces/kube-system/pods")],
        "dns": sorted(e["addresses"][0] for e in endpoints if e["conditions"].get("ready")),
        "ours": [
            label(path, item)
            for path in KINDS
            for item in api.items(f"{path}?labelSelector={OURS}")
        ],
        "settings": {
            label(path, item): digest(item, part)
            for path, part in SETTINGS.items()
            for item in api.items(path)
        },
    }


def main() -> None:
    """Print what is there, or why that could not be learnt."""
    try:
        seen = look(Api(Path(sys.argv[1])))
    except (OSError, http.client.HTTPException) as error:
        seen = {"error": str(error) or type(error).__name__}
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
