"""May this run happen? Asked of the API server before anything is made, in its own words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from kubectl_netdoctor.cluster import fields, manifest, sweep
from kubectl_netdoctor.cluster.api import Api, Json
from kubectl_netdoctor.cluster.api_errors import FORBIDDEN, NOT_FOUND, ApiError, Unreachable
from kubectl_netdoctor.cluster.order import Runner, RunOptions
from kubectl_netdoctor.errors import ApiDenied, NetdoctorError, UsageError

OWN_NAMESPACE = "netdoctor"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_NEEDS = (
    ("create", "batch", "jobs", ""),
    ("delete", "batch", "jobs", ""),
    ("list", "", "pods", ""),
    ("watch", "", "pods", ""),
    ("get", "", "pods", "log"),
)
_CREATE_PODS = ("create", "", "pods", "")
_PATCH_PODS = ("patch", "", "pods", "")
_SERVICES = (("create", "", "services", ""), ("delete", "", "services", ""))
_ASKED = (*_NEEDS, _CREATE_PODS, _PATCH_PODS, *_SERVICES)
_RBAC_HINT = "ask an administrator for: kubectl apply -f manifests/rbac.yaml"

Need = tuple[str, str, str, str]


def choose_namespace(api: Api, explicit: str | None) -> str:
    """-n; else `netdoctor` where it exists; else the namespace of the context. Never made here."""
    if explicit is not None:
        return explicit
    try:
        api.get(f"/api/v1/namespaces/{OWN_NAMESPACE}")
    except ApiError as exc:
        if exc.status in (NOT_FOUND, FORBIDDEN):
            return api.namespace
        raise
    return OWN_NAMESPACE


def preflight(api: Api, options: RunOptions, node: str) -> RunOptions:
    """The options, with resources where a quota wants them, after the API said yes.

    `node`: one of the nodes asked, for the dry run. Raises ApiDenied, or UsageError when the
    namespace is not there.
    """
    with ThreadPoolExecutor(len(_ASKED) + 1) as pool:
        trial = pool.submit(_trial, api, options, node)
        may = pool.map(lambda need: _may(api, options.namespace, need), _ASKED)
        answers = dict(zip(_ASKED, may, strict=True))
        refused = trial.result()
    needs = (*_NEEDS, _CREATE_PODS) if options.runner is Runner.POD else _NEEDS
    needs = (*needs, *_SERVICES) if options.convergence else needs
    if lacking := [_words(need) for need in needs if not answers[need]]:
        message = f"in namespace {options.namespace} this user may not {', '.join(lacking)}"
        raise ApiDenied(message, hint=_RBAC_HINT)
    if not answers[_PATCH_PODS]:  # agents could not be told of companions
        why = f"in namespace {options.namespace} this user may not patch pods"
        options = dataclasses.replace(options, companions=False, no_companions=why)
    if refused is None:
        return options
    if not answers[_CREATE_PODS] and refused.status == FORBIDDEN:
        # The Job controller makes the Pods; what it may not make shows as an event.
        return dataclasses.replace(options, runner=Runner.JOB)
    return _second_trial(api, options, node, refused)


def _second_trial(api: Api, options: RunOptions, node: str, refused: ApiError) -> RunOptions:
    if "failed quota" in refused.said or "must specify" in refused.said:
        options = dataclasses.replace(options, resources=manifest.SMALL_RESOURCES)
        again = _trial(api, options, node)
        if again is None:
            return options
        refused = again
    raise _explained(refused, options.namespace)


def _trial(api: Api, options: RunOptions, node: str) -> ApiError | None:
    """What admission says about the agent's Pod, by a server-side dry run."""
    pod = manifest.agent_pod(
        options.run,
        node,
        "",
        options.namespace,
        options.image,
        deadline=options.deadline,
        resources=options.resources,
    )
    try:
        api.create(sweep.pods_path(options.namespace), pod, {"dryRun": "All"})
    except ApiError as exc:
        return exc
    return None


def _may(api: Api, namespace: str, need: Need) -> bool:
    verb, group, resource, subresource = need
    attributes: Mapping[str, str] = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
    }
    review: Json = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    try:
        answer, _ = api.create(_REVIEWS, review)
    except Unreachable:
        raise
    except ApiError:
        return True  # a cluster that does not tell: the run itself will
    return fields.flag(answer, "status", "allowed")


def _words(need: Need) -> str:
    verb, _, resource, subresource = need
    return f"{verb} {resource}" + (f"/{subresource}" if subresource else "")


def _explained(error: ApiError, namespace: str) -> NetdoctorError:
    if isinstance(error, Unreachable):
        return error
    if error.status == NOT_FOUND and "namespaces" in error.said:
        return UsageError(
            f"there is no namespace {namespace!r}",
            hint="kubectl apply -f manifests/netdoctor.yaml makes `netdoctor`; -n chooses another",
        )
    hint = "choose another namespace with -n, or ask whoever owns this policy for an exception"
    if "violates PodSecurity" in error.said:
        hint = (
            "the agent needs a namespace that allows privileged Pods: kubectl apply -f "
            f"manifests/netdoctor.yaml, or kubectl label namespace {namespace} "
            "pod-security.kubernetes.io/enforce=privileged"
        )
    return ApiDenied(f"the API refuses the agent's Pod in {namespace}: {error.said}", hint=hint)
