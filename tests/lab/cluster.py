"""Clusters that tests run against: what a lab and a cluster of one's own have in common."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.lab import commands


class Cluster(Protocol):
    """A Kubernetes cluster and a place from where commands reach it."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes."""

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig that commands are given."""

    def run(
        self,
        *argv: str | Path,
        timeout: float | None = None,
        check: bool = False,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
    ) -> subprocess.CompletedProcess[str]:
        """Run a command where the cluster can be reached, KUBECONFIG set."""

    def kubectl(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002
        """Return what kubectl prints; a failure is a LabError."""

    def kubectl_json(self, *args: str | Path) -> dict[str, Any]:
        """Return what kubectl prints as JSON."""


class Commands:
    """Running commands against a cluster, wherever that is."""

    def _prefix(self) -> list[str]:
        """Return the words that put a command where the cluster can be reached."""
        return []

    def _environment(self) -> dict[str, str]:
        raise NotImplementedError

    def run(
        self,
        *argv: str | Path,
        timeout: float | None = None,
        check: bool = False,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
    ) -> subprocess.CompletedProcess[str]:
        """Run a command where the cluster can be reached, KUBECONFIG set."""
        environment = {**self._environment(), **(env or {})}
        return commands.run(
            *(*self._prefix(), *argv), check=check, stdin=input, timeout=timeout, env=environment
        )

    def popen(
        self, *argv: str | Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a command where the cluster can be reached, its output in pipes."""
        return subprocess.Popen(
            [*self._prefix(), *(str(word) for word in argv)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, **self._environment(), **(env or {})},
            start_new_session=True,
        )

    def kubectl(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002
        """Return what kubectl prints; a failure is a LabError."""
        return self.run("kubectl", *args, check=True, timeout=300, input=input).stdout

    def kubectl_json(self, *args: str | Path) -> dict[str, Any]:
        """Return what kubectl prints as JSON."""
        answer: dict[str, Any] = json.loads(self.kubectl(*args, "-o", "json"))
        return answer


class ExternalCluster(Commands):
    """A cluster that somebody else runs, reached over the host's own network."""

    def __init__(self, kubeconfig: Path) -> None:
        """Name the kubeconfig of the cluster."""
        self._kubeconfig = kubeconfig

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig that commands are given."""
        return self._kubeconfig

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes."""
        items = self.kubectl_json("get", "nodes")["items"]
        return tuple(item["metadata"]["name"] for item in items)

    def _environment(self) -> dict[str, str]:
        return {"KUBECONFIG": str(self._kubeconfig)}
