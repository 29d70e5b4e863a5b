"""The machine's own commands: run to their end, or left running."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.process import Process

_SHOWN = 4000  # characters of a failed command's output that its error quotes

_SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The shell ends at once, so that the daemon is never a child that this process would have to reap.
_DETACH = '"$@" >>"$LAB_LOG" 2>&1 </dev/null & echo $!'


def run(
    *argv: str | Path,
    check: bool = True,
    stdin: str | None = None,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return it with its output; a failure is a LabError."""
    command = [str(word) for word in argv]
    try:
        done = subprocess.run(
            command,
            input=stdin or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**os.environ, "PATH": search_path(), **(env or {})},
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        message = f"{error.filename}: no such command"
        raise LabError(message) from error
    if check and done.returncode:
        said = (done.stdout + done.stderr).strip()[-_SHOWN:]
        message = f"{' '.join(command)}: exit {done.returncode}\n{said}".rstrip()
        raise LabError(message)
    return done


def search_path() -> str:
    """Return where commands are looked for: PATH, and the system's folders if it lacks them."""
    return f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}"


def spawn(log: Path, *argv: str | Path, env: Mapping[str, str] | None = None) -> Process:
    """
    Leave a command running in a session of its own, its output appended to a log.

    It gets no other environment than this: a proxy's address would lead a daemon out of the lab.
    """
    started = subprocess.run(
        ["sh", "-c", _DETACH, "sh", *(str(word) for word in argv)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": _SYSTEM, "HOME": "/root", **(env or {}), "LAB_LOG": str(log)},
        start_new_session=True,
        check=True,
    )
    return Process.of(int(started.stdout))
