"""From flags, environment and kubeconfig to a cluster that answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kubernetes.config.incluster_config import SERVICE_HOST_ENV_NAME, SERVICE_TOKEN_FILENAME

from kubectl_netdoctor import __version__
from kubectl_netdoctor.cluster import client as client_module
from kubectl_netdoctor.cluster import fields, kubeconfig
from kubectl_netdoctor.cluster.api import Api, Identity
from kubectl_netdoctor.cluster.api_errors import ApiError, for_people
from kubectl_netdoctor.cluster.kubeconfig import Overrides, Target
from kubectl_netdoctor.errors import UsageError

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """kubectl's global flags; None: not given. `request_timeout`: seconds, 0 as None."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    impersonate_user: str | None = None
    impersonate_groups: tuple[str, ...] = ()
    request_timeout: float | None = None
    namespace: str | None = None
    server: str | None = None
    token: str | None = None
    insecure_skip_tls_verify: bool = False

    def overrides(self) -> Overrides:
        """The part that the kubeconfig's choice depends on."""
        return Overrides(
            context=self.context,
            cluster=self.cluster,
            user=self.user,
            server=self.server,
            token=self.token,
            insecure_skip_tls_verify=self.insecure_skip_tls_verify,
            namespace=self.namespace,
        )


def connect(options: ConnectOptions, environ: Mapping[str, str] = os.environ) -> Api:
    """A cluster that has answered /version with these credentials.

    Raises NoCluster or UsageError, each with one sentence and a hint.
    """
    config = kubeconfig.merged(kubeconfig.files(options.kubeconfig, environ))
    target = kubeconfig.choose(config, options.overrides())
    if target is not None:
        client = client_module.from_kubeconfig(target)
    elif _is_in_cluster(options, environ):
        client, namespace = client_module.from_pod(options.token)
        target = Target(None, options.namespace or namespace, "the pod's service account", {}, {})
    else:
        raise kubeconfig.no_cluster(config)
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    if options.request_timeout:
        timeout = (min(CONNECT_SECONDS, options.request_timeout), options.request_timeout)
    identity = Identity(target.context, str(client.configuration.host), target.namespace)
    headers = (("User-Agent", f"kubectl-netdoctor/{__version__}"), *_impersonation(options, target))
    api = Api(client, identity, timeout=timeout, headers=headers)
    try:
        api.version = api.get("/version")
    except ApiError as exc:
        api.close()
        raise for_people(exc, api.server, options.impersonate_user or target.user_name) from exc
    return api


def _is_in_cluster(options: ConnectOptions, environ: Mapping[str, str]) -> bool:
    asked = options.kubeconfig or options.context or options.cluster
    return not asked and SERVICE_HOST_ENV_NAME in environ and Path(SERVICE_TOKEN_FILENAME).is_file()


def _impersonation(options: ConnectOptions, target: Target) -> list[tuple[str, str]]:
    """Headers of --as and --as-group, else of the kubeconfig's `as`, which the client ignores."""
    if options.impersonate_user is not None or options.impersonate_groups:
        user, groups = options.impersonate_user or "", options.impersonate_groups
        uid, extra = "", {}
    else:
        user, groups = fields.text(target.user, "as"), fields.texts(target.user, "as-groups")
        uid, extra = fields.text(target.user, "as-uid"), fields.dig(target.user, "as-user-extra")
    if groups and not user:
        raise UsageError("--as-group needs --as", hint="name the user too: --as NAME")
    headers = [("Impersonate-User", user)] if user else []
    headers += [("Impersonate-Group", group) for group in groups]
    headers += [("Impersonate-Uid", uid)] if uid else []
    for key in extra if isinstance(extra, dict) else {}:
        headers += [(f"Impersonate-Extra-{quote(key)}", v) for v in fields.texts(extra, key)]
    return headers
