"""The objects of a run, and the committed manifests that describe them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_netdoctor.cluster import allowed, manifest
from kubectl_netdoctor.cluster.manifest import AgentImage, Owner

MANIFESTS = Path(__file__).resolve().parents[3] / "manifests"
IMAGE = AgentImage("registry/agent@sha256:0", "Never", ("pull",))
LONG = "node-" + "x" * 240 + ".internal"


def job(**extra: Any) -> dict[str, Any]:
    return manifest.agent_job("r1", LONG, "PLAN", "ns", IMAGE, deadline=10.2, ttl=60, **extra)


def test_the_agents_pod() -> None:
    """Pinned, tolerating everything, on the host's network, without credentials."""
    spec = job()["spec"]["template"]["spec"]

    assert spec == {
        "nodeName": LONG,
        "tolerations": [{"operator": "Exists"}],
        "hostNetwork": True,
        "hostPID": True,
        "dnsPolicy": "Default",
        "restartPolicy": "Never",
        "activeDeadlineSeconds": 11,
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "os": {"name": "linux"},
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "name": "agent",
                "image": "registry/agent@sha256:0",
                "imagePullPolicy": "Never",
                "env": [
                    {"name": "NETDOCTOR_PLAN", "value": "PLAN"},
                    {"name": "NETDOCTOR_HOST_ROOT", "value": "/host"},
                ],
                "securityContext": {"privileged": True, "readOnlyRootFilesystem": True},
                "terminationMessagePolicy": "File",
                "volumeMounts": [{"name": "host", "mountPath": "/host", "readOnly": True}],
            }
        ],
        "volumes": [{"name": "host", "hostPath": {"path": "/", "type": ""}}],
    }
    pod = manifest.agent_pod("r1", LONG, "PLAN", "ns", IMAGE, deadline=10.2)
    assert pod["spec"] == spec


def test_a_job_never_tries_twice() -> None:
    """One Pod, one attempt, a deadline, and it goes by itself."""
    spec = job()["spec"]
    del spec["template"]

    assert spec == {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": 11,
        "ttlSecondsAfterFinished": 60,
    }


@pytest.mark.parametrize("node", ["n1", LONG])
def test_names_and_labels_are_legal(node: str) -> None:
    """Whatever the node is called; the full name is in an annotation."""
    owner = Owner("netdoctor-r1", "uid")
    pod = manifest.agent_pod("r1", node, "P", "ns", IMAGE, deadline=1, owner=owner)
    metadata = pod["metadata"]

    assert len(metadata["name"] + "-12345") <= 63
    assert all(len(v) <= 63 for v in metadata["labels"].values())
    assert metadata["annotations"]["netdoctor/node"] == node
    assert metadata["labels"]["netdoctor/run"] == "r1"
    assert metadata["labels"]["netdoctor/node"] == manifest.node_hash(node)
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": "netdoctor-r1",
            "uid": "uid",
            "controller": False,
            "blockOwnerDeletion": False,
        }
    ]


def test_labels_reach_the_pods_of_jobs() -> None:
    """The run's one watch finds Pods by the labels of the Job's template."""
    body = job()

    assert body["spec"]["template"]["metadata"]["labels"] == body["metadata"]["labels"]


def test_resources_only_when_asked_for() -> None:
    """A full node still takes an agent that requests nothing."""
    (bare,) = job()["spec"]["template"]["spec"]["containers"]
    (small,) = job(resources=manifest.SMALL_RESOURCES)["spec"]["template"]["spec"]["containers"]

    assert "resources" not in bare
    assert small["resources"] == manifest.SMALL_RESOURCES


def test_the_anchor_never_starts_anything() -> None:
    """It would be admitted anywhere: its Pod, which is never made, has no rights."""
    anchor = manifest.anchor("r1", "ns", IMAGE, deadline=120, ttl=0)

    assert (anchor["spec"]["parallelism"], anchor["spec"]["activeDeadlineSeconds"]) == (0, 120)
    assert anchor["spec"]["ttlSecondsAfterFinished"] == 0
    assert "hostNetwork" not in str(anchor)
    assert anchor["metadata"]["name"] == "netdoctor-r1"


def test_the_example_is_current() -> None:
    """manifests/job.yaml is what the code makes."""
    text = (MANIFESTS / "job.yaml").read_text()

    assert text == manifest.example()
    anchor, agent = yaml.safe_load_all(text)
    assert agent["metadata"]["ownerReferences"][0]["name"] == anchor["metadata"]["name"]


def test_the_namespace_allows_the_agent() -> None:
    """Its labels are the whole setup."""
    (namespace,) = yaml.safe_load_all((MANIFESTS / "netdoctor.yaml").read_text())

    assert (namespace["kind"], namespace["metadata"]["name"]) == ("Namespace", "netdoctor")
    for mode in ("enforce", "audit", "warn"):
        label = f"pod-security.kubernetes.io/{mode}"
        assert namespace["metadata"]["labels"][label] == "privileged"


def test_the_role_covers_what_is_read() -> None:
    """rbac.yaml names the ConfigMaps that the code reads, and never Secrets."""
    text = (MANIFESTS / "rbac.yaml").read_text()
    cluster_role = next(iter(yaml.safe_load_all(text)))

    (config_maps,) = [r for r in cluster_role["rules"] if r["resources"] == ["configmaps"]]
    assert config_maps["verbs"] == ["get"]
    assert set(config_maps["resourceNames"]) == {name for _, name in allowed.CONFIG_MAPS}
    assert not [r for r in cluster_role["rules"] if "secrets" in r["resources"]]
    verbs = {v for r in cluster_role["rules"] for v in r["verbs"]}
    assert verbs == {"get", "list", "create"}  # create: selfsubjectaccessreviews
