"""The agent as a process of its own, as the Job runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kubectl_netdoctor.facts.envelope import Envelope, unframe
from kubectl_netdoctor.facts.plan import Plan, pack

CHECKOUT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "kubectl_netdoctor.agent")


def environment(**variables: str) -> dict[str, str]:
    """What the process sees of this one's environment, and these variables."""
    python_path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": python_path, **variables}


def run_agent(
    plan: Plan, *, prefix: Sequence[str] = (), command: Sequence[str] = COMMAND, **variables: str
) -> Envelope:
    """What the agent reports for a plan; its exit status and its streams are as they should be."""
    log = agent_log(plan, prefix=prefix, command=command, **variables)
    assert log.startswith(b"netdoctor/begin schema=")
    return unframe(log)


def agent_log(
    plan: Plan, *, prefix: Sequence[str] = (), command: Sequence[str] = COMMAND, **variables: str
) -> bytes:
    """All that it prints, with nothing on standard error."""
    done = subprocess.run(
        [*prefix, *command],
        env=environment(NETDOCTOR_PLAN=pack(plan), **variables),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    assert done.stdout.endswith(b"\nnetdoctor/end\n")
    return done.stdout
