"""The codec reads what it wrote, and refuses everything else with the place of the error."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.facts import codec
from kubectl_netdoctor.facts.base import FACTS, Missing, Reason
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.snapshot import FACT_MODULES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Inner:
    """A nested value."""

    name: str
    size: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Outer:
    """One of each kind of field."""

    inner: tuple[Inner, ...]
    table: dict[str, float]
    kind: Literal["a", "b"]
    value: Inner | Missing
    flag: bool = False


inners = st.builds(Inner, st.text(), st.none() | st.integers(-(2**63), 2**64 - 1))
outers = st.builds(
    Outer,
    st.lists(inners, max_size=3).map(tuple),
    st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    st.sampled_from(["a", "b"]),
    inners | st.builds(Missing, st.sampled_from(Reason), st.text()),
    st.booleans(),
)


@given(outers)
def test_what_was_written_is_read_back(value: Outer) -> None:
    """Encoding, dumping, loading and decoding gives an equal value."""
    assert value == codec.decode(Outer, codec.loads(codec.dumps(value)))


@given(JSON)
def test_strange_input_is_a_decode_error(data: Any) -> None:
    """Whatever foreign JSON arrives, it is refused with its place."""
    with pytest.raises(DecodeError, match=r"^\$"):
        codec.decode(Outer, data)


GOOD = codec.encode(Outer((Inner("x", 1),), {"a": 1.5}, "a", Inner("y", None)))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"kind": "c"}, "$.kind"),
        ({"flag": 1}, "$.flag"),
        ({"table": {"a": True}}, "$.table.a"),
        ({"table": {"a": 10**400}}, "$.table.a"),
        ({"inner": [{"name": "x"}]}, "$.inner[0]: field 'size' is not there"),
        ({"inner": [{"name": "x", "size": 1.5}]}, "$.inner[0].size"),
        ({"extra": 1}, "$: unknown field 'extra'"),
        ({"value": {"missing": "because", "detail": ""}}, "$.value.missing"),
        ({"value": {"missing": "denied"}}, "$.value"),
        ({"value": None}, "$.value"),
    ],
)
def test_the_error_names_the_place(change: dict[str, Any], where: str) -> None:
    """A wrong field is named with its path."""
    with pytest.raises(DecodeError) as caught:
        codec.decode(Outer, {**GOOD, **change})
    assert str(caught.value).startswith(where)


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", '{"a": Infinity}', "[" * 100_000, "9" * 5_000, b"\xff\xfe\xfa"]
)
def test_bad_text_is_a_decode_error(text: str | bytes) -> None:
    """No text makes the reader raise anything else."""
    with pytest.raises(DecodeError):
        codec.loads(text)


def test_every_fact_has_a_class_that_the_codec_can_read() -> None:
    """Each registered fact decodes from an object and refuses an empty one or accepts it whole."""
    assert len(FACT_MODULES) > 5
    for key, known in FACTS.items():
        with pytest.raises(DecodeError, match=key):
            codec.decode(known.cls, {"no such field": 1}, key)


def test_equal_values_have_equal_text() -> None:
    """The order of keys does not matter to the text."""
    assert codec.dumps({"b": 1, "a": 2}) == codec.dumps({"a": 2, "b": 1})
    assert json.loads(codec.dumps({"ü": 1})) == {"ü": 1}
