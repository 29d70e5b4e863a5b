"""The header for tickets: which image really ran, and what was taken out, in every format."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pytest
from junitparser import JUnitXml

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.saved import read, to_bytes
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.redaction.redact import Redaction, redact, without_all_secrets
from kubectl_netdoctor.report.header import header
from tests.unit.recorded import healthy, judged
from tests.unit.report.test_schema import validator

ONE, OTHER = ("sha256:" + digit * 64 for digit in "1f")


def ran(*digests: str | None) -> Snapshot:
    """The healthy lab, whose nodes ran these images."""
    nodes = (
        dataclasses.replace(node, image_digest=digest)
        for node, digest in zip(healthy().nodes, digests, strict=True)
    )
    return dataclasses.replace(without_all_secrets(healthy()), nodes=tuple(nodes))


def text(diagnosis: Diagnosis, output: str) -> str:
    """One format, as into a pipe, without its line breaks."""
    return " ".join(render(diagnosis, output, 0, io.StringIO()).split())


def fields(snapshot: Snapshot) -> dict[str, str]:
    """The header."""
    return header(judged(snapshot), 0)


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        ((ONE, ONE, ONE), ONE),
        ((ONE, OTHER, ONE), f"{ONE} on n1 n3, {OTHER} on n2"),
        ((ONE, ONE, None), f"{ONE} on n1 n2, unknown on n3"),
        ((None, None, None), "unknown"),
    ],
)
def test_the_digest_is_what_the_kubelets_said(digests: tuple[str | None, ...], said: str) -> None:
    """One for all, or each with its nodes; never one that stands for a node that did not say it."""
    assert fields(ran(*digests))["image digest"] == said


def test_no_more_nodes_are_named_than_a_line_has_room_for() -> None:
    """The JSON report has them all."""
    many = tuple(
        dataclasses.replace(healthy().nodes[0], name=f"w{number:03}", image_digest=digest)
        for digest in (ONE, OTHER)
        for number in range(100)
    )
    said = fields(dataclasses.replace(healthy(), nodes=many))["image digest"]
    assert said.count("w007 and 92 more") == 2
    assert len(said) < 300


def test_this_machine_has_no_image() -> None:
    """`scan --local` pulls none: nothing to be unknown."""
    run = dataclasses.replace(healthy().run, image=None, local=True)
    assert "image digest" not in fields(dataclasses.replace(ran(None, None, None), run=run))


@pytest.mark.parametrize("output", FORMATS)
def test_every_format_has_it(output: str) -> None:
    """Both digests, and that secrets are out."""
    said = text(judged(ran(ONE, OTHER, ONE)), output)
    assert ONE in said
    assert OTHER in said
    assert "redaction" in said
    assert "secrets" in said


@pytest.mark.parametrize("output", FORMATS)
def test_unknown_is_said_where_all_fields_are_listed(output: str) -> None:
    """A short line holds what is known; a list never leaves a field out."""
    said = text(judged(ran(None, None, None)), output)
    whole = ("wide", "markdown", "html", "junit", "sarif")
    assert ("image digest" in said) == (output in whole)


@pytest.mark.parametrize("output", ["json", "jsonl"])
def test_programs_get_digests_and_level(output: str) -> None:
    """As the schema says; an older snapshot has no digests."""
    for snapshot, digests, level in (
        (ran(ONE, OTHER, ONE), [(ONE, ["n1", "n3"]), (OTHER, ["n2"])], "secrets"),
        (healthy(), [], "none"),
    ):
        said = render(judged(snapshot), output, 0, io.StringIO())
        whole: Any = json.loads(said if output == "json" else said.splitlines()[-1])
        validator("" if output == "json" else "line").validate(whole)
        run = whole["run"]
        assert [(d["digest"], d["nodes"]) for d in run["imageDigests"]] == digests
        assert run["redaction"] == level


def test_junit_and_sarif_hold_the_header_as_properties() -> None:
    """The same labels and values as in the ticket, and the verdict."""
    diagnosis = judged(ran(ONE, ONE, ONE))
    report = JUnitXml.fromstring(render(diagnosis, "junit", 0, io.StringIO()).encode())
    first = next(iter(report))
    found = {p.name: p.value for p in first.properties()}  # type: ignore[no-untyped-call]
    assert found == {"verdict": diagnosis.verdict.text, **header(diagnosis, 0)}
    run = json.loads(render(diagnosis, "sarif", 0, io.StringIO()))["runs"][0]
    assert run["properties"]["header"] == header(diagnosis, 0)


def test_redaction_keeps_the_digest_and_says_so() -> None:
    """A digest names nobody; anything else in its place is hidden."""
    hidden = redact(ran(ONE, "sha256:acme-internal", None), Redaction())
    assert hidden.nodes[0].image_digest == ONE
    assert "acme" not in str(hidden.nodes[1].image_digest)
    assert fields(hidden)["redaction"] == "names and addresses"


def test_it_is_saved_and_read_again() -> None:
    """With the snapshot; one of an older tool has neither."""
    snapshot = ran(ONE, OTHER, None)
    assert read(to_bytes(snapshot), "x") == snapshot
    data = json.loads(to_bytes(snapshot))
    for node in data["nodes"]:
        del node["image_digest"]
    del data["secrets_removed"]
    older = read(json.dumps(data).encode(), "x")
    assert [n.image_digest for n in older.nodes] == [None] * 3
    assert not older.secrets_removed
