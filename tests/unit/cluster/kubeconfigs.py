"""Kubeconfigs for tests, and what was sent with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from kubectl_netdoctor.cluster.api import Api
from tests.unit.cluster.fake_server import FakeServer

Connect = Callable[..., Api]


CONTEXT = (
    "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n"
    "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'"
)
"""A kubeconfig up to the fields of its one cluster."""


def kubeconfig(path: Path, server: str, *, name: str = "one", **parts: Any) -> str:
    """A kubeconfig of one context, written to a file; its name."""
    config = {
        "current-context": parts.get("current", name),
        "contexts": [
            {
                "name": name,
                "context": {"cluster": name, "user": name, **parts.get("context", {})},
            }
        ],
        "clusters": [{"name": name, "cluster": {"server": server, **parts.get("cluster", {})}}],
        "users": [{"name": name, "user": parts.get("user", {"token": f"token-of-{name}"})}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config))
    return str(path)


def token(server: FakeServer) -> str:
    """The bearer token of the last request."""
    return str(server.requests[-1].headers["Authorization"]).removeprefix("Bearer ")
