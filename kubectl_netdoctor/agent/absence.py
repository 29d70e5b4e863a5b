"""Why something could not be read, raised by the reader and written down as Missing by the schedule.

Absence
├── NotPresent   the kernel, the file system or the image does not have it
├── Denied       it is there, and needs rights that this process lacks
├── TooSlow      it did not answer in its time
└── Unreadable   it is there and cannot be understood
"""

from __future__ import annotations

from kubectl_netdoctor.facts.base import Missing, Reason


class Absence(Exception):
    """One sentence why a fact, or a part of it, is not there."""

    reason = Reason.FAILED

    def missing(self) -> Missing:
        """The wire form."""
        return Missing(self.reason, str(self))


class NotPresent(Absence):
    """The kernel, the file system or the image does not have it."""

    reason = Reason.NOT_PRESENT


class Denied(Absence):
    """It is there, and needs rights that this process lacks."""

    reason = Reason.DENIED


class TooSlow(Absence):
    """It did not answer in its time."""

    reason = Reason.TIMED_OUT


class Unreadable(Absence):
    """It is there and cannot be understood."""

    reason = Reason.FAILED


LIBRARIES = frozenset({"dns", "pyroute2", "scapy"})
"""What the agent imports beside the standard library."""
_PACKAGES = {"dns": "dnspython"}


def not_installed(library: str) -> str:
    """The sentence for a library of the agent that is not there."""
    return f"{_PACKAGES.get(library, library)} is not installed: pip install 'kubectl-netdoctor[agent]'"


def of_error(exc: OSError, what: str) -> Absence:
    """The absence that an OSError means; `what` names the thing that was read."""
    if isinstance(exc, FileNotFoundError | NotADirectoryError):
        return NotPresent(f"{what} does not exist")
    if isinstance(exc, PermissionError):
        return Denied(f"needs root: {what}: {exc.strerror}")
    return Unreadable(f"{what}: {exc.strerror or exc}")
