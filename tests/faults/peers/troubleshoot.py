"""troubleshoot's `support-bundle`: collects what a vendor's spec names, and analyses it.

Run: `support-bundle --interactive=false SPEC` for the cluster, then on every node for its host
collectors, which must run there, and for a pod of that node (replicatedhq/troubleshoot README.md,
docs/support-bundle.md, examples/preflight/host). The specs are ours, because the tool has none of its
own for networks: see troubleshoot_spec.py. Its DNS and goldpinger collectors need images that a
cluster without a way out lacks; a pod that looks up a name stands for the first. Redaction is off, for
addresses are places. Read: `analyzerResults` of the JSON; those of severity `error` and `warn` are
complaints (pkg/convert/supportbundle.go, cmd/troubleshoot/cli/run.go).
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.peers.peer import DEADLINE, Failed, Peer, last_line
from tests.faults.peers.troubleshoot_spec import Json, of_cluster, of_node
from tests.faults.witness import dns_service
from tests.lab import Lab
from tests.lab.errors import LabError
from tests.lab.spec import GATEWAY, RACK

BAD = ("error", "warn")


def ask(lab: Lab, program: Path) -> str:
    """The results of the cluster, then of all nodes at once; who gives none is left out.

    The cluster comes first, so that it does not complain about the pods of the nodes' bundles.
    """
    service = dns_service(lab)
    nodes = {node: of_node(node, targets(lab, node, service), _pod()) for node in lab.nodes}
    told = _bundles(lab, program, {RACK: of_cluster(len(lab.nodes))})
    told |= _bundles(lab, program, nodes)
    results = {where: found for where, found in told.items() if isinstance(found, list)}
    if not results:
        raise Failed("; ".join(f"{where}: {why}" for where, why in told.items()))
    return json.dumps(results)


def read(output: str) -> list[str]:
    """A line for each result that is not well, with the node where it was seen."""
    return [
        f"{where}: {result['insight']['primary']}: {' '.join(result['insight']['detail'].split())}"
        for where, results in json.loads(output).items()
        for result in results
        if result["severity"] in BAD
    ]


def targets(lab: Lab, node: str, service: str) -> dict[str, str]:
    """What every node connects to in every cluster, by its name."""
    others = {f"kubelet of {o}": f"{lab.address(o)}:10250" for o in lab.nodes if o != node}
    return {"API server": f"{GATEWAY}:6443", "cluster DNS": f"{service}:53", **others}


def _pod() -> str:
    """A name that no earlier look has left."""
    return f"dns-lookup-{secrets.token_hex(3)}"


def _bundles(lab: Lab, program: Path, specs: dict[str, Json]) -> dict[str, list[Json] | str]:
    """The results of each place, or why it gives none."""

    def one(where: str) -> list[Json] | str:
        try:
            return _bundle(lab, program, where, specs[where])
        except (Failed, LabError, ValueError, subprocess.TimeoutExpired) as exc:
            return str(exc)

    with ThreadPoolExecutor() as pool:
        return dict(zip(specs, pool.map(one, specs), strict=True))


def _bundle(lab: Lab, program: Path, where: str, spec: Json) -> list[Json]:
    folder = Path(tempfile.mkdtemp(prefix="support-bundle-"))
    try:
        file = folder / "spec.yaml"
        file.write_text(json.dumps(spec))
        quiet = ("--interactive=false", "--redact=false", "--auto-update=false")
        words = (program, *quiet, "--kubeconfig", lab.kubeconfig, "-o", folder / "bundle", file)
        said = lab.on(where, *words, check=False, timeout=DEADLINE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    start = said.find("{")
    if start < 0:
        raise Failed(last_line(said))
    results: list[Json] = json.loads(said[start:])["analyzerResults"] or []
    return results


PEER = Peer("troubleshoot", "support-bundle", ask, read)
