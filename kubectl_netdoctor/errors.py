"""Every error that a user meets, with its exit code and a hint.

NetdoctorError
├── UsageError        2   the command line asks for something impossible
├── BadInput          2   a file that cannot be read as what it should be
├── CannotWrite       2   a file that cannot be written whole
├── CouldNotRun       4   nothing could be measured at all
│   ├── NoCluster     4   no kubeconfig, unreachable server, expired credentials
│   └── ApiDenied     4   RBAC or admission said no
└── Interrupted     130   Ctrl-C before anything arrived
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns, the same for every output format."""

    CLEAN = 0
    FINDINGS = 1  # at or above --fail-on
    USAGE = 2
    INCOMPLETE = 3  # some node or decisive check could not be measured
    COULD_NOT_RUN = 4
    INTERRUPTED = 130


class NetdoctorError(Exception):
    """One clear sentence, and what to do about it."""

    exit_code = ExitCode.COULD_NOT_RUN

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(NetdoctorError):
    """The command line asks for something impossible."""

    exit_code = ExitCode.USAGE


class BadInput(NetdoctorError):
    """A file that cannot be read as what it should be."""

    exit_code = ExitCode.USAGE


class CannotWrite(NetdoctorError):
    """A file that cannot be written whole: no permission, no room."""

    exit_code = ExitCode.USAGE


class CouldNotRun(NetdoctorError):
    """Nothing could be measured at all."""


class NoCluster(CouldNotRun):
    """No kubeconfig, an unreachable server, or credentials that it refuses."""


class ApiDenied(CouldNotRun):
    """RBAC or admission said no; the message holds the API's own words."""


class Interrupted(NetdoctorError):
    """Ctrl-C before anything arrived."""

    exit_code = ExitCode.INTERRUPTED
