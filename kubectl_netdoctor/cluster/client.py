"""The Kubernetes client for one cluster: credentials loaded, certificates checked as kubectl does.

Python 3.13 refuses certificate authorities without key identifiers (VERIFY_X509_STRICT), which
EKS and MicroK8s have and RFC 5280 allows (kubernetes-client/python#2394). So the TLS context is
ours. It holds the client's key in memory: the files that the client makes for it are gone before
the first request.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config_from_dict
from kubernetes.config.incluster_config import SERVICE_TOKEN_FILENAME

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.credentials import with_credentials
from kubectl_netdoctor.cluster.kubeconfig import Target
from kubectl_netdoctor.cluster.transport import CONNECTIONS
from kubectl_netdoctor.cluster.words import plain
from kubectl_netdoctor.errors import NoCluster

_HINT = "compare kubectl config view"


def from_kubeconfig(target: Target) -> Any:
    """A client for this cluster and user. Raises NoCluster."""
    config = target.as_config()
    config["users"] = [{"name": "netdoctor", "user": with_credentials(target)}]
    where = f"context {target.context!r} of the kubeconfig" if target.context else "the kubeconfig"
    configuration = _configuration()
    with tempfile.TemporaryDirectory(prefix="netdoctor-") as keys:
        try:
            load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                config,
                client_configuration=configuration,
                persist_config=False,
                temp_file_path=keys,
            )
        except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
            why = fields.one_line(str(exc))
            raise NoCluster(f"{where} cannot be used: {why}", hint=_HINT) from exc
        return _client(configuration, where)


def from_pod(token: str | None) -> tuple[Any, str]:
    """A client with this pod's service account, or another token; and the pod's namespace."""
    configuration = _configuration()
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as exc:
        raise NoCluster(f"this pod's service account cannot be used: {exc}") from exc
    if token is not None:
        configuration.refresh_api_key_hook = None
        configuration.api_key["BearerToken"] = f"Bearer {token}"
    own = Path(SERVICE_TOKEN_FILENAME).with_name("namespace")
    namespace = own.read_text().strip() if own.is_file() else "default"
    return _client(configuration, "this pod's service account"), namespace


def _configuration() -> Any:
    configuration = Configuration()
    configuration.connection_pool_maxsize = CONNECTIONS
    configuration.retries = False  # ours are in transport.py, bounded and for 429 only
    configuration.keep_alive = True
    return configuration


def _client(configuration: Any, where: str) -> Any:
    try:
        client = ApiClient(configuration)
        if configuration.host.startswith("https"):
            options = client.rest_client.pool_manager.connection_pool_kw
            for name in ("ca_certs", "ca_cert_data", "cert_file", "key_file"):
                options.pop(name, None)
            options["ssl_context"] = _context(configuration)
    except ImportError as exc:  # urllib3's SOCKS support is an extra
        raise NoCluster(f"{where} has a SOCKS proxy: {exc}", hint="pip install PySocks") from exc
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
        raise NoCluster(f"{where} cannot be used: {plain(exc)}", hint=_HINT) from exc
    return client


def _context(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
