"""Private network namespaces for tests, with unique names, removed again whatever happens."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("ip", "nft", "bridge"))),
    reason="network namespaces need root, ip(8), bridge(8) and nft(8)",
)


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace."""

    name: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What comes before a command that runs inside."""
        return ("ip", "netns", "exec", self.name)

    def sh(self, script: str) -> None:
        """Run shell lines inside, stopping at the first that fails."""
        _run(*self.prefix, "sh", "-ec", script)

    def nft(self, ruleset: str) -> None:
        """Load nftables rules inside."""
        subprocess.run(
            [*self.prefix, "nft", "-f", "-"],
            input=ruleset.encode(),
            check=True,
            capture_output=True,
            timeout=10,
        )


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A new namespace with its loopback up."""
    made = Namespace(f"ndtest-{secrets.token_hex(4)}")
    _run("ip", "netns", "add", made.name)
    try:
        _run("ip", "-n", made.name, "link", "set", "lo", "up")
        yield made
    finally:
        _run("ip", "netns", "del", made.name)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=10)
