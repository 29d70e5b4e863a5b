"""Why an agent does not start: what events and Leases say, asked only when something is late."""

from __future__ import annotations

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.inventory import LEASES, lease_renewed
from kubectl_netdoctor.cluster.reach import since

_PREFIX = "Error creating: "


def job_refusal(api: Api, namespace: str, job: str) -> str | None:
    """Why a Job gets no Pod: admission's words, which stand in an event and nowhere else."""
    said = _warnings(api, namespace, "Job", job).get("FailedCreate")
    return None if said is None else said.removeprefix(_PREFIX)


def pod_trouble(api: Api, namespace: str, pod: str) -> str | None:
    """What keeps a Pod's container from starting, such as FailedCreatePodSandBox."""
    warnings = _warnings(api, namespace, "Pod", pod)
    return next((f"{reason}: {said}" for reason, said in reversed(warnings.items())), None)


def lease_age(api: Api, node: str) -> float | None:
    """Seconds since the kubelet renewed its Lease, by the API server's clock."""
    return since(lease_renewed(api.get(f"{LEASES}/{node}")), api.now())


def _warnings(api: Api, namespace: str, kind: str, name: str) -> dict[str, str]:
    """The latest message of each reason."""
    query = {"fieldSelector": f"involvedObject.kind={kind},involvedObject.name={name},type=Warning"}
    return {
        fields.text(event, "reason"): fields.one_line(fields.text(event, "message"), 1000)
        for event in api.list(f"/api/v1/namespaces/{namespace}/events", query)
    }
