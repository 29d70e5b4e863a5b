"""The page: header for tickets, verdict, findings, paths, DNS, nodes, coverage."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.fleet import fleet
from kubectl_netdoctor.report.accepted import accepted
from kubectl_netdoctor.report.header import header
from kubectl_netdoctor.report.html import nodes as node_parts
from kubectl_netdoctor.report.html.coverage import coverage
from kubectl_netdoctor.report.html.crowd import crowd
from kubectl_netdoctor.report.html.dns import dns
from kubectl_netdoctor.report.html.findings import MARKS, advice, findings
from kubectl_netdoctor.report.html.heat import maps
from kubectl_netdoctor.report.html.markup import UNKNOWN, Markup, join, tag
from kubectl_netdoctor.report.html.pairs import pairs, shown
from kubectl_netdoctor.report.paths import by_trouble, paths
from kubectl_netdoctor.report.resolvers import resolvers

MOST = 60  # nodes of a map
LONG = {"command": "long", "server": "long", "image digest": "long"}


def page(diagnosis: Diagnosis, *, exit_code: int) -> str:
    """The whole report as one file."""
    style, script = (_asset(name) for name in ("style.css", "script.js"))
    policy = (
        "default-src 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    run = diagnosis.snapshot.run
    sections = _sections(diagnosis)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"netdoctor {run.id}: {diagnosis.verdict.text}"),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the findings", href="#findings", class_="skip"),
        _top(diagnosis, exit_code),
        tag("nav", [tag("a", title, href=f"#{key}") for key, title, _ in sections], aria_label="Parts"),
        tag(
            "main",
            [
                tag("section", tag("h2", title, id=f"{key}-title"), content, id=key,
                    aria_labelledby=f"{key}-title")
                for key, title, content in sections
            ],
        ),
        tag("p", "", id="said", role="status", class_="said"),
        tag("script", Markup(script)),
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en').text}\n"


def _sections(diagnosis: Diagnosis) -> list[tuple[str, str, Markup]]:
    """Parts with anything in them: anchor, title, content."""
    snapshot = diagnosis.snapshot
    silent = node_parts.unanswered(snapshot.nodes)
    found = [("findings", "Findings", findings(diagnosis))]
    if silent:
        found.append(("unanswered", "Nodes without a whole answer", silent))
    if diagnosis.advice:
        found.append(("advice", "Advice (no fault)", advice(diagnosis)))
    if diagnosis.suppressed:
        items = [tag("li", line) for line in accepted(diagnosis)]
        found.append(("accepted", "Accepted", tag("ul", items, class_="evidence")))
    if (between := _paths(diagnosis)) is not None:
        found.append(("paths", "Paths between nodes", between))
    if asked := resolvers(snapshot):
        found.append(("dns", "DNS latency", dns(asked)))
    names = [n.name for n in snapshot.nodes]
    if known := fleet(snapshot).traits:
        found.append(("nodes", "Nodes", node_parts.properties(names, known)))
    found.append(("coverage", "Coverage", coverage(diagnosis.coverage)))
    return found


def _paths(diagnosis: Diagnosis) -> Markup | None:
    snapshot = diagnosis.snapshot
    found = paths(snapshot)
    if not found:
        return None
    asked = (n.name for n in snapshot.nodes)
    names = list(dict.fromkeys((*asked, *(name for key in found for name in key[:2]))))
    detailed = shown(found)
    linked = {(p.sender, p.receiver, p.layer) for p in detailed}
    large = len(names) > MOST
    drawn = crowd(names, found, by_trouble(found)) if large else maps(names, found, linked)
    return join(
        tag(
            "p",
            "Echo requests between nodes on the underlay, and through the overlay's tunnels. "
            + (
                "The number is the share in percent that was lost; a dashed tile was not measured."
                if large
                else "A number opens what was measured between that pair; "
                f"{UNKNOWN} was not measured."
            ),
            class_="soft",
        ),
        drawn,
        tag("h3", "Pairs" if len(detailed) == len(found) else f"The {len(detailed)} worst pairs"),
        pairs(names, detailed, snapshot),
    )


def _top(diagnosis: Diagnosis, exit_code: int) -> Markup:
    worst = diagnosis.verdict.worst
    level = worst.value if worst else "clean" if diagnosis.verdict.complete else "open"
    mark = MARKS[level] if worst else "✓" if diagnosis.verdict.complete else "?"
    word = {"clean": "nothing found", "open": "incomplete"}.get(level, level)
    fields = header(diagnosis, exit_code)
    return tag(
        "header",
        tag("p", "netdoctor report", class_="brand"),
        tag(
            "h1",
            tag(
                "span",
                tag("span", mark, aria_hidden="true"),
                " ",
                word,
                class_=f"badge sev-{level}",
            ),
            " ",
            diagnosis.verdict.text,
        ),
        tag(
            "dl",
            [
                tag("div", tag("dt", label), tag("dd", value), class_=LONG.get(label))
                for label, value in fields.items()
            ],
            class_="ticket",
        ),
    )


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
