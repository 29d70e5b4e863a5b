"""popeye: a linter of the API's objects.

Run: `popeye -A -o json` with the kubeconfig of the environment, as the section "The Command Line" of
its README says; forced to end with 0, because findings are no failure (derailed/popeye README.md,
cmd/root.go). Read: sections, their issues by object, each with a level from 0 (well) to 3 (error)
and a message (internal/report/report.go, internal/issues/issue.go, docs/codes.md). Levels 2 and 3
are complaints; 1 is information. Written from these sources: the module proxy does not have it.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.faults.peers.peer import DEADLINE, Failed, Peer, last_line
from tests.lab import Lab

WARNING = 2


def ask(lab: Lab, program: Path) -> str:
    """Its report as JSON."""
    words = (program, "-A", "-o", "json", "--force-exit-zero", "--logs", "none")
    done = lab.run(*words, timeout=DEADLINE, env={"TERM": "xterm-256color"})
    if not done.stdout.lstrip().startswith("{"):
        raise Failed(last_line(done.stdout + done.stderr))
    return done.stdout


def read(output: str) -> list[str]:
    """Warnings and errors: the linter, the object, the message."""
    return [
        f"{section['linter']} {name}: {issue['message']}"
        for section in json.loads(output)["popeye"].get("sections") or ()
        for name, issues in (section.get("issues") or {}).items()
        for issue in issues
        if issue["level"] >= WARNING
    ]


PEER = Peer("popeye", "popeye", ask, read)
