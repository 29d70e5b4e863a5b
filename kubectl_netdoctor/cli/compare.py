"""`diff`: two snapshots judged alike, and what differs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from kubectl_netdoctor.analysis.comparable import refusal
from kubectl_netdoctor.analysis.diagnosis import diagnose
from kubectl_netdoctor.analysis.diff import Diff, diff
from kubectl_netdoctor.cli.saved import load
from kubectl_netdoctor.cli.show import chosen_checks
from kubectl_netdoctor.cli.streams import put
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.redaction.redact import without_all_secrets
from kubectl_netdoctor.report import differences, structured
from kubectl_netdoctor.report.terminal import style_of

HINT = "redact both originals with one map: kubectl netdoctor redact FILE -o OUT --map MAP"


def compare(before: str, after: str, options: Mapping[str, Any]) -> int:
    """Print the differences of two files; 0: none, 1: some, or new ones where only they count."""
    checks = chosen_checks(options["select"], options["ignore"])
    old, new = without_all_secrets(load(before)), without_all_secrets(load(after))
    if why := refusal(old, new):
        raise BadInput(why, hint=HINT)
    found = diff(diagnose(old, checks), diagnose(new, checks))
    put(render(found, options["output"]), utf8=options["output"] != "table")
    worse = bool(found.new) if options["fail_on"] == "new" else found.different
    return int(worse and options["fail_on"] != "never")


def render(found: Diff, output: str) -> str:
    """The differences as text of one format."""
    if output == "json":
        return structured.to_json(differences.document(found))
    if output == "markdown":
        return differences.markdown(found)
    return differences.differences(found, style_of(sys.stdout))
