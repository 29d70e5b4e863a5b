"""Peers beside our own scan: each looks at the healthy lab once, then into every fault."""

from __future__ import annotations

import dataclasses
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from kubectl_netdoctor.cluster.manifest import MANAGED_BY
from tests.faults.peers.peer import DEADLINE, Failed, Peer
from tests.faults.peers.seen import Seen, judge
from tests.faults.scenario import Scenario
from tests.lab import Lab
from tests.lab.errors import LabError

Say = Callable[[str], None]
WITNESSED = 5  # attempts


class Watch:
    """The peers that can be run on this lab; those that cannot say why, and are never judged."""

    def __init__(self, lab: Lab, peers: Sequence[Peer], built: Path, say: Say) -> None:
        """Look at the lab, which must be healthy, with every peer that has a program."""
        self._lab = lab
        self._absent: list[Seen] = []
        self._peers: list[tuple[Peer, Path, list[str]]] = []
        for peer in peers:
            program = peer.find(built)
            why = peer.lacks(program) if program else f"no {peer.program} on PATH"
            if program and not why:
                try:
                    healthy = look(peer, lab, program)
                except Failed as exc:
                    why = f"fails on a healthy lab: {exc}"
                else:
                    self._peers.append((peer, program, healthy))
                    say(f"{peer.name}: {len(healthy)} complaints about the healthy lab")
            if why:
                self._absent.append(Seen(peer.name, not_run=why))
                say(f"{peer.name}: not run: {why}")

    def look(self, scenario: Scenario) -> tuple[Seen, ...]:
        """What each peer sees now, while the scenario's fault is in force."""
        _without_ours(self._lab)
        nodes = {node for cause in scenario.causes for node in cause.nodes}
        names = {node: named(self._lab, node) for node in nodes}
        looks = (self._one(ready, scenario, names) for ready in self._peers)
        return (*looks, *self._absent)

    def _one(
        self, ready: tuple[Peer, Path, list[str]], scenario: Scenario, names: dict[str, list[str]]
    ) -> Seen:
        peer, program, healthy = ready
        if over := _over(self._lab, scenario):
            return Seen(peer.name, not_run=f"the fault was over: {over}")
        start = time.monotonic()
        complaints, failed = list[str](), ""
        try:
            complaints = look(peer, self._lab, program)
        except Failed as exc:
            failed = str(exc)
        seen = judge(peer.name, scenario, complaints, healthy, names, time.monotonic() - start)
        return dataclasses.replace(seen, failed=failed)


def _without_ours(lab: Lab) -> None:
    """Wait until our scan's pods are gone: nobody shall complain about those that end."""
    ours = ("-A", "-l", f"{MANAGED_BY}=netdoctor")
    with suppress(subprocess.TimeoutExpired):
        lab.run("kubectl", "wait", "--for=delete", "pod", *ours, "--timeout=60s", timeout=70)


def _over(lab: Lab, scenario: Scenario) -> str:
    """What the witness misses now; a fault that comes and goes may be seen on the next attempt."""
    missing = ""
    for _ in range(WITNESSED):
        try:
            missing = scenario.witness(lab)
        except LabError as exc:
            missing = str(exc)
        if not missing:
            break
    return missing


def look(peer: Peer, lab: Lab, program: Path) -> list[str]:
    """The complaints of one look; whatever goes wrong with the tool is Failed."""
    try:
        return peer.read(peer.ask(lab, program))
    except subprocess.TimeoutExpired as exc:
        raise Failed(f"no result within {DEADLINE:g} s") from exc
    except (LabError, ValueError, LookupError) as exc:
        raise Failed(f"{type(exc).__name__}: {exc}"[:300]) from exc


def named(lab: Lab, node: str) -> list[str]:
    """Words that mean a node in another tool's output: its address, its pods and theirs."""
    words = [lab.address(node)]
    try:
        pods = lab.kubectl_json("get", "pods", "-A", "--field-selector", f"spec.nodeName={node}")
    except LabError:  # the fault may be the API server's
        return words
    for pod in pods["items"]:
        words += [pod["metadata"]["name"], pod["status"].get("podIP", "")]
    return [word for word in words if word]
