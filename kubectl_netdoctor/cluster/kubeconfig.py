"""Which kubeconfig files count, how they merge, and which cluster and user come out: as kubectl."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.errors import NoCluster, UsageError

_SECTIONS = ("clusters", "contexts", "users")
_FILES = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
}
_NO_CLUSTER_HINT = "name one with --kubeconfig FILE, or look at this machine with `scan --local`"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What flags say about the cluster; None: the kubeconfig decides."""

    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    token: str | None = None
    insecure_skip_tls_verify: bool = False
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster and user to talk to. `cluster` and `user` are kubeconfig entries."""

    context: str | None
    namespace: str
    user_name: str | None
    cluster: dict[str, Any]
    user: dict[str, Any]

    def as_config(self) -> dict[str, Any]:
        """A kubeconfig with this one context."""
        name = "netdoctor"
        return {
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [{"name": name, "cluster": self.cluster}],
            "users": [{"name": name, "user": self.user}],
        }


def files(explicit: str | None, environ: Mapping[str, str]) -> list[Path]:
    """The files to merge: --kubeconfig, else those of KUBECONFIG that exist, else the default.

    Raises NoCluster when --kubeconfig names no file.
    """
    if explicit is not None:
        path = Path(explicit).expanduser()
        if not path.is_file():
            raise NoCluster(f"there is no file {explicit!r}", hint=_NO_CLUSTER_HINT)
        return [path]
    listed = [p for p in environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    paths = [Path(p) for p in listed] or [Path("~/.kube/config").expanduser()]
    return [p for p in dict.fromkeys(paths) if p.is_file()]


def merged(paths: list[Path]) -> dict[str, Any]:
    """One kubeconfig of several: whoever says something first wins, as in kubectl."""
    out: dict[str, Any] = {"current-context": "", **{section: {} for section in _SECTIONS}}
    for path in paths:
        config = _read(path)
        out["current-context"] = out["current-context"] or fields.text(config, "current-context")
        for section in _SECTIONS:
            for entry in fields.objects(config, section):
                inner = fields.dig(entry, section[:-1])
                value = _absolute(inner if isinstance(inner, dict) else {}, section, path)
                out[section].setdefault(fields.text(entry, "name"), value)
    return out


def choose(config: dict[str, Any], overrides: Overrides) -> Target | None:
    """The cluster and user of the context, with what flags override.

    None when nothing names a cluster. Raises UsageError when a flag names something that is not
    there, NoCluster when the kubeconfig itself does.
    """
    name = overrides.context or config["current-context"] or None
    context: dict[str, Any] = {}
    if name is not None:
        context = _named(config, "contexts", name, "--context" if overrides.context else None)
    cluster_name = overrides.cluster or fields.some_text(context, "cluster")
    cluster: dict[str, Any] = {}
    if cluster_name is not None:
        flag = "--cluster" if overrides.cluster else None
        cluster = dict(_named(config, "clusters", cluster_name, flag))
    user_name = overrides.user or fields.some_text(context, "user")
    user: dict[str, Any] = {}
    if user_name is not None and overrides.token is None:
        user = dict(_named(config, "users", user_name, "--user" if overrides.user else None))
    _override(cluster, user, overrides)
    server = fields.text(cluster, "server")
    if not server:
        return None
    cluster["server"] = server if "://" in server else f"https://{server}"
    namespace = overrides.namespace or fields.text(context, "namespace") or "default"
    return Target(name, namespace, user_name, cluster, user)


def no_cluster(config: dict[str, Any]) -> NoCluster:
    """The error for a machine that knows no cluster."""
    if config["contexts"]:
        names = ", ".join(sorted(config["contexts"])[:5])
        return NoCluster(
            "no cluster is configured: the kubeconfig has no current context",
            hint=f"choose one with --context; there are: {names}",
        )
    return NoCluster(
        "no cluster is configured: there is no kubeconfig, and this is no pod of a cluster",
        hint=_NO_CLUSTER_HINT,
    )


def _read(path: Path) -> object:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise NoCluster(
            f"the kubeconfig {path} cannot be read: {fields.one_line(reason or '')}"
        ) from exc


def _absolute(value: dict[str, Any], section: str, source: Path) -> dict[str, Any]:
    """An entry whose file names start at its own kubeconfig; empty values are left out."""
    out = {str(k): v for k, v in value.items() if v not in (None, "")}
    for key in _FILES.get(section, ()):
        if isinstance(out.get(key), str):
            out[key] = str(source.absolute().parent / out[key])
    plugin = out.get("exec")
    if isinstance(plugin, dict) and os.sep in fields.text(plugin, "command"):
        command = str(source.absolute().parent / plugin["command"])
        out["exec"] = {**plugin, "command": command}
    return out


def _named(config: dict[str, Any], section: str, name: str, flag: str | None) -> dict[str, Any]:
    entries: dict[str, dict[str, Any]] = config[section]
    if name in entries:
        return entries[name]
    kind = section[:-1]
    if flag is None:
        raise NoCluster(
            f"the kubeconfig has no {kind} {name!r}, which its context asks for",
            hint="kubectl config view shows what is there",
        )
    close = difflib.get_close_matches(name, entries, 3) or sorted(entries)[:5]
    hint = f"there is: {', '.join(close)}" if close else "there is none"
    raise UsageError(f"{flag}: the kubeconfig has no {kind} {name!r}", hint=hint)


def _override(cluster: dict[str, Any], user: dict[str, Any], overrides: Overrides) -> None:
    if overrides.server is not None:
        cluster["server"] = overrides.server
        cluster.pop("tls-server-name", None)
    if overrides.insecure_skip_tls_verify:
        cluster["insecure-skip-tls-verify"] = True
        cluster.pop("certificate-authority", None)
        cluster.pop("certificate-authority-data", None)
    if overrides.token is not None:
        user["token"] = overrides.token
