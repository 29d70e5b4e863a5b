"""TGT-01: see the check's docstring."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from kubectl_netdoctor.checks.base import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    PerNode,
    Severity,
    check,
    node,
)
from kubectl_netdoctor.facts.target import TargetProbe, TargetProbes

ENOUGH = 3  # probes; fewer prove nothing
_WORDS = {"node": "nodes", "pod": "pods"}


@check("TGT-01", Severity.HIGH, since="0.1")
def target_unreachable(probes: PerNode[TargetProbes]) -> Iterator[Finding]:
    """A place that was named with --target is not reached.

    Meaning: its name has no address, or it answered none of the probes, from nodes, from pods, or
      from both.
    Impact: whatever on these nodes needs that place fails the same way.
    Diagnosis: from pods only: masquerading, an egress policy, the pods' way out (their findings stand
      above this one). From both: the way from the nodes, or the place itself. Refused (RST) means
      that the place was reached and nothing listens; silence is a drop, on the way or there.
      Answers are reported too, as advice, with their round trips: what was asked for gets an answer.
    Mitigation: that of the finding above; else follow the path from the node.
    Source: RFC 1122 and RFC 1812 for the ICMP errors.
    """
    cells: dict[tuple[str, int | None], list[tuple[str, TargetProbe]]] = {}
    for name, fact in probes.items():
        for probe in fact.items:
            cells.setdefault((probe.host, probe.port), []).append((name, probe))
    for (host, port), seen in cells.items():
        target = host if port is None else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        bad = [(n, p) for n, p in seen if _failed(p)]
        yield _unreached(target, seen, bad) if bad else _reached(target, seen)


def _failed(probe: TargetProbe) -> bool:
    return probe.lookup is not None or (probe.received == 0 and probe.sent >= ENOUGH)


def _unreached(
    target: str, seen: list[tuple[str, TargetProbe]], bad: list[tuple[str, TargetProbe]]
) -> Finding:
    places = {p.vantage for _, p in bad}
    whole = {p.vantage for _, p in seen} - places
    from_ = " and ".join(_WORDS[v] for v in sorted(places))
    only = "".join(f", from {_WORDS[v]} it is" for v in sorted(whole))
    names = sorted({n for n, _ in bad})
    unresolved = all(p.lookup is not None for _, p in bad)
    what = "has no address" if unresolved else "is not reached"
    good = [(n, p) for n, p in seen if not _failed(p)]
    return Finding(
        title=f"{target} {what} from {from_}{only}",
        confidence=Confidence.CERTAIN,
        evidence=(
            *(Evidence(_text(p), n) for n, p in bad[:6]),
            *(Evidence(f"for comparison, {_text(p)}", n) for n, p in good[:2]),
        ),
        subjects=tuple(node(n) for n in names),
        scope=f"{target}, from {from_} of {', '.join(names)}",
        fix=Fix(
            "Mend what stands above this row first. If nothing does: look up the name and follow the "
            "path from one of these nodes.",
            tuple(
                f"{tool} {bad[0][1].host}"
                for tool in ("getent ahosts", "ip route get", "tracepath -n")
            ),
        ),
    )


def _reached(target: str, seen: list[tuple[str, TargetProbe]]) -> Finding:
    return Finding(
        title=f"{target} answers",
        severity=Severity.INFO,
        evidence=tuple(Evidence(_text(p), n) for n, p in seen[:12]),
        subjects=tuple(node(n) for n in sorted({n for n, _ in seen})),
        fix=Fix("Nothing to do: this is what was asked for."),
    )


def _text(probe: TargetProbe) -> str:
    """One vantage's numbers in a line."""
    found = "" if probe.server is None else f" by {probe.server}"
    if probe.lookup is not None:
        return f"from the {probe.vantage}: the name was not resolved{found}: {probe.lookup}"
    looked = "" if probe.lookup_ms is None else f" ({probe.lookup_ms:.1f} ms{found})"
    errors = ", ".join(f"{n} {e}" for e, n in sorted(probe.errors.items()))
    rtt = f", median {statistics.median(probe.rtt_ms):.1f} ms" if probe.rtt_ms else ""
    count = f"{probe.received}/{probe.sent} answered"
    tail = f" ({errors})" if errors else ""
    return f"from the {probe.vantage}: {probe.address}{looked}: {count}{rtt}{tail}"
