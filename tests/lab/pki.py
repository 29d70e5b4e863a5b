"""Who is who in the lab's cluster: certificates, tokens and kubeconfigs."""

import base64
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from tests.lab.commands import run
from tests.lab.spec import API, API_SERVICE, GATEWAY, Spec

_DAYS = "30"
_CURVE = ("-pkeyopt", "ec_paramgen_curve:P-256")
_API_NAMES = (
    f"IP:{GATEWAY},IP:127.0.0.1,IP:{API_SERVICE},DNS:localhost,"
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
    "DNS:kubernetes.default.svc.cluster.local"
)


def make(spec: Spec, nodes: Sequence[str]) -> None:
    """Make everything that the control plane and these nodes identify themselves with."""
    folder = spec.home / "pki"
    folder.mkdir()
    _authority(folder)
    _certificate(folder, "apiserver", "/CN=kube-apiserver", _API_NAMES)
    _certificate(folder, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
    _service_account_key(folder)
    _tokens(spec, nodes)


def _authority(folder: Path) -> None:
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", *_CURVE, "-nodes", "-days", _DAYS),
        *("-subj", "/CN=netdoctor-lab", "-keyout", folder / "ca.key", "-out", folder / "ca.crt"),
    )


def _certificate(folder: Path, name: str, subject: str, alternatives: str = "") -> None:
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    run(
        *("openssl", "req", "-newkey", "ec", *_CURVE, "-nodes", "-subj", subject),
        *("-keyout", folder / f"{name}.key", "-out", request),
    )
    extensions.write_text(
        f"subjectAltName={alternatives}\n" if alternatives else "basicConstraints=CA:FALSE\n"
    )
    run(
        *("openssl", "x509", "-req", "-in", request, "-days", _DAYS, "-extfile", extensions),
        *("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial"),
        *("-out", folder / f"{name}.crt"),
    )


def _service_account_key(folder: Path) -> None:
    private, public = folder / "sa.key", folder / "sa.pub"
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private)
    run("openssl", "ec", "-in", private, "-pubout", "-out", public)


def _tokens(spec: Spec, nodes: Sequence[str]) -> None:
    """Write the API server's token file and a kubeconfig for each token in it."""
    groups = {"admin": "system:masters"}
    groups |= {"system:kube-controller-manager": "", "system:kube-scheduler": ""}
    groups |= {f"system:node:{node}": "system:nodes" for node in nodes}
    lines = []
    for user, group in groups.items():
        token = secrets.token_hex(16)
        _kubeconfig(spec, user, token)
        lines.append(f'{token},{user},{user},"{group}"' if group else f"{token},{user},{user}")
    file = spec.home / "pki" / "tokens.csv"
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n")


def _kubeconfig(spec: Spec, user: str, token: str) -> None:
    authority = base64.b64encode((spec.home / "pki" / "ca.crt").read_bytes()).decode()
    cluster = {"server": API, "certificate-authority-data": authority}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": spec.name,
        "clusters": [{"name": spec.name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": spec.name, "context": {"cluster": spec.name, "user": user}}],
    }
    file = kubeconfig_of(spec, user)
    file.parent.mkdir(exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(content))


def kubeconfig_of(spec: Spec, user: str) -> Path:
    """Return where a user's kubeconfig is: named after the last part of system:node:n1."""
    return spec.home / "kubeconfig" / user.rsplit(":", 1)[-1]
