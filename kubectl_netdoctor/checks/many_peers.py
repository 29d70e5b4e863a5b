"""One finding for many peers of one node: in such numbers they have one cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from kubectl_netdoctor.checks.base import Evidence, Finding, Fix

FEW = 5  # peers with a finding of their own; and those that the one for all of them names


def together(findings: Iterable[Finding], title: str) -> Iterator[Finding]:
    """The findings as they are, or one for all; `title`: its title, with `{}` for their number."""
    found = list(findings)
    if len(found) <= FEW:
        yield from found
        return
    first, named = found[0], found[:FEW]
    more = f"and {len(found) - FEW} more"
    yield dataclasses.replace(
        first,
        title=title.format(len(found)),
        evidence=(*dict.fromkeys(e for f in named for e in f.evidence), Evidence(more)),
        scope=f"{', '.join(f.scope for f in named)} {more}",
        paths=tuple(dict.fromkeys(path for f in found for path in f.paths)),
        fix=_fix([f.fix for f in named], more),
    )


def _fix(fixes: list[Fix], more: str) -> Fix:
    undo = "; ".join(fix.rollback for fix in fixes if fix.rollback)
    commands = (command for fix in fixes for command in fix.commands)
    return dataclasses.replace(
        fixes[0], commands=(*dict.fromkeys(commands), f"# {more}"), rollback=undo or None
    )
