"""What the status of an agent's Pod means for the run. Pure functions of the Pod's JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubectl_netdoctor.cluster import fields

Json = dict[str, Any]

_HOPELESS_WAITS = {
    "ErrImagePull": "the image cannot be pulled",
    "ImagePullBackOff": "the image cannot be pulled",
    "InvalidImageName": "the image name is not valid",
    "ErrImageNeverPull": "the image is not on the node, and the pull policy is Never",
    "ImageInspectError": "the image on the node cannot be read",
    "RegistryUnavailable": "the image registry cannot be reached",
    "SignatureValidationFailed": "the image's signature was refused",
    "CreateContainerConfigError": "the container cannot be created",
    "CreateContainerError": "the container cannot be created",
    "RunContainerError": "the container cannot be started",
    "CreatePodSandboxError": "the Pod's sandbox cannot be created",
}
_TRANSIENT = "QPS exceeded"  # the kubelet's own limit on pulls: it tries again at once
_REFUSALS = {
    "NodeAffinity": "the kubelet refused the Pod",
    "TaintToleration": "the kubelet refused the Pod",
    "NodeShutdown": "the node is shutting down",
    "Terminated": "the node is shutting down",
    "Evicted": "the kubelet evicted the Pod",
    "Preempting": "the kubelet removed the Pod for a critical one",
    "DeadlineExceeded": "the Pod's deadline passed",
    "NodeLost": "the node was lost",
    "PodOSNotSupported": "the node runs another operating system",
    "PodOSSelectorNodeLabelDoesNotMatch": "the node runs another operating system",
    "UnexpectedAdmissionError": "the kubelet refused the Pod",
}
_DIGEST = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")  # alone where it was never pulled


class Phase(StrEnum):
    """How far the agent has come."""

    BOUND = "bound"  # no kubelet has taken it up
    STARTING = "starting"  # the kubelet works on it
    RUNNING = "running"
    ENDED = "ended"  # the container has terminated: its log can be read
    FAILED = "failed"  # it will not run, or no more


@dataclass(frozen=True, slots=True)
class PodStatus:
    """One reading of a Pod. `reason` is a sentence, for FAILED and for waiting containers."""

    phase: Phase
    reason: str | None = None
    exit_code: int = 0
    message: str = ""  # the termination message
    ran: bool = False  # a container has started
    ready: bool = False  # and its readiness probe succeeds


def image_digest(pod: Json) -> str | None:
    """Digest of the image that this Pod's container really runs, once the kubelet says it."""
    status = next(iter(fields.objects(pod, "status", "containerStatuses")), {})
    found = _DIGEST.search(fields.text(status, "imageID"))
    return found[1] if found else None


def read(pod: Json) -> PodStatus:
    """What this Pod's status says."""
    status = next(iter(fields.objects(pod, "status", "containerStatuses")), {})
    terminated = fields.dig(status, "state", "terminated")
    running = fields.dig(status, "state", "running")
    if isinstance(terminated, dict) and not _never_ran(terminated):
        return PodStatus(
            Phase.ENDED,
            _of_terminated(pod, terminated),
            exit_code=fields.number(terminated, "exitCode"),
            message=fields.text(terminated, "message"),
            ran=True,
        )
    phase = fields.text(pod, "status", "phase")
    if phase in ("Failed", "Succeeded"):
        return PodStatus(Phase.FAILED, _refusal(pod, terminated))
    if isinstance(running, dict):
        return PodStatus(Phase.RUNNING, ran=True, ready=status.get("ready") is True)
    waiting = fields.text(status, "state", "waiting", "reason")
    said = fields.one_line(fields.text(status, "state", "waiting", "message"), 600)
    if waiting in _HOPELESS_WAITS and _TRANSIENT not in said:
        return PodStatus(Phase.FAILED, f"{_HOPELESS_WAITS[waiting]} ({waiting}): {said}")
    if unschedulable := _unschedulable(pod):
        return PodStatus(Phase.FAILED, unschedulable)
    if fields.text(pod, "status", "startTime"):
        return PodStatus(Phase.STARTING, waiting or None)
    return PodStatus(Phase.BOUND)


def _never_ran(terminated: Json) -> bool:
    """The kubelet writes a terminated state without a container for Pods that it gave up."""
    return not fields.text(terminated, "containerID") and fields.text(terminated, "reason") in (
        "ContainerStatusUnknown",
        "ContainerCannotRun",
        "StartError",
    )


def _of_terminated(pod: Json, terminated: Json) -> str | None:
    if words := _REFUSALS.get(why := fields.text(pod, "status", "reason")):
        return f"{words} ({why})"
    code, reason = fields.number(terminated, "exitCode"), fields.text(terminated, "reason")
    if code == 0:
        return None
    if reason == "OOMKilled":
        return "the agent ran out of memory (OOMKilled)"
    return f"the agent ended with exit code {code}" + (f" ({reason})" if reason else "")


def _refusal(pod: Json, terminated: Any) -> str:
    """Why the kubelet gave a Pod up without running its container."""
    reason = fields.text(pod, "status", "reason") or fields.text(terminated, "reason")
    said = fields.text(pod, "status", "message") or fields.text(terminated, "message")
    if reason.startswith("OutOf"):
        words = "the node has no room for the Pod"
    else:
        words = _REFUSALS.get(reason, "the Pod failed before its container ran")
    detail = ": ".join(filter(None, (reason, fields.one_line(said))))
    return f"{words} ({detail})" if detail else words


def _unschedulable(pod: Json) -> str | None:
    for condition in fields.objects(pod, "status", "conditions"):
        if (
            fields.text(condition, "type") == "PodScheduled"
            and fields.text(condition, "status") == "False"
        ):
            said = fields.one_line(fields.text(condition, "message"))
            return f"the Pod cannot be scheduled ({fields.text(condition, 'reason')}): {said}"
    return None
