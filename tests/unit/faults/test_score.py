"""The benchmark's own judgement: what is right is good, and whatever is wrong is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.report import repetitions
from tests.faults.scenario import Cause, Scenario, all_scenarios
from tests.faults.scenarios.quiet_healthy import nothing
from tests.faults.score import Score, score, summary, unmeasured
from tests.faults.witness import healthy

BLOCKED = Cause(("ENC-01",), ("n3",), place="8472", fix="iptables -D")
OFF = Cause(("RTE-09",), ("n1",))


def row(check_id: str, node: str, cause: str | None = None, **changes: Any) -> dict[str, Any]:
    """One finding of a report."""
    return {
        "key": f"{check_id}@{node}",
        "id": check_id,
        "severity": "critical",
        "title": f"title of {check_id}",
        "scope": "UDP 8472",
        "subjects": [{"kind": "Node", "name": node}],
        "evidence": [{"text": "0/20", "node": node}],
        "causedBy": cause,
        "fix": {"text": "Remove the rule.", "commands": ["iptables -D INPUT 1"]},
        **changes,
    }


def judged(causes: tuple[Cause, ...], *rows: dict[str, Any]) -> Score:
    """The score of a report with these rows."""
    return score(Scenario("one", nothing, healthy, causes), {"findings": list(rows)}, 4.0)


def test_the_cause_first_and_its_symptoms_folded() -> None:
    """As it should be."""
    result = judged((BLOCKED,), row("ENC-01", "n3"), row("DNS-05", "n3", "ENC-01@n3"))
    assert result.good
    assert (result.ranks, result.folded) == ((1,), 1)


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (row("DNS-05", "n3"), row("ENC-01", "n3")),
        (row("ENC-01", "n3"), row("DNS-05", "n3")),
        (row("ENC-01", "n2"),),
        (row("ENC-01", "n3", scope="elsewhere"),),
        (row("ENC-01", "n3", fix={"text": "Pray.", "commands": []}),),
        (row("RTE-09", "n3"), row("ENC-01", "n3", "RTE-09@n3")),
    ],
    ids=["missed", "second", "beside", "node", "place", "fix", "folded under another"],
)
def test_everything_else_is_not_good(rows: tuple[dict[str, Any], ...]) -> None:
    """Missed, second, beside something unrelated, the wrong node, place or fix."""
    assert not judged((BLOCKED,), *rows).good


def test_two_causes_in_any_order() -> None:
    """Both in the first two rows; one alone is half."""
    both = judged((BLOCKED, OFF), row("RTE-09", "n1"), row("ENC-01", "n3"))
    assert both.good
    half = judged((BLOCKED, OFF), row("ENC-01", "n3"))
    assert (half.good, half.found, half.ranks) == (False, False, (1, None))


def test_one_row_is_not_two_causes() -> None:
    """Two faults of one kind on two nodes need two rows, or one that names both."""
    other = Cause(("ENC-01",), ("n1",))
    assert not judged((BLOCKED, other), row("ENC-01", "n3")).good


def test_a_quiet_case_is_silent_at_medium_and_above() -> None:
    """Low is allowed, medium is an alarm."""
    assert judged((), row("CT-06", "n1", severity="low")).good
    alarm = judged((), row("CT-06", "n1", severity="medium"))
    assert not alarm.good
    assert summary([alarm]).alarms_per_quiet_scan == 1.0


def test_what_was_not_measured_is_neither_found_nor_missed() -> None:
    """It is counted as such, and the shares leave it out."""
    left = unmeasured(Scenario("one", nothing, healthy, (BLOCKED,)), "not in force")
    figures = summary([left, judged((BLOCKED,), row("ENC-01", "n3"))])
    assert not left.good
    assert (figures.first, figures.unmeasured, figures.faults) == (1.0, 1, 1)
    assert summary([]).first is None


def test_scenarios_have_names_of_their_own_and_right_ids() -> None:
    """Every expected ID is one that the taxonomy knows."""
    for name, scenario in all_scenarios().items():
        assert name == scenario.name
        assert scenario.quiet == name.startswith("quiet-")
        for cause in scenario.causes:
            assert cause.ids


def test_repetitions_are_told_apart_by_the_log_alone() -> None:
    """Two labs side by side write two logs; a scenario that was run once more counts as the next."""
    names = ["b", "a", "b", "c", "a", "b"]
    scores = [unmeasured(Scenario(name, nothing, healthy), "") for name in names]
    parts = repetitions(scores)
    assert [[s.name for s in part] for part in parts] == [["b", "a", "c"], ["b", "a"], ["b"]]
