"""The end of every process that lives somewhere."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.lab.process import inhabitants, wait_for


def kill_all(netns: Sequence[Path], cgroup: str, seconds: float = 20) -> None:
    """Kill the inhabitants of network namespaces and a cgroup until there are none."""

    def nobody() -> bool:
        living = inhabitants(netns, cgroup)
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not living

    wait_for(f"the processes of {cgroup} to end", nobody, seconds, every=0.03)
