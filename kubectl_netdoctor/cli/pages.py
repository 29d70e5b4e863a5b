"""What the catalogue says of its checks: one page, or the list."""

from __future__ import annotations

import difflib
import json
import textwrap

from kubectl_netdoctor.checks.base import SECTIONS, Check
from kubectl_netdoctor.checks.catalogue import RETIRED, catalogue
from kubectl_netdoctor.cli.show import chosen_checks
from kubectl_netdoctor.errors import UsageError


def page(check_id: str) -> str:
    """The page of one check. Raises UsageError for an ID that never was."""
    check = catalogue().get(check_id)
    if check is None and check_id in RETIRED:
        return f"{check_id} is no longer checked: {RETIRED[check_id]}\n"
    if check is None:
        near = difflib.get_close_matches(check_id, catalogue(), 3, 0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "kubectl netdoctor checks lists them"
        raise UsageError(f"there is no check {check_id!r}", hint=hint)
    lines = [f"{check.id}  {check.title}", ""]
    lines.append(f"slug {check.slug}, severity {check.severity}, since {check.since}")
    lines.append(f"needs {', '.join(needs(check))}")
    if check.explains:
        lines.append(f"explains {', '.join(check.explains)}")
    for heading in SECTIONS:
        lines += ["", heading, textwrap.fill(check.page[heading], 90, initial_indent="  ",
                                             subsequent_indent="  ", break_on_hyphens=False)]  # fmt: skip
    return "\n".join(lines) + "\n"


def needs(check: Check) -> list[str]:
    """Facts that a check reads; those in brackets are optional."""
    from kubectl_netdoctor.analysis.engine import name_of

    return [
        f"[{name_of(need)}]" if need.optional else name_of(need) for need in check.needs.values()
    ]


def listing(wanted: tuple[str, ...], ignored: tuple[str, ...], output: str) -> str:
    """All chosen checks, one per line, or as JSON."""
    checks = chosen_checks(wanted, ignored).values()
    if output == "json":
        rows = [
            {"id": c.id, "slug": c.slug, "severity": c.severity.value, "since": c.since,
             "title": c.title, "needs": needs(c), "explains": list(c.explains)}
            for c in checks
        ]  # fmt: skip
        return json.dumps(rows, indent=2) + "\n"
    return "".join(f"{c.id:8} {c.severity.value:9} {c.title}\n" for c in checks)
