"""One plan in, one framed envelope out."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from kubectl_netdoctor import __version__
from kubectl_netdoctor.agent import signals
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.kept import Kept
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.agent.schedule import collect
from kubectl_netdoctor.agent.summary import termination_message
from kubectl_netdoctor.agent.usage import usage
from kubectl_netdoctor.facts import captures
from kubectl_netdoctor.facts.base import SCHEMA_VERSION
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.envelope import Envelope, frame
from kubectl_netdoctor.facts.plan import unpack

PLAN = "NETDOCTOR_PLAN"
HOST_ROOT = "NETDOCTOR_HOST_ROOT"
TERMINATION_LOG = "NETDOCTOR_TERMINATION_LOG"
_TERMINATION_LOG = "/dev/termination-log"
_MOST_SOCKETS = 16_384
_USAGE = (
    f"usage: python -m kubectl_netdoctor.agent [--plan-file PATH | -]; else {PLAN} holds the plan"
)


def main() -> NoReturn:
    """Run the plan and end the process: status 0 when a report was printed, 2 for a bad plan."""
    started = time.time()
    begun = time.monotonic()
    try:
        plan = unpack(_plan_text(sys.argv[1:]))
    except (DecodeError, OSError, UnicodeDecodeError, ValueError) as exc:
        sys.stderr.write(f"netdoctor agent: cannot read the plan: {exc}\n")
        sys.stderr.flush()
        os._exit(2)
    _end_by(begun + plan.deadline_seconds)
    _allow_sockets()
    run = Run(plan, Host(Path(os.environ.get(HOST_ROOT) or "/")), begun, kept=Kept.by(plan))
    facts, seconds = collect(run)
    run.note(usage())
    envelope = Envelope(
        schema=SCHEMA_VERSION,
        run=plan.run,
        node=plan.node,
        agent_version=__version__,
        started=_rfc3339(started),
        ended=_rfc3339(time.time()),
        facts=facts,
        seconds=seconds,
        log=tuple(run.log),
    )
    _write_summary(envelope)
    packets = captures.frame(run.kept.captures(plan)) if run.kept else ""
    _end(packets + frame(envelope))


def _plan_text(args: list[str]) -> str:
    """The packed plan from where the command line says. Raises ValueError and OSError."""
    match args:
        case []:
            text = os.environ.get(PLAN, "")
            if not text:
                raise ValueError(f"{PLAN} is empty; {_USAGE}")
        case ["-"]:
            text = sys.stdin.read()
        case ["--plan-file", path]:
            text = Path(path).read_text(encoding="ascii")
        case _:
            raise ValueError(_USAGE)
    return text.strip()


def _rfc3339(seconds: float) -> str:
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        + f".{int(seconds % 1 * 1000):03d}Z"
    )


def _write_summary(envelope: Envelope) -> None:
    """Write the termination message, before the log: the kubelet pushes it by another way."""
    named = os.environ.get(TERMINATION_LOG)
    path = Path(named or _TERMINATION_LOG)
    if not named and not path.exists():
        return  # not in a container
    try:
        path.write_text(termination_message(envelope), encoding="ascii")
    except OSError as exc:
        sys.stderr.write(f"netdoctor agent: {path}: {exc.strerror}\n")


def _allow_sockets() -> None:
    """Raise this process's own limit of open files: silent targets hold a socket each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_SOCKETS if hard == resource.RLIM_INFINITY else min(_MOST_SOCKETS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_by(deadline: float) -> None:
    """End the process at the deadline whatever hangs then, for instance a full pipe."""

    def watch() -> None:
        time.sleep(max(0.0, deadline - time.monotonic()))
        signals.kill_children()
        os._exit(1)

    threading.Thread(target=watch, name="deadline", daemon=True).start()


def _end(report: str) -> NoReturn:
    """Print the report and end, without waiting for threads that hang."""
    status = 0
    try:
        sys.stdout.write(report)
        sys.stdout.flush()
    except OSError:
        status = 1  # whoever wanted it has gone
    signals.kill_children()
    os._exit(status)
