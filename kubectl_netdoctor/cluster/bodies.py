"""The objects of a run as they are sent: what the runner creates and what --dry-run prints."""

from __future__ import annotations

from kubectl_netdoctor.cluster import companion_manifest, manifest
from kubectl_netdoctor.cluster.manifest import Json, Owner
from kubectl_netdoctor.cluster.order import Runner, RunOptions


def anchor(options: RunOptions) -> Json:
    """The Job that owns everything else."""
    return manifest.anchor(
        options.run, options.namespace, options.image, deadline=options.lifetime, ttl=0
    )


def agent(options: RunOptions, node: str, plan: str, owner: Owner | None, *, as_pod: bool) -> Json:
    """One node's agent, as a Job or as a bare Pod."""
    if as_pod:
        return manifest.agent_pod(
            options.run,
            node,
            plan,
            options.namespace,
            options.image,
            deadline=options.deadline,
            owner=owner,
            resources=options.resources,
            news=options.companions,
        )
    return manifest.agent_job(
        options.run,
        node,
        plan,
        options.namespace,
        options.image,
        deadline=options.deadline,
        ttl=options.ttl,
        owner=owner,
        resources=options.resources,
        news=options.companions,
    )


def companion(options: RunOptions, node: str, token: str, owner: Owner) -> Json:
    """One node's companion: a bare Pod, for no controller has to be waited for, unless Jobs are asked for."""
    order = _order(options, token, owner)
    if options.runner is Runner.JOB:
        return companion_manifest.companion_job(order, node)
    return companion_manifest.companion_pod(order, node)


def own_service(options: RunOptions, owner: Owner) -> Json:
    """The run's own Service, in front of its companions."""
    return companion_manifest.own_service(_order(options, "", owner))


def _order(options: RunOptions, token: str, owner: Owner) -> companion_manifest.Order:
    return companion_manifest.Order(
        run=options.run,
        namespace=options.namespace,
        image=options.image,
        token=token,
        deadline=options.deadline,
        ttl=options.ttl,
        owner=owner,
        resources=options.resources,
    )
