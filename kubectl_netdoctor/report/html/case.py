"""The case of a finding: its evidence in sight, why it ranks where it does folded beneath."""

from __future__ import annotations

from collections.abc import Sequence

from kubectl_netdoctor.analysis.case import Case
from kubectl_netdoctor.checks.base import Evidence
from kubectl_netdoctor.report.html.markup import Markup, join, tag

NOTHING = (Evidence("nothing that was looked at"),)
"""An empty list would look as if something were missing."""


def evidence(seen: Sequence[Evidence], heading: str = "h4") -> Markup | None:
    """What the finding rests on."""
    if not seen:
        return None
    return join(tag(heading, "Evidence", class_="small"), _listed(seen))


def why_here(case: Case, heading: str = "h4") -> Markup:
    """The sentences of its rank, then what else speaks for it, and what against it."""
    further = case.pro[len(case.ranked.finding.evidence) :]  # the rest stands in sight already
    sides = (("For it, beside the evidence", further), ("Against it", case.contra))
    return tag(
        "details",
        tag("summary", "Why here, for and against"),
        tag("ul", [tag("li", sentence) for sentence in case.why], class_="evidence"),
        tag(
            "div",
            [
                tag("div", tag(heading, title, class_="small"), _listed(found or NOTHING))
                for title, found in sides
            ],
            class_="sides",
        ),
        class_="why",
    )


def _listed(seen: Sequence[Evidence]) -> Markup:
    return tag(
        "ul",
        [tag("li", tag("b", e.node, class_="node") if e.node else None, " ", e.text) for e in seen],
        class_="evidence",
    )
