"""Removing what a run made: at once and for certain, or by one call that others finish."""

from __future__ import annotations

import time
from collections.abc import Collection

from kubectl_netdoctor.cluster import fields, manifest
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import ApiError

PATIENCE_SECONDS = 15.0
_LOOK_SECONDS = 0.25
_ONE_BY_ONE = 20


def jobs_path(namespace: str) -> str:
    """The Jobs of a namespace."""
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def pods_path(namespace: str) -> str:
    """The Pods of a namespace."""
    return f"/api/v1/namespaces/{namespace}/pods"


def services_path(namespace: str) -> str:
    """The Services of a namespace."""
    return f"/api/v1/namespaces/{namespace}/services"


def command(namespace: str, run: str) -> str:
    """What to type when the tool could not do it."""
    return f"kubectl delete job -n {namespace} {manifest.run_name(run)}"


def release(
    api: Api, namespace: str, run: str, *, stuck: Collection[str] = (), all_pods: bool = False
) -> None:
    """Delete the anchor and leave the rest to the garbage collector.

    `stuck`: Pods that no kubelet will confirm, deleted by force. `all_pods`: delete every Pod of
    the run, for clusters whose controllers may be down.
    """
    api.delete(f"{jobs_path(namespace)}/{manifest.run_name(run)}")
    if all_pods or len(stuck) > _ONE_BY_ONE:
        api.delete_collection(pods_path(namespace), manifest.run_selector(run), grace=0)
        return
    for name in stuck:
        api.delete(f"{pods_path(namespace)}/{name}", grace=0)


def remove(api: Api, namespace: str, run: str, *, service: bool = False) -> list[str]:
    """Delete everything of a run now, also on dead nodes, and wait until it is gone.

    It is gone when two looks in a row find nothing: a request that was under way when the run was
    cut off, or a controller that works from an older list, may still add to it after the first.
    `service`: the run made a Service too. Returns the names of what is still there.
    """
    selector = manifest.run_selector(run)
    api.delete(f"{jobs_path(namespace)}/{manifest.run_name(run)}")
    if service:
        api.delete(f"{services_path(namespace)}/{manifest.run_name(run)}")
    end = time.monotonic() + PATIENCE_SECONDS
    gone = False
    while True:
        api.delete_collection(jobs_path(namespace), selector)
        api.delete_collection(pods_path(namespace), selector, grace=0)
        left = _names(api, jobs_path(namespace), selector)
        left += _names(api, pods_path(namespace), selector)
        if (gone and not left) or time.monotonic() > end:
            return left
        gone = not left
        time.sleep(_LOOK_SECONDS)


def try_to_remove(api: Api, namespace: str, run: str, *, service: bool = False) -> str | None:
    """remove(), and what the user must know when it did not work: cleanup never fails a run."""
    try:
        left = remove(api, namespace, run, service=service)
    except ApiError as exc:
        why = exc.message
    except KeyboardInterrupt:
        why = "the removal was interrupted"
    else:
        if not left:
            return None
        why = f"{len(left)} objects are still there, such as {left[0]}"
    return left_behind(namespace, run, why)


def left_behind(namespace: str, run: str, why: str) -> str:
    """The warning about objects that stay until the anchor's deadline."""
    return (
        f"objects of run {run} may be left in namespace {namespace} ({why}); they go by themselves "
        f"at their deadline, or with: {command(namespace, run)}"
    )


def _names(api: Api, path: str, selector: str) -> list[str]:
    kind = path.rpartition("/")[2].removesuffix("s")
    items = api.list(path, {"labelSelector": selector})
    return [f"{kind}/{fields.text(item, 'metadata', 'name')}" for item in items]
