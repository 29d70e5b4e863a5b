"""Credential plugins (client.authentication.k8s.io): run by us, so that their failure is heard.

The Kubernetes client logs such a failure and goes on without credentials.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from typing import IO, Any

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.kubeconfig import Target
from kubectl_netdoctor.errors import NoCluster

PLUGIN_SECONDS = 60.0  # without a terminal nobody can answer its questions


def with_credentials(target: Target) -> dict[str, Any]:
    """The user entry, with what its plugin answered in place of `exec`. Raises NoCluster."""
    plugin = fields.dig(target.user, "exec")
    if not isinstance(plugin, dict):
        return target.user
    name = f"the credential plugin {fields.text(plugin, 'command')!r} of user {target.user_name!r}"
    status = fields.dig(_answer(plugin, target, name), "status")
    user = {k: v for k, v in target.user.items() if k != "exec"}
    if token := fields.text(status, "token"):
        return {**user, "token": token}
    certificate = fields.text(status, "clientCertificateData")
    key = fields.text(status, "clientKeyData")
    if certificate and key:
        return {**user, "client-certificate-data": _b64(certificate), "client-key-data": _b64(key)}
    raise NoCluster(f"{name} answered without a token and without a client certificate")


def _answer(plugin: dict[str, Any], target: Target, name: str) -> object:
    interactive = sys.stdin is not None and sys.stdin.isatty()
    interactive = interactive and fields.text(plugin, "interactiveMode") != "Never"
    argv = [fields.text(plugin, "command"), *fields.texts(plugin, "args")]
    environ = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(_info(plugin, target, interactive))}
    for item in fields.objects(plugin, "env"):
        environ[fields.text(item, "name")] = fields.text(item, "value")
    hint = (
        fields.one_line(fields.text(plugin, "installHint")) or "run it by hand to see what it wants"
    )
    try:
        code, out, err = _run(argv, environ, interactive=interactive)
    except subprocess.TimeoutExpired as exc:
        raise NoCluster(f"{name} gave no answer for {PLUGIN_SECONDS:g} s", hint=hint) from exc
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise NoCluster(f"{name} cannot be started: {why}", hint=hint) from exc
    said = fields.one_line(err.decode(errors="replace"))
    if code != 0:
        raise NoCluster(
            f"{name} failed with exit code {code}: {said or 'it said nothing'}", hint=hint
        )
    try:
        return json.loads(out)
    except (ValueError, RecursionError) as exc:
        raise NoCluster(f"{name} printed no ExecCredential: {said}", hint=hint) from exc


def _info(plugin: dict[str, Any], target: Target, interactive: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": interactive}
    if fields.flag(plugin, "provideClusterInfo"):
        cluster = {k: v for k, v in target.cluster.items() if k != "extensions"}
        for extension in fields.objects(target.cluster, "extensions"):
            if fields.text(extension, "name") == "client.authentication.k8s.io/exec":
                cluster["config"] = extension.get("extension")
        spec["cluster"] = cluster
    return {"apiVersion": fields.text(plugin, "apiVersion"), "kind": "ExecCredential", "spec": spec}


def _run(
    argv: list[str], environ: dict[str, str], *, interactive: bool
) -> tuple[int, bytes, bytes]:
    """Exit code, output and error output; on a terminal the latter is also shown at once."""
    with subprocess.Popen(
        argv,
        env=environ,
        stdin=None if interactive else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if not interactive:
            try:
                out, err = process.communicate(timeout=PLUGIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            return process.returncode, out, err
        said: list[bytes] = []
        if process.stderr is None or process.stdout is None:  # not with PIPE
            return -1, b"", b""
        echo = threading.Thread(target=_echo, args=(process.stderr, said), daemon=True)
        echo.start()
        out = process.stdout.read()
        echo.join()
    return process.returncode, out, b"".join(said)


def _echo(pipe: IO[bytes], said: list[bytes]) -> None:
    while piece := os.read(pipe.fileno(), 4096):
        said.append(piece)
        sys.stderr.write(piece.decode(errors="replace"))
        sys.stderr.flush()


def _b64(pem: str) -> str:
    """The kubeconfig's form of a PEM text."""
    return base64.b64encode(pem.encode()).decode()
