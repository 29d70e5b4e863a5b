#!/usr/bin/env python3
"""Write what is generated: docs/checks/, and the example and the table of checks in README.md.

python docs/generate.py          write
python docs/generate.py --check  fail when what is committed differs
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from kubectl_netdoctor.analysis.diagnosis import diagnose
from kubectl_netdoctor.checks.base import SECTIONS, Check
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.pages import needs
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.redaction.redact import without_all_secrets
from kubectl_netdoctor.report.short import short as render_short
from kubectl_netdoctor.report.table import table as render_table
from kubectl_netdoctor.report.terminal import PLAIN

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = (
    ROOT / "docs" / "example.json.gz"
)  # recorded by `python -m tests.e2e.record vxlan_port_blocked`


def page(check: Check) -> str:
    """One check's page."""
    facts = ", ".join(f"`{n}`" for n in needs(check))
    lines = [
        f"# {check.id} {check.title}",
        "",
        f"`{check.slug}`, severity {check.severity.value}, since {check.since}. Needs {facts}.",
    ]
    if check.explains:
        lines.append(f"On the same nodes it explains {', '.join(check.explains)}.")
    for heading in SECTIONS:
        text = check.page[heading]
        lines += ["", f"## {heading}", "", text[0].upper() + text[1:]]
    return "\n".join(lines) + "\n"


def table() -> str:
    """The table of all checks for the README."""
    rows = [
        f"| [{c.id}](docs/checks/{c.id}.md) | {c.severity.value} | {c.title.removesuffix('.')} |"
        for c in catalogue().values()
    ]
    return "\n".join(["| id | severity | fault |", "|---|---|---|", *rows])


def example() -> str:
    """The recorded scan, judged and rendered by the code as it is now."""
    diagnosis = diagnose(without_all_secrets(load(str(EXAMPLE))), catalogue())
    text = render_table(diagnosis, replace(PLAIN, width=100))
    return f"```console\n$ kubectl netdoctor scan --all-nodes\n{text}```"


def ticket() -> str:
    """The same scan as a ticket gets it."""
    text = render_short(diagnose(without_all_secrets(load(str(EXAMPLE))), catalogue()), exit_code=1)
    return f"```console\n$ kubectl netdoctor analyze before.json.gz -o short\n{text}```"


def readme(text: str) -> str:
    """README.md with its generated parts renewed."""
    for name, part in (("scan", example()), ("ticket", ticket()), ("checks", table())):
        begin, end = f"<!-- {name}: generated -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{part}\n\n{end}{after}"
    return text


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    out = {ROOT / "docs" / "checks" / f"{c.id}.md": page(c) for c in catalogue().values()}
    out[ROOT / "README.md"] = readme((ROOT / "README.md").read_text(encoding="utf-8"))
    return out


def stale() -> list[str]:
    """Files that differ from what would be generated, or that nothing generates any more."""
    wanted = generated()
    strays = set((ROOT / "docs" / "checks").glob("*.md")) - wanted.keys()
    differ = [p for p, t in wanted.items() if not p.exists() or p.read_text(encoding="utf-8") != t]
    return sorted(str(p.relative_to(ROOT)) for p in (*strays, *differ))


def main() -> int:
    """Write or check."""
    if "--check" in sys.argv[1:]:
        found = stale()
        print("\n".join(f"{name} is stale: python docs/generate.py" for name in found))
        return bool(found)
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
