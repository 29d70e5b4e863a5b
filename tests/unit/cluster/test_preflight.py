"""Before anything is made: what the API says about it, and what to do when it says no."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.manifest import SMALL_RESOURCES, AgentImage
from kubectl_netdoctor.cluster.order import Runner, RunOptions
from kubectl_netdoctor.cluster.preflight import choose_namespace, preflight
from kubectl_netdoctor.errors import ApiDenied, CouldNotRun, UsageError
from tests.unit.cluster.fake_server import FakeServer, Request, Response, status

OPTIONS = RunOptions("r1", "netdoctor", AgentImage("agent:1"))
VIOLATES = 'pods "x" is forbidden: violates PodSecurity "baseline:latest": privileged'


def refuse(server: FakeServer, *denied: str) -> None:
    """Answer access reviews with no for `verb resource`."""

    def rule(request: Request) -> Response | None:
        if not request.path.endswith("/selfsubjectaccessreviews"):
            return None
        wanted = request.body["spec"]["resourceAttributes"]
        assert wanted["namespace"] == "netdoctor"
        name = "/".join(filter(None, (wanted["resource"], wanted["subresource"])))
        allowed = f"{wanted['verb']} {name}" not in denied
        return Response(201, json.dumps({"status": {"allowed": allowed}}).encode())

    server.rules.append(rule)


def test_all_is_well(api: Api, server: FakeServer) -> None:
    """The options come back as they were, and nothing was made."""
    assert preflight(api, OPTIONS, "n1") == OPTIONS
    assert not server.store.objects
    (trial,) = server.asked("POST", "/pods$")
    assert trial.query == {"dryRun": "All"}
    assert trial.body["spec"]["nodeName"] == "n1"


def test_missing_rights(api: Api, server: FakeServer) -> None:
    """All that is missing in one sentence."""
    refuse(server, "create jobs", "get pods/log")

    with pytest.raises(ApiDenied) as caught:
        preflight(api, OPTIONS, "n1")

    assert caught.value.message == (
        "in namespace netdoctor this user may not create jobs, get pods/log"
    )
    assert "manifests/rbac.yaml" in str(caught.value.hint)


def test_pods_that_this_user_may_not_make(api: Api, server: FakeServer) -> None:
    """The Job controller may: only --runner=pod needs that right."""
    refuse(server, "create pods")
    server.on("POST", "/pods$", status(403, "Forbidden", 'User "x" cannot create pods'))

    assert preflight(api, OPTIONS, "n1").runner is Runner.JOB
    with pytest.raises(ApiDenied, match="may not create pods"):
        preflight(api, dataclasses.replace(OPTIONS, runner=Runner.POD), "n1")


def test_a_cluster_without_access_reviews(api: Api, server: FakeServer) -> None:
    """The run itself will tell."""
    server.on("POST", "/selfsubjectaccessreviews$", status(404, "NotFound", "no such API"))

    assert preflight(api, OPTIONS, "n1") == OPTIONS


def test_pod_security(api: Api, server: FakeServer) -> None:
    """The API's own words, and the labels that would help."""
    server.store.refuse_pod = lambda _pod: (403, "Forbidden", VIOLATES)

    with pytest.raises(ApiDenied) as caught:
        preflight(api, OPTIONS, "n1")

    assert caught.value.message == f"the API refuses the agent's Pod in netdoctor: {VIOLATES}"
    assert "kubectl apply -f manifests/netdoctor.yaml" in str(caught.value.hint)
    assert "pod-security.kubernetes.io/enforce=privileged" in str(caught.value.hint)


def test_another_policy(api: Api, server: FakeServer) -> None:
    """Webhooks have their own words; the way on is another namespace."""
    said = 'admission webhook "validate.kyverno.svc-fail" denied the request: no hostPath'
    server.store.refuse_pod = lambda _pod: (400, "Invalid", said)

    with pytest.raises(ApiDenied, match="no hostPath") as caught:
        preflight(api, OPTIONS, "n1")

    assert "-n" in str(caught.value.hint)


def test_a_quota_that_wants_figures(api: Api, server: FakeServer) -> None:
    """Small requests are added only then."""
    said = "failed quota: q: must specify limits.cpu for: agent"
    server.store.refuse_pod = lambda pod: (
        None if "resources" in pod["spec"]["containers"][0] else (403, "Forbidden", said)
    )

    assert preflight(api, OPTIONS, "n1").resources == SMALL_RESOURCES


def test_a_quota_that_is_used_up(api: Api, server: FakeServer) -> None:
    """Figures do not help there."""
    said = "exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5; failed quota: q"
    server.store.refuse_pod = lambda _pod: (403, "Forbidden", said)

    with pytest.raises(ApiDenied, match="exceeded quota"):
        preflight(api, OPTIONS, "n1")


def test_no_such_namespace(api: Api, server: FakeServer) -> None:
    """A namespace is never made silently."""
    server.on("POST", "/pods$", status(404, "NotFound", 'namespaces "netdoctor" not found'))

    with pytest.raises(UsageError, match="there is no namespace 'netdoctor'") as caught:
        preflight(api, OPTIONS, "n1")

    assert "manifests/netdoctor.yaml" in str(caught.value.hint)


def test_a_server_that_goes_away(api: Api, server: FakeServer) -> None:
    """That is no denial."""
    server.stop()

    with pytest.raises(CouldNotRun, match="connection refused") as caught:
        preflight(api, OPTIONS, "n1")
    assert not isinstance(caught.value, ApiDenied)


def test_namespace(api: Api, server: FakeServer) -> None:
    """-n, then netdoctor where it exists, then the namespace of the context."""
    assert choose_namespace(api, "mine") == "mine"
    assert choose_namespace(api, None) == "default"

    server.store.add("namespaces", {"metadata": {"name": "netdoctor"}})
    assert choose_namespace(api, None) == "netdoctor"

    server.on("GET", "/namespaces/netdoctor$", status(403, "Forbidden", "no"))
    assert choose_namespace(api, None) == "default"
