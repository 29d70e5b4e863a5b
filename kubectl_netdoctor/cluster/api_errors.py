"""What the API or the way to it says when a request fails: the one border for foreign errors.

CouldNotRun
└── ApiError          the API server answered with an error status
    └── Unreachable   no answer: status 0
"""

from __future__ import annotations

import json
from typing import Any

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.errors import ApiDenied, CouldNotRun, NetdoctorError, NoCluster

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, BUSY = 401, 403, 404, 409, 410, 429


class ApiError(CouldNotRun):
    """One request that failed: HTTP status, the API's reason word, and its own sentence."""

    def __init__(
        self, status: int, reason: str, message: str, *, resume: str | None = None
    ) -> None:
        super().__init__(f"the API says: {message}")
        self.status = status
        self.reason = reason
        self.said = message
        self.resume = resume  # 410: the token to go on with

    @classmethod
    def of_body(cls, status: int, phrase: str, body: bytes) -> ApiError:
        """Read the Status object of a response; other bodies are quoted shortly."""
        said: Any = None
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            message = fields.one_line(body.decode(errors="replace"), 200)
        else:
            message = fields.one_line(fields.text(said, "message"), 2000)
        return cls(
            status,
            fields.text(said, "reason") or phrase,
            message or f"{status} {phrase}",
            resume=fields.some_text(said, "metadata", "continue"),
        )


class Unreachable(ApiError):
    """No answer came.

    `certificate`: TLS said no; `timed_out`: silence; `connected`: the line broke after it stood.
    """

    def __init__(
        self,
        message: str,
        *,
        certificate: bool = False,
        timed_out: bool = False,
        connected: bool = False,
    ) -> None:
        super().__init__(0, "Unreachable", message)
        self.message = message
        self.certificate = certificate
        self.timed_out = timed_out
        self.connected = connected


def for_people(error: ApiError, server: str, user: str | None) -> NetdoctorError:
    """The error that a user meets when the very first request fails."""
    who = f"user {user!r}" if user else "this user"
    if isinstance(error, Unreachable):
        if error.certificate:
            hint = "check certificate-authority of the kubeconfig; --insecure-skip-tls-verify trusts anything"
        else:
            hint = "check VPN, proxy and --context; `scan --local` needs no cluster"
        return NoCluster(f"the API server {server} cannot be used: {error.message}", hint=hint)
    if error.status == UNAUTHORIZED:
        return NoCluster(
            f"the API server {server} refuses the credentials of {who}: {error.said}",
            hint="they may have expired: log in again, or choose another --context or --user",
        )
    if error.status == FORBIDDEN:
        return ApiDenied(f"the API server {server} refuses {who}: {error.said}")
    return NoCluster(
        f"what answers at {server} is no Kubernetes API: {error.status}, {error.said}",
        hint="check the server address of the kubeconfig, and proxies on the way",
    )
