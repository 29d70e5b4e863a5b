"""Real snapshots with values replaced: every format is written or the file is refused."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.outputs import FORMATS
from tests.unit.cli.test_app import HEALTHY, PATHS, VALUES
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.sarif_reader import complaints
from tests.unit.report.test_html import assert_tame
from tests.unit.report.test_schema import validator


def extreme(value: Any, seed: int) -> Any:
    """Another value of the same type: most of these are read, unlike one of another type."""
    match value:
        case bool():
            return not value
        case int():
            return (0, -1, 2**40, 7)[seed % 4]
        case float():
            return (0.0, -1.0, 1e308, 0.5)[seed % 4]
        case str():
            return ("", HOSTILE, "x" * 300, "n1")[seed % 4]
        case list():
            return (value[:1], [], value * 2, value[1:])[seed % 4]
    return VALUES[seed % len(VALUES)]


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.integers(0, 43)), min_size=1, max_size=8))
def test_no_format_breaks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: list[tuple[tuple[Any, ...], int]]
) -> None:
    """Whatever a snapshot says, forms stay forms."""
    data = json.loads(json.dumps(HEALTHY))
    for path, seed in changes:
        at = data
        try:
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = extreme(at[path[-1]], seed)
        except (KeyError, IndexError, TypeError):
            continue
    file = tmp_path / "x.json"
    file.write_text(json.dumps(data))
    wanted = [w for f in FORMATS for w in ("-o", f"{f}={tmp_path / f}")]
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(file), *wanted])
    err = capsys.readouterr().err
    assert ended.value.code in (0, 1, 2, 3), err
    assert "Traceback" not in err
    if ended.value.code != 2:
        assert_tame((tmp_path / "html").read_text())
        ET.fromstring((tmp_path / "junit").read_text())  # noqa: S314  # our own
        assert complaints(json.loads((tmp_path / "sarif").read_text())) == []
        validator().validate(json.loads((tmp_path / "json").read_text()))
        assert all(json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines())
