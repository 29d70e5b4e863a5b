"""From an ended Pod to its node's report: log first, termination message where the log fails.

What comes from a node is data from outside: it is decoded strictly, or it is not used.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.agent_spec import CONTAINER
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import BUSY, FORBIDDEN, ApiError, Unreachable
from kubectl_netdoctor.cluster.order import LogReader
from kubectl_netdoctor.cluster.pod_status import PodStatus
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.envelope import Envelope, unframe, unsummarize
from kubectl_netdoctor.facts.snapshot import NodeReport, NodeStatus

LOG_SECONDS = 10.0
SECOND_SECONDS = 5.0  # after silence: a busy node answers the second time, a blocked port does not
RETRY_PAUSES = (0.2, 0.5, 1.0)  # a kubelet may serve a log before its last lines are written


@dataclass(frozen=True, slots=True)
class Ended:
    """A Pod whose container has ended."""

    run: str
    node: str
    namespace: str
    pod: str
    status: PodStatus


def read_answer(
    api: Api,
    ended: Ended,
    stop: threading.Event,
    seconds: float = LOG_SECONDS,
    heard: LogReader | None = None,
) -> NodeReport:
    """Report of the node; `heard` gets a whole log.

    A damaged log is read again, a few times; a silent kubelet is asked once more: it may be busy.
    Raises Unreachable when the API server itself is away: the log is still there later.
    """
    start = time.monotonic()
    silence = ""
    for pause in (*RETRY_PAUSES, None):
        try:
            patience = min(seconds, SECOND_SECONDS) if silence else seconds
            log = api.log(ended.namespace, ended.pod, seconds=patience, container=CONTAINER)
            envelope = unframe(log)
        except DecodeError as exc:
            why = _damaged(log, exc)
            if _says_nothing(log) and ended.status.exit_code != 0:
                break
        except ApiError as exc:
            if isinstance(exc, Unreachable) and not exc.connected:
                raise
            why = f"{silence}; asked again: {exc.said}" if silence else unreadable(exc)
            if isinstance(exc, Unreachable) and exc.timed_out:
                if silence or stop.is_set():
                    break
                silence = why
                continue
        else:
            report = of_envelope(ended, envelope, NodeStatus.ANSWERED, None)
            if heard is not None and report.envelope is not None:
                heard(ended.node, log)
            return report
        if pause is None or time.monotonic() - start > seconds or stop.wait(pause):
            break
    return from_message(ended, why)


def from_message(ended: Ended, why: str) -> NodeReport:
    """The report that the termination message holds, where it holds one."""
    try:
        envelope = unsummarize(ended.status.message)
    except DecodeError:
        reason = why if ended.status.reason is None else f"{ended.status.reason}; {why}"
        return NodeReport(ended.node, NodeStatus.FAILED, reason, None)
    return of_envelope(ended, envelope, NodeStatus.SUMMARY, why)


def of_envelope(
    ended: Ended, envelope: Envelope, status: NodeStatus, reason: str | None
) -> NodeReport:
    """The report of a decoded envelope, if it is the one that was asked for."""
    for name, got, asked in (
        ("run", envelope.run, ended.run),
        ("node", envelope.node, ended.node),
    ):
        if got != asked:
            said = fields.one_line(got, 80)
            why = f"the report says that it is of {name} {said!r}, it was asked of {asked!r}"
            return NodeReport(ended.node, NodeStatus.FAILED, why, None)
    return NodeReport(ended.node, status, reason, envelope)


def unreadable(error: ApiError) -> str:
    """Why a log could not be read, with the API's words."""
    if error.status == FORBIDDEN:
        return f"this user may not read the log: {error.said}"
    if error.status == BUSY:
        return f"the API server is too busy to read the log: {error.said}"
    return f"the API server could not read the log from the kubelet, port 10250: {error.said}"


def _says_nothing(log: bytes) -> bool:
    return b"netdoctor/begin" not in log


def _damaged(log: bytes, error: DecodeError) -> str:
    why = fields.one_line(str(error))
    if not _says_nothing(log) or not log.strip():
        return f"{why} ({len(log)} bytes of log)"
    last = fields.one_line(log.strip().splitlines()[-1].decode(errors="replace"), 200)
    return f"{why}; its last line: {last}"
